"""Pools: who is in which, what a client may ask, and how it is told."""

import asyncio
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from services.distribution.api import site
from services.distribution.rest.envelope import JSON, JSON_UTF8, PLAIN, Answer
from services.distribution.rest.pools import Pools, pool, refused, respond
from shared.policy.files import PolicyError
from shared.policy.pools import PoolRow, PoolsPolicy, load_pools
from shared.runtime.clock import ManualClock
from shared.runtime.health import Health
from shared.web import Route
from shared.web.callers import Caller
from shared.web.problems import Problem
from shared.web.site import CALLER
from tests.processes import until

FILE = Path(__file__).resolve().parents[3] / "deploy/policies/pools.toml"
PLUS = Caller(kind="plus", scopes=frozenset({"plus"}), credential="token:1")


def asked(
    path: str = "/works", caller: Caller | None = None, address: str = "192.0.2.1", **headers: str
) -> Any:
    transport = SimpleNamespace(
        get_extra_info=lambda name, default=None: (address, 1) if name == "peername" else default
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", path, headers=named, transport=cast("Any", transport))
    if caller is not None:
        request[CALLER] = caller
    return request


def pools(**more: Any) -> Pools:
    row = {"since": date(2026, 1, 1), "says": "x", "requests": 2, "within": "PT1S", "burst": 4}
    rows = {
        name: PoolRow.model_validate({**row, "id": name, "at-once": 3} | more)
        for name in ("public", "polite", "plus")
    }
    return Pools(PoolsPolicy(rows), clock=ManualClock())  # type: ignore[arg-type]


def done(pools: Pools, request: Any) -> None:
    pools.enter(request).under_way -= 1


def test_who_says_where_to_write_to_is_polite_and_a_subscriber_is_in_plus() -> None:
    assert pool(asked()) == "public"
    for request in (
        asked("/works?mailto=a@example.org"),
        asked(User_Agent="tool (mailto:a@example.org)"),
        asked(X_USER_AGENT="tool (mailto:a@example.org)"),
        asked(Mailto="a@example.org"),
    ):
        assert pool(request) == "polite"
    assert pool(asked("/works?mailto=a@example.org", PLUS)) == "plus"
    assert pool(asked(caller=Caller(lapsed=True))) == "public"


def test_a_client_that_asks_more_than_its_burst_is_told_when_to_ask_again() -> None:
    limits = pools()
    for _ in range(4):
        done(limits, asked())
    with pytest.raises(Problem) as told:
        limits.enter(asked())
    assert (told.value.status, told.value.headers["Retry-After"]) == (429, "1")
    done(limits, asked(address="192.0.2.2"))  # another client
    done(limits, asked("/works?mailto=a@example.org"))  # another pool
    cast("ManualClock", limits.clock).advance(0.5)
    done(limits, asked())  # two a second: one more by now
    with pytest.raises(Problem):
        limits.enter(asked())
    body = orjson.loads(refused(told.value).body)
    assert set(body) == {"status", "message-type", "message-version", "message"}


def test_a_token_is_one_client_from_whatever_address() -> None:
    limits = pools()
    for number in range(4):
        done(limits, asked(caller=PLUS, address=f"192.0.2.{number}"))
    with pytest.raises(Problem):
        limits.enter(asked(caller=PLUS, address="192.0.2.99"))


def test_so_many_answers_at_once_and_one_more_when_one_is_done() -> None:
    limits = pools()
    under_way = [limits.enter(asked()) for _ in range(3)]
    with pytest.raises(Problem):
        limits.enter(asked())
    under_way[0].under_way -= 1
    done(limits, asked())


def test_limits_that_are_stated_alone_refuse_nobody_and_operators_never_are() -> None:
    limits = pools()
    limits.enforced = False
    for _ in range(50):
        limits.enter(asked())
    limits = pools()
    for _ in range(50):
        limits.enter(asked(caller=Caller(kind="operator")))


def test_the_policy_file_has_each_pool_and_its_faults_are_named(tmp_path: Path) -> None:
    stated = Pools(load_pools(FILE)).told(asked("/works?mailto=a@b"))
    assert stated["x-api-pool"] == "polite"
    assert stated["x-rate-limit-interval"] == stated["x-ratelimit-interval"] == "1s"
    assert stated["x-ratelimit-limit"] == stated["x-rate-limit-limit"] == "2000"
    assert set(stated) == {
        "x-api-pool",
        "x-rate-limit-limit",
        "x-rate-limit-interval",
        "x-ratelimit-limit",
        "x-ratelimit-interval",
        "x-concurrency-limit",
    }
    broken = tmp_path / "pools.toml"
    broken.write_text(FILE.read_text().replace('id = "plus"', 'id = "public"'))
    with pytest.raises(PolicyError, match="stands twice"):
        load_pools(broken)
    broken.write_text(FILE.read_text().replace("burst = 5000", "burst = 5"))
    with pytest.raises(PolicyError, match="burst"):
        load_pools(broken)


async def test_over_the_wire_every_answer_says_its_pool_and_too_many_are_told_429() -> None:
    release = asyncio.Event()

    async def quick(request: web.Request) -> web.Response:
        return respond(request, Answer(200, "text/plain", b"here"))

    async def slow(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response(text="done")

    limits = pools(burst=6, **{"at-once": 2})
    app = site(
        [
            Route("GET", "/quick", quick, "Q"),
            Route("GET", "/slow", slow, "S"),
            Route("GET", "/mine", quick, "M", auth="caller"),
        ],
        health=Health(),
        callers=cast("Any", SimpleNamespace()),
        pools=limits,
    )
    async with TestClient(TestServer(app)) as client:
        waiting = [asyncio.ensure_future(client.get("/slow")) for _ in range(2)]

        async def under_way() -> bool:
            return sum(one.under_way for one in limits._clients.values()) == 2

        await until(under_way, pause=0.001)
        refusal = await client.get("/quick")
        assert (refusal.status, refusal.headers["Retry-After"]) == (429, "1")
        assert (await refusal.json())["message-type"] == "rate-limit-exceeded"
        release.set()
        assert [(await one).status for one in waiting] == [200, 200]
        seen = [await client.get("/quick") for _ in range(5)]
        assert [one.status for one in seen] == [200, 200, 200, 200, 429]
        polite = await client.get("/quick?mailto=a@example.org")
        unknown, anonymous = await client.get("/nothing"), await client.get("/mine")
        assert (unknown.status, anonymous.status) == (404, 401)
        for answer in (refusal, *seen, unknown, anonymous, polite):
            assert answer.headers["x-api-pool"] == ("polite" if answer is polite else "public")
            assert answer.headers["x-rate-limit-limit"] == "2"
            assert answer.headers["x-rate-limit-interval"] == "1s"
            assert answer.headers["x-ratelimit-limit"] == "2"
            assert answer.headers["x-ratelimit-interval"] == "1s"
            assert answer.headers["x-concurrency-limit"] == "2"


@pytest.mark.parametrize(
    ("content_type", "length", "said", "varies"),
    [
        (JSON_UTF8, 100, {}, "Accept"),
        (JSON_UTF8, 1_024, {}, "Accept, Accept-Encoding"),
        (JSON, 100, {}, None),
        (JSON, 1_024, {}, "Accept-Encoding"),
        (PLAIN, 1_024, {}, None),
        (JSON, 1_024, {"Vary": "Authorization"}, "Authorization"),
    ],
)
def test_an_answer_varies_as_the_wire_says_where_it_says_nothing_itself(
    content_type: str, length: int, said: dict[str, str], varies: str | None
) -> None:
    answer = respond(asked(), Answer(200, content_type, b" " * length), said)
    assert answer.headers.get("Vary") == varies
