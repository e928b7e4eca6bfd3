"""Accounts through the wire: the real process on the real broker and store."""

import base64
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from shared.events import Event, Meta, PreferenceApplied, ReplicaAlive, to_record
from shared.kafka.produce import Sender
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import login_key
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.processes import OPERATOR, Place, Running, service, until

PRESS = {"id": 78, "name": "Journal of Psychoceramics", "names": ["JoP"], "location": "Boston"}
PROBLEM = "urn:colophon:problem:"
Answer = tuple[int, Any]


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


ADMIN = basic("press", "right horse")


class Client:
    """A caller of accounts; operator where no headers are given."""

    def __init__(self, session: aiohttp.ClientSession, accounts: Running) -> None:
        self.session = session
        self.accounts = accounts

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        async with self.session.request(
            method,
            self.accounts.url + path,
            json=body,
            headers=OPERATOR if headers is None else headers,
        ) as answer:
            text = await answer.text()
            return answer.status, await answer.json(content_type=None) if text else None

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        status, said = await self(method, path, body)
        assert status < 300, said
        return said


@contextlib.asynccontextmanager
async def calling(accounts: Running) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, accounts)


@pytest.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    async with service("accounts", place) as accounts, calling(accounts) as client:
        yield client


async def a_member(client: Client, prefix: str = "10.5555", **more: object) -> None:
    await client.ok("POST", "/organisations", PRESS)
    body = {"prefix": prefix, "name": "Psychoceramics Press", **more}
    await client.ok("POST", "/organisations/78/prefixes", body)


async def an_administrator(client: Client) -> None:
    body = {"login": "press", "password": "right horse", "scopes": ["admin", "deposit"]}
    status, said = await client("POST", "/organisations/78/credentials", body)
    assert (status, said["status"]) == (201, "effective")

    async def known() -> bool:
        return (await client("GET", "/organisations/78", headers=ADMIN))[0] == 200

    await until(known, what="the administrator is known")


async def test_an_organisation_is_entered_once_and_described_anew(client: Client) -> None:
    assert (await client("POST", "/organisations", PRESS))[0] == 201
    assert (await client("POST", "/organisations", PRESS))[0] == 200
    status, said = await client("POST", "/organisations", {**PRESS, "name": "Other"})
    assert (status, said["type"]) == (409, PROBLEM + "organisation-differs")
    changed = await client.ok("PATCH", "/organisations/78", {"location": None, "name": "JP"})
    assert (changed["name"], changed["names"], changed["location"]) == (
        "JP",
        ["JP", "JoP"],
        None,
    )
    found = await client.ok("GET", "/organisations?name=%20jop")
    assert [one["id"] for one in found["organisations"]] == [78]
    for number in (7, 900):
        await client.ok("POST", "/organisations", {"id": number, "name": f"Number {number}"})

    async def all_listed() -> bool:
        return len((await client.ok("GET", "/organisations"))["organisations"]) == 3

    await until(all_listed, what="the list knows them all")
    first = await client.ok("GET", "/organisations?rows=2")
    rest = await client.ok("GET", first["next"])
    pages = [[one["id"] for one in page["organisations"]] for page in (first, rest)]
    assert pages == [[7, 78], [900]]


async def test_a_prefix_has_one_owner(client: Client) -> None:
    await a_member(client)
    await client.ok("POST", "/organisations", {"id": 79, "name": "Another"})
    body = {"prefix": "10.5555", "name": "Psychoceramics Press"}
    assert (await client("POST", "/organisations/78/prefixes", body))[0] == 200
    status, said = await client("POST", "/organisations/79/prefixes", body)
    assert (status, said["rule"]) == (409, "one-owner-per-prefix")
    status, said = await client(
        "POST", "/organisations/78/prefixes", {**body, "name": "Another Name"}
    )
    assert (status, said["type"]) == (409, PROBLEM + "prefix-assigned-differently")
    owned = await client.ok("GET", "/organisations/78/prefixes")
    assert [one["prefix"] for one in owned["prefixes"]] == ["10.5555"]


@pytest.mark.clause("CRR-8")
async def test_unset_is_limited_from_2018_and_what_was_open_before_stays_open(
    client: Client,
) -> None:
    await a_member(client)
    unset = await client.ok("GET", "/organisations/78/preferences/10.5555")
    assert unset["reference-visibility"] is None
    assert unset["effective"] == {
        "reference-visibility": "limited",
        "source": "policy-default",
        "rule": "limited-by-default",
    }
    before = await client.ok("GET", "/organisations/78/preferences/10.5555?at=2017-06-01")
    assert before["effective"]["reference-visibility"] == "open"
    was_open = {"prefix": "10.7777", "name": "P", "reference-visibility": "open"}
    await client.ok("POST", "/organisations/78/prefixes", {**was_open, "since": "2015-03-01"})
    kept = await client.ok("GET", "/organisations/78/preferences/10.7777")
    assert (kept["effective"]["reference-visibility"], kept["effective"]["source"]) == (
        "open",
        "own",
    )
    listed = await client("GET", "/reference-visibility/open-members", headers={})
    assert listed[1]["members"] == [
        {"id": 78, "name": "Journal of Psychoceramics", "prefixes": ["10.7777"]}
    ]


@pytest.mark.clause("CRR-4")
async def test_a_members_administrator_sets_its_preference_and_sees_what_became_of_it(
    client: Client,
) -> None:
    await a_member(client)
    await an_administrator(client)
    where = "/organisations/78/preferences/10.5555"
    status, said = await client("PUT", where, {"reference-visibility": "closed"}, headers=ADMIN)
    assert (status, said["status"], said["version"]) == (200, "effective", 2)
    again = await client("PUT", where, {"reference-visibility": "closed"}, headers=ADMIN)
    assert (again[0], again[1]["version"]) == (200, 2)
    await client.ok("PUT", where, {"reference-visibility": None})
    history = await client("GET", where + "/history", headers=ADMIN)
    assert [
        (
            change["before"]["effective"]["reference-visibility"],
            change["after"]["effective"]["reference-visibility"],
            change["actor"],
            change["version"],
        )
        for change in history[1]["changes"]
    ] == [("limited", "closed", "organisation:78", 2), ("closed", "limited", "operator", 3)]
    assert {change["policy-version"] for change in history[1]["changes"]} == {
        said["policy-version"]
    }


async def test_nobody_else_sets_or_sees_a_members_preference(client: Client) -> None:
    await a_member(client)
    await an_administrator(client)
    await client.ok("POST", "/organisations", {"id": 79, "name": "Another"})
    await client.ok("POST", "/organisations/79/prefixes", {"prefix": "10.6666", "name": "A"})
    closed = {"reference-visibility": "closed"}
    foreign = "/organisations/79/preferences/10.6666"
    for method, path, body in (
        ("PUT", foreign, closed),
        ("GET", foreign, None),
        ("GET", foreign + "/history", None),
        ("GET", foreign + "/receipt", None),
        ("PUT", "/organisations/79/preferences", closed),
        ("POST", "/organisations", PRESS),
    ):
        assert (await client(method, path, body, headers=ADMIN))[0] == 403, path
        assert (await client(method, path, body, headers={}))[0] == 401, path
    # Somebody else's prefix under one's own number is not there.
    status, _ = await client("PUT", "/organisations/78/preferences/10.6666", closed, headers=ADMIN)
    assert status == 404


@pytest.mark.clause("CRR-3")
async def test_there_is_no_switch_per_work_title_or_service(client: Client) -> None:
    await a_member(client)
    where = "/organisations/78/preferences/10.5555"
    for smaller in ({"doi": "10.5555/1"}, {"issn": "2041-1723"}, {"outlet": "oai-pmh"}):
        body = {"reference-visibility": "closed", **smaller}
        for method, path in (("PUT", where), ("PUT", "/organisations/78/preferences")):
            status, said = await client(method, path, body)
            assert (status, said["type"]) == (422, PROBLEM + "no-smaller-switch")
            assert said["rule"] == "CRR-3"
            assert said["errors"][0]["at"] == "/" + next(iter(smaller))
    status, said = await client("PUT", where + "?doi=10.5555/1", {"reference-visibility": "closed"})
    assert (status, said["rule"]) == (422, "CRR-3")
    assert (await client.ok("GET", where))["version"] == 1
    for path in (where + "/works/10.5555/1", "/works/10.5555/1/reference-visibility"):
        assert (await client("PUT", path, {"reference-visibility": "closed"}))[0] == 404


@pytest.mark.clause("CRR-4")
async def test_an_account_default_reaches_every_prefix_without_its_own(client: Client) -> None:
    await a_member(client)
    await client.ok("POST", "/organisations/78/prefixes", {"prefix": "10.6666", "name": "P"})
    await client.ok(
        "PUT", "/organisations/78/preferences/10.6666", {"reference-visibility": "closed"}
    )
    body = {"reference-visibility": "open"}
    status, said = await client("PUT", "/organisations/78/preferences", body)
    assert (status, said["status"], said["reference-visibility"]) == (200, "effective", "open")
    in_force = {one["prefix"]: one["effective"] for one in said["prefixes"]}
    assert (in_force["10.5555"]["reference-visibility"], in_force["10.5555"]["source"]) == (
        "open",
        "account",
    )
    assert (in_force["10.6666"]["reference-visibility"], in_force["10.6666"]["source"]) == (
        "closed",
        "own",
    )
    await client.ok("POST", "/organisations/78/prefixes", {"prefix": "10.7777", "name": "P"})
    later = await client.ok("GET", "/organisations/78/preferences/10.7777")
    assert later["effective"]["source"] == "account"


@pytest.mark.clause("CRR-9")
async def test_a_support_request_needs_name_and_prefixes_that_the_organisation_owns(
    client: Client,
) -> None:
    await a_member(client)
    await client.ok("POST", "/organisations", {"id": 79, "name": "Another", "names": ["JoP"]})
    await client.ok("POST", "/organisations/79/prefixes", {"prefix": "10.6666", "name": "A"})
    whole = {
        "organisation": "journal of PSYCHOCERAMICS",
        "prefixes": ["10.5555"],
        "reference-visibility": "closed",
    }
    for change, slug in (
        ({"organisation": ""}, "request-incomplete"),
        ({"prefixes": []}, "request-incomplete"),
        ({"prefixes": ["5555"]}, "request-incomplete"),
        ({"organisation": "Nobody"}, "name-unknown"),
        ({"organisation": "JoP"}, "name-ambiguous"),
        ({"prefixes": ["10.5555", "10.6666"]}, "prefixes-not-owned"),
        ({"prefixes": ["10.5555", "10.9999"]}, "prefixes-not-owned"),
    ):
        status, said = await client("POST", "/preference-requests", {**whole, **change})
        assert (status, said["type"], said["rule"]) == (422, PROBLEM + slug, "CRR-9"), change
    for field in ("organisation", "prefixes"):
        without = {name: value for name, value in whole.items() if name != field}
        status, said = await client("POST", "/preference-requests", without)
        assert (status, said["type"]) == (422, PROBLEM + "request-incomplete")
    assert (await client.ok("GET", "/organisations/78/preferences/10.5555"))["version"] == 1
    done = await client.ok("POST", "/preference-requests", whole)
    assert done["results"] == [{"prefix": "10.5555", "outcome": "set", "version": 2}]
    history = await client.ok("GET", "/organisations/78/preferences/10.5555/history")
    assert history["changes"][-1]["actor"] == f"support-request:{done['id']}"
    recorded = await client.ok("GET", f"/preference-requests/{done['id']}")
    assert (recorded["status"], recorded["results"]) == ("carried-out", done["results"])
    listed = await client.ok("GET", "/preference-requests")
    assert [one["id"] for one in listed["requests"]] == [done["id"]]


async def test_a_credential_proves_itself_changes_and_is_never_given_back(
    client: Client, place: Place
) -> None:
    await a_member(client)
    await an_administrator(client)
    body = {"login": "press", "password": "right horse", "scopes": ["deposit", "admin"]}
    status, issued = await client("POST", "/organisations/78/credentials", body)
    assert status == 200
    key = load_or_create(place.folder / "login.key")
    assert issued["credential"] == login_key(key, "press")
    status, said = await client(
        "POST", "/organisations/78/credentials", {**body, "password": "wrong"}
    )
    assert (status, said["type"]) == (409, PROBLEM + "credential-differs")
    await client.ok("POST", "/organisations", {"id": 79, "name": "Another"})
    assert (await client("POST", "/organisations/79/credentials", body))[0] == 409
    where = f"/organisations/78/credentials/{issued['credential']}"
    await client.ok("PUT", where, {"password": "new horse"})

    async def only_the_new_one() -> bool:
        old = (await client("GET", "/organisations/78", headers=ADMIN))[0]
        new = (await client("GET", "/organisations/78", headers=basic("press", "new horse")))[0]
        return (old, new) == (401, 200)

    await until(only_the_new_one, what="the new password alone works")
    await client.ok("PUT", where, {"revoked": True})

    async def out() -> bool:
        return (await client("GET", "/organisations/78", headers=basic("press", "new horse")))[
            0
        ] == 401

    await until(out, what="a revoked login is refused")
    listed = await client.ok("GET", "/organisations/78/credentials")
    for text in (str(listed), str(issued), client.accounts.log.read_text()):
        for secret in ("horse", "argon2", "press"):
            assert secret not in text


@pytest.mark.clause("CRR-6")
async def test_an_agreements_times_are_its_tokens_times(client: Client, place: Place) -> None:
    await client.ok("POST", "/organisations", PRESS)
    where = "/organisations/78/plus-agreements"
    signed = await client.ok("POST", where, {"start": "2026-01-01", "end": "2030-12-31"})
    assert signed["end"] == "2031-01-01T00:00:00Z"
    more = await client.ok("POST", f"{where}/{signed['agreement']}/tokens")
    assert more["token"] != signed["token"]
    plus = {"Crossref-Plus-API-Token": f"Bearer {signed['token']}"}

    async def known() -> bool:
        return (await client("GET", "/organisations/78", headers=plus))[0] == 403

    await until(known, what="the token is known")
    ended = await client.ok("PUT", f"{where}/{signed['agreement']}", {"end": "now"})
    credentials = (await client.ok("GET", "/organisations/78/credentials"))["credentials"]
    assert {one["valid-until"] for one in credentials} == {ended["end"]}
    status, _ = await client("DELETE", f"{where}/{signed['agreement']}/tokens/{more['credential']}")
    assert status == 204
    listed = await client.ok("GET", where)
    assert "token" not in listed["agreements"][0]
    status, said = await client("POST", where, {"start": "2026-01-02", "end": "2025-12-31"})
    assert (status, said["type"]) == (422, PROBLEM + "agreement-ends-before-it-starts")
    assert signed["token"] not in client.accounts.log.read_text()


async def report(place: Place, *events: Event) -> None:
    """Say what a reader replica would say."""
    sender = Sender(place.kafka_bootstrap, "distribution", place.name)
    await sender.start()
    now = rfc3339(datetime.now(UTC))
    await sender.send([to_record(one, Meta(new_id(), "/test", now)) for one in events])
    await sender.stop()


@pytest.mark.clause("CRR-4")
async def test_a_receipt_says_since_when_each_outlet_obeys(client: Client, place: Place) -> None:
    await a_member(client)
    start = datetime.now(UTC) - timedelta(seconds=1)
    two = [ReplicaAlive(replica=name, outlets=("rest", "oai"), at=start) for name in ("a", "b")]
    await report(place, *two)
    where = "/organisations/78/preferences/10.5555"
    chosen = await client.ok("PUT", where, {"reference-visibility": "closed"})

    async def seen(check: str, count: int) -> Any:
        async def there() -> Any:
            said = await client.ok("GET", chosen["receipt"])
            outlets = {one["outlet"]: one for one in said["outlets"]}
            replicas = outlets.get("rest", {"replicas": []})["replicas"]
            return said if sum(bool(one[check]) for one in replicas) == count else None

        return await until(there, what=f"{count} replicas {check}")

    said = await seen("live", 2)
    assert said["published"] is True
    assert all(outlet["obeyed-since"] is None for outlet in said["outlets"])

    def obeys(replica: str) -> PreferenceApplied:
        return PreferenceApplied(
            replica=replica,
            outlets=("rest", "oai"),
            prefix="10.5555",
            prefix_version=2,
            cause="x",
            at=datetime.now(UTC),
        )

    first, last = obeys("a"), obeys("b")
    await report(place, first)
    assert (await seen("since", 1))["outlets"][0]["obeyed-since"] is None
    await report(place, last)
    done = await seen("since", 2)
    assert {one["obeyed-since"][:23] for one in done["outlets"]} == {rfc3339(last.at)[:23]}
    assert done["decided-at"] <= done["outlets"][0]["obeyed-since"]
    status, said = await client("GET", f"{where}/receipt?version=9")
    assert (status, said["type"]) == (404, PROBLEM + "version-unknown")


@pytest.mark.law("L1")
@pytest.mark.parametrize("crash", ["accounts.preference-written", "relay.sent"])
async def test_a_preference_written_survives_a_kill(place: Place, crash: str) -> None:
    where = "/organisations/78/preferences/10.5555"
    async with service("accounts", place) as accounts, calling(accounts) as client:
        await a_member(client)
    async with service("accounts", place, COLOPHON_CRASH=crash) as accounts:
        async with calling(accounts) as client:
            with contextlib.suppress(aiohttp.ClientError):
                await client("PUT", where, {"reference-visibility": "closed"})
        assert await accounts.ended() == -9
    async with service("accounts", place) as accounts, calling(accounts) as client:
        said = await client.ok("GET", where)
        assert (said["reference-visibility"], said["version"]) == ("closed", 2)

        async def published() -> bool:
            receipt = await client.ok("GET", where + "/receipt")
            return bool(receipt["published"])

        await until(published, what="the preference is published")


@pytest.mark.clause("CRR-4")
async def test_a_kill_between_account_and_prefixes_is_finished_at_the_next_start(
    place: Place,
) -> None:
    crash = "accounts.preference-written"
    async with service("accounts", place, COLOPHON_CRASH=crash) as accounts:
        async with calling(accounts) as client:
            await a_member(client)
            with contextlib.suppress(aiohttp.ClientError):
                await client(
                    "PUT", "/organisations/78/preferences", {"reference-visibility": "open"}
                )
        assert await accounts.ended() == -9
    async with service("accounts", place) as accounts, calling(accounts) as client:

        async def settled() -> bool:
            said = await client.ok("GET", "/organisations/78/preferences/10.5555")
            return bool(said["effective"]["reference-visibility"] == "open")

        await until(settled, what="the prefix follows its account")


async def test_while_nothing_is_relayed_a_preference_is_pending(place: Place) -> None:
    # No relay, so no watermark: ready never comes, but an operator is known by its file.
    async with (
        service("accounts", place, "api", ready=False, ACK_SECONDS="0.2") as accounts,
        calling(accounts) as client,
    ):

        async def listening() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                return (await client("GET", "/healthz"))[0] == 200
            return False

        await until(listening, within=30)
        await a_member(client)
        where = "/organisations/78/preferences/10.5555"
        for _ in range(2):  # said again it is as pending as before
            status, said = await client("PUT", where, {"reference-visibility": "closed"})
            assert (status, said["status"]) == (202, "pending")
        assert (await client.ok("GET", where + "/receipt"))["published"] is False


async def test_an_idle_process_leaves_within_two_seconds_of_being_asked(place: Place) -> None:
    async with service("accounts", place) as accounts:
        async with calling(accounts) as client:
            await a_member(
                client
            )  # with changes that no event says, which the relay must not await
        accounts.process.terminate()
        assert await accounts.ended(within=2.0) == 0


async def test_the_site_describes_itself(client: Client) -> None:
    said = await client.ok("GET", "/openapi.json")
    assert said["openapi"].startswith("3.1")
    assert "/organisations/{organisation}/preferences/{prefix}" in said["paths"]
