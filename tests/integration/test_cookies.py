"""Every route of every service, asked by anybody, a member and an operator: what cookies it sets.

The routes are those of each service's own OpenAPI document. None sets a cookie today; that one
would be found is shown on a site that sets some.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from deploy.local.ports import free_ports
from shared.policy.registers import cookies_unregistered, load_cookies
from shared.runtime.health import Health
from shared.web import Info, Route, build_site
from tests.consenting import POLICIES, a_place
from tests.platform import Platform
from tests.processes import OPERATOR, service

REGISTER: Final = load_cookies(POLICIES / "cookies.toml")
ROLES: Final = {
    "accounts": ("api", "relay"),
    "consent": ("api", "relay"),
    "deposits": ("api", "relay"),
    "retention": ("api", "relay"),
    "distribution": ("api", "projector"),
}
TOGETHER: Final = 6
LOGIN: Final = {"login": "press/depositor", "password": "a password of a test"}
MEMBER: Final = {"Authorization": aiohttp.encode_basic_auth(LOGIN["login"], LOGIN["password"])}
SAMPLES: Final = {"organisation": "78", "doi": "10.5555/1", "prefix": "10.5555", "list": "blog"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: to whom, of which route, its status and the cookies that it sets."""

    who: str
    route: str
    status: int
    cookies: tuple[str, ...]
    free: bool  # nobody need prove who they are, or say what they ask for


async def crawl(session: aiohttp.ClientSession, url: str, who: Mapping[str, Any]) -> list[Seen]:
    """Ask every route that a site's own document names, as each of these callers."""
    async with session.get(url + "/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    limit = asyncio.Semaphore(TOGETHER)

    async def ask(name: str, said: Any, method: str, path: str, *, free: bool) -> Seen:
        to = url + path.format_map(_Any())
        body = {} if method in ("get", "head", "delete") else {"json": {}}
        async with limit, session.request(method, to, **said, **body) as answer:
            cookies = tuple(answer.headers.getall("Set-Cookie", []))
            return Seen(name, f"{method} {path}", answer.status, cookies, free)

    return await asyncio.gather(
        *(
            ask(name, said, method, path, free=_is_free(operation))
            for path, operations in paths.items()
            for method, operation in operations.items()
            for name, said in who.items()
        )
    )


def _is_free(operation: Mapping[str, Any]) -> bool:
    open_to_all = not (asked := operation["security"]) or {} in asked
    return open_to_all and not any(one.get("required") for one in operation.get("parameters", ()))


class _Any(dict[str, str]):
    """Something for every place of a path."""

    def __missing__(self, name: str) -> str:
        return SAMPLES.get(name, "none")


def unregistered(seen: list[Seen]) -> dict[str, list[str]]:
    """Return what is wrong with the cookies of answers, by route."""
    wrong = {f"{one.who}: {one.route}": cookies_unregistered(REGISTER, one.cookies) for one in seen}
    return {route: said for route, said in wrong.items() if said}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=60)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=timeout) as made:
        yield made


@pytest.mark.clause("CRP-8a")
@pytest.mark.clause("CRP-8b")
@pytest.mark.clause("DOAJ-3a")
@pytest.mark.clause("DOAJ-3e")
async def test_no_route_of_any_service_sets_a_cookie_that_is_not_registered_or_needs_one(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, session: aiohttp.ClientSession
) -> None:
    place = await a_place(platform, tmp_path_factory.mktemp("cookies"))
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(service(name, place, *roles, ready=False))
            for name, roles in ROLES.items()
        ]
        running = {one.name: one for one in [await each for each in starting]}
        for one in running.values():
            await one.ready(within=90)
        accounts = running["accounts"].url
        login = {**LOGIN, "scopes": ["deposit", "admin"]}
        for path, body in (
            ("/organisations", {"id": 78, "name": "Press"}),
            ("/organisations/78/credentials", login),
        ):
            async with session.post(accounts + path, json=body, headers=OPERATOR) as answer:
                assert answer.status < 300, await answer.text()
        who = {"anybody": {}, "member": {"headers": MEMBER}, "operator": {"headers": OPERATOR}}
        seen = {name: await crawl(session, one.url, who) for name, one in running.items()}
    for name, answers in seen.items():
        assert unregistered(answers) == {}, name
        assert {one.who for one in answers} == set(who)
    # No cookie was ever sent back, and whatever is free to read was read.
    lists = [
        one
        for name in ("distribution", "consent")
        for one in seen[name]
        if one.free
        and one.who == "anybody"
        and one.route.startswith("get")
        and "{" not in one.route
    ]
    assert {one.route for one in lists if one.status != 200} == set()
    assert {"get /works", "get /notices", "get /lists"} <= {one.route for one in lists}
    routes = {f"{name} {one.route}" for name, answers in seen.items() for one in answers}
    assert len(routes) > 90  # the crawl went everywhere, not to a handful


@pytest.mark.clause("CRP-8a")
@pytest.mark.clause("DOAJ-3a")
async def test_a_cookie_that_somebody_planted_is_found(session: aiohttp.ClientSession) -> None:
    def sets(*cookies: str) -> Any:
        async def handler(_request: web.Request) -> web.Response:
            answer = web.Response(text="here")
            for one in cookies:
                answer.headers.add("Set-Cookie", one)
            return answer

        return handler

    routes = [
        Route("GET", "/clean", sets(), "Sets none"),
        Route("GET", "/fine", sets("colophon_notice=1; Max-Age=3600"), "Sets a registered one"),
        Route("POST", "/planted/{one}", sets("schema=doaj", "_ga=GA1.2; Path=/"), "Sets another"),
        Route("GET", "/long", sets("colophon_session=x; Max-Age=60"), "Sets one for too long"),
    ]
    info = Info(title="Test", version="1", description="A site that sets cookies.")
    runner = web.AppRunner(build_site("test", routes, health=Health(), info=info))
    await runner.setup()
    port = free_ports(["http"])["http"]
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        seen = await crawl(session, f"http://127.0.0.1:{port}", {"anybody": {}})
    finally:
        await runner.cleanup()
    wrong = unregistered(seen)
    assert set(wrong) == {"anybody: post /planted/{one}", "anybody: get /long"}
    assert wrong["anybody: post /planted/{one}"] == ["_ga is not in the register"]
