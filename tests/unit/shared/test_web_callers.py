"""Who is calling, over real HTTP: every spelling, every refusal, and no secret in any of them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from shared.events import CredentialState, Scope
from shared.policy import Reader
from shared.privacy.passwords import hash_password, login_key, token_key
from shared.runtime.clock import ManualClock
from shared.runtime.health import Health
from shared.web import (
    ANONYMOUS,
    Caller,
    Callers,
    Info,
    Limits,
    Route,
    build_site,
    caller_of,
    json_answer,
    serve,
)
from shared.web.backoff import Backoff, Patience, network

HMAC_KEY = b"k" * 32
PERSONAL = "editor@example.org/eldr"
PASSWORD = "pass:wörd-of-somebody"
TOKEN, OPERATOR = "plus-token-abc", "operator-token-xyz"
DEPOSITOR: tuple[Scope, ...] = ("deposit",)


@dataclass
class Known:
    """Credentials in memory."""

    states: dict[str, CredentialState] = field(default_factory=dict)
    young: bool = True

    def lookup(self, credential: str) -> CredentialState | None:
        return self.states.get(credential)

    def fresh(self) -> bool:
        return self.young

    def put(self, state: CredentialState) -> None:
        self.states[state.credential] = state


hashed = cache(hash_password)


def role(
    login: str = PERSONAL,
    *,
    password: str = PASSWORD,
    scopes: tuple[Scope, ...] = DEPOSITOR,
    organisation: int = 78,
    valid_until: datetime | None = None,
    revoked: bool = False,
    version: int = 1,
) -> CredentialState:
    return CredentialState(
        credential=login_key(HMAC_KEY, login),
        organisation=organisation,
        scopes=scopes,
        password_hash=hashed(password),
        valid_until=valid_until,
        revoked=revoked,
        version=version,
    )


def token(
    text: str = TOKEN,
    *,
    scopes: tuple[Scope, ...] = ("plus",),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    revoked: bool = False,
) -> CredentialState:
    return CredentialState(
        credential=token_key(text),
        organisation=99,
        scopes=scopes,
        valid_from=valid_from,
        valid_until=valid_until,
        revoked=revoked,
        version=1,
    )


def write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.write_text(text)


def basic(login: str, password: str, charset: str = "utf-8") -> dict[str, str]:
    pair = base64.b64encode(f"{login}:{password}".encode(charset)).decode()
    return {"Authorization": f"Basic {pair}"}


@dataclass
class Door:
    """A running site, what it knows, and its clock."""

    url: str
    known: Known
    clock: ManualClock
    client: aiohttp.ClientSession
    callers: Callers

    async def get(
        self, path: str = "/optional", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, object]]:
        async with self.client.get(self.url + path, headers=headers) as answer:
            text = await answer.text()
            for secret in (PASSWORD, TOKEN, OPERATOR, "editor@example.org"):
                assert secret not in text
            if answer.status in (429, 503):
                assert int(answer.headers["Retry-After"]) >= 1
            if answer.status == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def operator_file(tmp_path: Path) -> Path:
    path = tmp_path / "operator.token"
    path.write_text(OPERATOR + "\n")
    return path


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def door(known: Known, operator_file: Path, limits: Limits) -> AsyncIterator[Door]:
    clock = ManualClock()
    callers = Callers(
        known,
        login_hmac_key=HMAC_KEY,
        operator_token_file=operator_file,
        clock=clock,
        limits=limits,
    )

    async def who(request: web.Request) -> web.Response:
        caller = caller_of(request)
        reader = caller.reader(clock.now())
        return json_answer(
            {
                "kind": caller.kind,
                "organisation": caller.organisation,
                "scopes": sorted(caller.scopes),
                "pool": caller.pool,
                "actor": caller.actor,
                "lapsed": caller.lapsed,
                "reads-as": [reader.organisation, reader.plus, reader.operator],
            }
        )

    async def form(request: web.Request) -> web.Response:
        said = await request.post()
        caller = await callers.of_login(
            str(said["login_id"]), str(said["login_passwd"]), address=request.remote or ""
        )
        return json_answer({"organisation": caller.organisation})

    routes = [
        Route("GET", "/none", who, ""),
        Route("GET", "/optional", who, "", auth="optional"),
        Route("GET", "/caller", who, "", auth="caller"),
        Route("GET", "/operator", who, "", auth="operator"),
        Route("GET", "/query", who, "", auth="optional", credentials_in_query=True),
        Route("POST", "/form", form, ""),
    ]
    app = build_site(
        "trial", routes, health=Health(clock), info=Info("Trial", "1"), callers=callers
    )
    draining = asyncio.Event()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as client:
        group.create_task(serve(app, draining, host="127.0.0.1", port=0, bound=bound))
        yield Door(f"http://127.0.0.1:{await bound}", known, clock, client, callers)
        draining.set()
    callers.close()


async def test_nobody_is_anonymous_where_that_is_allowed(door: Door) -> None:
    for path in ("/none", "/optional", "/query"):
        status, said = await door.get(path)
        assert (status, said["kind"], said["pool"]) == (200, "anonymous", "public")
        assert said["reads-as"] == [None, False, False]
    for path in ("/caller", "/operator"):
        assert (await door.get(path))[0] == 401


async def test_a_role_acts_for_its_organisation(door: Door) -> None:
    door.known.put(role())
    for headers in (basic(PERSONAL, PASSWORD), basic(PERSONAL, PASSWORD, "latin-1")):
        status, said = await door.get("/caller", headers)
        assert (status, said["kind"], said["organisation"]) == (200, "role", 78)
        assert said["reads-as"] == [78, False, False]
        assert said["actor"] == "organisation:78"
    assert (await door.get("/operator", basic(PERSONAL, PASSWORD)))[0] == 403


@pytest.mark.parametrize(
    "query",
    [
        {"login_id": PERSONAL, "login_passwd": PASSWORD},
        {"usr": PERSONAL, "pwd": PASSWORD},
    ],
)
async def test_a_login_in_the_query_counts_only_where_the_route_says_so(
    door: Door, query: dict[str, str]
) -> None:
    door.known.put(role())
    for path, kind in (("/query", "role"), ("/optional", "anonymous")):
        async with door.client.get(door.url + path, params=query) as answer:
            assert (await answer.json())["kind"] == kind
    wrong = query | {next(iter(query)): "nobody"}
    async with door.client.get(door.url + "/query", params=wrong) as answer:
        assert answer.status == 401


async def test_a_login_in_a_form_is_checked_by_its_handler(door: Door) -> None:
    door.known.put(role())
    form = {"login_id": PERSONAL, "login_passwd": PASSWORD}
    async with door.client.post(door.url + "/form", data=form) as answer:
        assert await answer.json() == {"organisation": 78}
    async with door.client.post(door.url + "/form", data=form | {"login_id": "x"}) as answer:
        assert answer.status == 401


@pytest.mark.clause("CRR-6")
@pytest.mark.parametrize(
    "headers",
    [
        {"Crossref-Plus-API-Token": f"Bearer {TOKEN}"},
        {"crossref-plus-api-token": f"bearer {TOKEN}"},
        {"Crossref-Plus-API-Token": TOKEN},
        {"Authorization": f"Bearer {TOKEN}"},
        {"crossref-api-key": f"Bearer {TOKEN}"},
        {"crossref-api-key": TOKEN},
        {"Authorization": f"Bearer {TOKEN}", "Crossref-Plus-API-Token": TOKEN},
    ],
)
async def test_a_plus_token_is_known_in_all_its_spellings(
    door: Door, headers: dict[str, str]
) -> None:
    door.known.put(token())
    status, said = await door.get(headers=headers)
    assert (status, said["kind"], said["pool"]) == (200, "plus", "plus")
    # A subscriber's token is no owner's right, even where the subscriber is a member.
    assert said["reads-as"] == [None, True, False]


@pytest.mark.clause("CRR-6")
async def test_a_subscriber_outside_its_agreement_is_one_of_the_public(door: Door) -> None:
    begin, end = timedelta(hours=1), timedelta(hours=2)
    now = door.clock.now()
    door.known.put(token(valid_from=now + begin, valid_until=now + end))
    headers = {"Crossref-Plus-API-Token": TOKEN}
    expected = {"before": False, "first moment": True, "last moment": True, "end": False}
    steps = dict(zip(expected, (0.0, 3600.0, 3599.999, 0.001), strict=True))
    for moment, runs in expected.items():
        door.clock.advance(steps[moment])
        status, said = await door.get(headers=headers)
        assert (status, said["pool"]) == (200, "plus" if runs else "public"), moment
        assert said["reads-as"] == [None, runs, False], moment
        assert said["lapsed"] != runs
    assert (await door.get("/caller", headers))[0] == 401


async def test_an_unknown_revoked_or_garbled_credential_is_refused(door: Door) -> None:
    door.known.put(token(revoked=True))
    door.known.put(role(revoked=True))
    door.known.put(token("spent", scopes=("deposit",), valid_until=door.clock.now()))
    for headers in (
        {"Crossref-Plus-API-Token": TOKEN},
        {"Crossref-Plus-API-Token": "unknown"},
        {"Crossref-Plus-API-Token": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Negotiate {TOKEN}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": f"Basic {base64.b64encode(b'no colon').decode()}"},
        {"Authorization": "Bearer spent"},
        basic("nobody", PASSWORD),
        basic(PERSONAL, PASSWORD),
    ):
        assert (await door.get(headers=headers))[0] == 401, headers


async def test_a_login_is_not_valid_outside_its_time_and_says_so_only_to_its_owner(
    door: Door,
) -> None:
    door.known.put(role(valid_until=door.clock.now()))
    _, right = await door.get(headers=basic(PERSONAL, PASSWORD))
    _, wrong = await door.get(headers=basic(PERSONAL, "wrong"))
    assert (right["status"], wrong["status"]) == (401, 401)
    assert "not valid at the moment" in str(right["detail"])
    assert "not valid at the moment" not in str(wrong["detail"])


async def test_two_different_credentials_are_refused(door: Door) -> None:
    door.known.put(token())
    door.known.put(role())
    both = basic(PERSONAL, PASSWORD) | {"Crossref-Plus-API-Token": TOKEN}
    assert (await door.get(headers=both))[0] == 400


async def test_an_operator_is_known_by_the_token_in_the_file_and_by_nothing_else(
    door: Door, operator_file: Path
) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    status, said = await door.get("/operator", headers)
    assert (status, said["kind"], said["reads-as"]) == (200, "operator", [None, False, True])
    assert (await door.get("/operator", {"Crossref-Plus-API-Token": OPERATOR}))[0] == 401
    assert (await door.get("/operator", {"Authorization": "Bearer wrong"}))[0] == 401
    write(operator_file, "changed\n")
    assert (await door.get("/operator", headers))[0] == 401
    assert (await door.get("/operator", {"Authorization": "Bearer changed"}))[0] == 200
    write(operator_file, "\n")
    assert (await door.get("/operator", {"Authorization": "Bearer "}))[0] == 401
    write(operator_file, None)
    assert (await door.get("/operator", {"Authorization": "Bearer changed"}))[0] == 401


@pytest.mark.law("L3")
async def test_stale_knowledge_of_credentials_refuses_all_but_nobody_and_operators(
    door: Door,
) -> None:
    door.known.put(token())
    door.known.put(role())
    assert (await door.get(headers=basic(PERSONAL, PASSWORD)))[0] == 200
    door.known.young = False
    assert (await door.get())[0] == 200
    assert (await door.get(headers={"Authorization": f"Bearer {OPERATOR}"}))[0] == 200
    for headers in ({"crossref-api-key": TOKEN}, basic(PERSONAL, PASSWORD)):
        assert (await door.get(headers=headers))[0] == 503


async def test_a_right_password_is_remembered_for_a_minute_and_one_version(door: Door) -> None:
    """A hash that is swapped without a new version shows when the hash is looked at again."""
    headers = basic(PERSONAL, PASSWORD)
    door.known.put(role())
    assert (await door.get(headers=headers))[0] == 200
    other = hashed("another")
    door.known.put(role().model_copy(update={"password_hash": other}))
    door.clock.advance(59)
    assert (await door.get(headers=headers))[0] == 200
    door.clock.advance(1)
    assert (await door.get(headers=headers))[0] == 401
    door.known.put(role(version=2))
    assert (await door.get(headers=headers))[0] == 200
    door.known.put(role(version=3).model_copy(update={"password_hash": other}))
    assert (await door.get(headers=headers))[0] == 401
    door.known.put(role(version=4))
    assert (await door.get(headers=headers))[0] == 200
    door.known.put(role(version=4, revoked=True))
    assert (await door.get(headers=headers))[0] == 401


async def test_failed_tries_wait_longer_and_longer_and_a_remembered_login_does_not(
    door: Door,
) -> None:
    door.known.put(role())
    door.known.put(role("other", password="other"))
    assert (await door.get(headers=basic(PERSONAL, PASSWORD)))[0] == 200
    for _ in range(5):
        assert (await door.get(headers=basic(PERSONAL, "wrong")))[0] == 401
    assert (await door.get(headers=basic(PERSONAL, "wrong")))[0] == 429
    assert (await door.get(headers=basic(PERSONAL, PASSWORD)))[0] == 200
    assert (await door.get(headers=basic("other", "other")))[0] == 200
    for wait in (1, 2, 4):
        door.clock.advance(wait - 0.01)
        assert (await door.get(headers=basic(PERSONAL, "wrong")))[0] == 429
        door.clock.advance(0.02)
        assert (await door.get(headers=basic(PERSONAL, "wrong")))[0] == 401


async def test_an_address_that_tries_many_logins_waits_as_well(door: Door) -> None:
    for number in range(20):
        assert (await door.get(headers=basic(f"guess{number}", "x")))[0] == 401
    assert (await door.get(headers=basic("guess20", "x")))[0] == 429


async def test_equal_questions_at_once_are_one_check(door: Door) -> None:
    door.known.put(role())
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(door.get(headers=basic(PERSONAL, PASSWORD))) for _ in range(40)]
    assert {task.result()[0] for task in asked} == {200}
    assert door.callers.passwords_checked == 1


async def test_many_different_checks_at_once_are_turned_away_and_not_queued(door: Door) -> None:
    door.known.put(role())
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(door.get(headers=basic(PERSONAL, f"wrong{number}")))
            for number in range(40)
        ]
    found = [task.result()[0] for task in asked]
    assert set(found) == {401, 429}
    assert door.callers.passwords_checked == found.count(401) < 40


async def test_one_who_leaves_does_not_stop_the_check_for_the_others(door: Door) -> None:
    door.known.put(role())

    async def log_in() -> Caller:
        return await door.callers.of_login(PERSONAL, PASSWORD, address="192.0.2.1")

    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(log_in()), group.create_task(log_in())
        await asyncio.sleep(0)
        first.cancel()
    assert first.cancelled()
    assert second.result().organisation == 78


def test_what_a_caller_may_is_for_its_own_organisation() -> None:
    admin = Caller("role", 78, frozenset({"admin"}))
    assert admin.may("admin", 78)
    assert not admin.may("admin", 79)
    assert not admin.may("deposit", 78)
    assert Caller(kind="operator").may("admin", 79)
    assert not ANONYMOUS.may("admin", 78)


def test_a_caller_reads_by_its_scopes_and_its_time() -> None:
    at = ManualClock().now()
    both = Caller("role", 78, frozenset({"deposit", "plus"}), valid_until=at)
    assert both.reader(at - timedelta(seconds=1)) == Reader(78, plus=True)
    assert both.reader(at) == Reader()


def test_no_secret_shows_in_a_caller_or_in_what_it_said() -> None:
    from shared.web.presented import Login, Token  # noqa: PLC0415

    assert repr(Login("editor@example.org", PASSWORD)) == "Login()"
    assert TOKEN not in repr(Token(TOKEN))


def test_failures_are_forgotten_after_a_quiet_while_or_a_success() -> None:
    clock = ManualClock()
    backoff, patience = Backoff(clock), Patience(free=1, cap=10, forgotten_after=100)
    things = ((("login", "a"), patience),)
    for _ in range(9):
        backoff.failed([("login", "a")])
    assert backoff.wait(things) == 10
    assert backoff.wait(((("login", "b"), patience),)) == 0
    clock.advance(100)
    assert backoff.wait(things) == 0
    backoff.failed([("login", "a")])
    assert backoff.wait(things) == 1
    backoff.succeeded([("login", "a")])
    assert backoff.wait(things) == 0


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_caller_is_its_network(address: str, of: str) -> None:
    assert network(address) == of
