"""Accounts through the wire: the real process on the real broker and store.

One process answers all tests that do not kill theirs; each has organisations and prefixes of its
own there.
"""

import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import aiohttp
import pytest

from shared.events import Event, Meta, PreferenceApplied, ReplicaAlive, to_record
from shared.kafka import topics
from shared.kafka.produce import Sender
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import login_key
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.asking import Answer, asked
from tests.platform import Platform
from tests.processes import OPERATOR, Place, Running, service, until

PROBLEM = "urn:colophon:problem:"


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


_BLOCKS: Final = count(1)


@dataclass(frozen=True, slots=True)
class Press:
    """A member of a test's own, with numbers and prefixes around it that no other test uses."""

    block: int = field(default_factory=lambda: next(_BLOCKS))

    @property
    def id(self) -> int:
        return self.number(78)

    @property
    def name(self) -> str:
        return f"Journal of Psychoceramics {self.block}"

    @property
    def login(self) -> str:
        return f"press-{self.block}"

    @property
    def admin(self) -> dict[str, str]:
        return basic(self.login, "right horse")

    @property
    def body(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "names": [f"JoP {self.block}"],
            "location": "Boston",
        }

    @property
    def at(self) -> str:
        return f"/organisations/{self.id}"

    @property
    def preference(self) -> str:
        return f"{self.at}/preferences/{self.prefix}"

    @property
    def prefix(self) -> str:
        return self.prefixed(5555)

    def number(self, small: int) -> int:
        """Return the number that ``small`` is in this test's block of a thousand."""
        return 1000 * self.block + small

    def prefixed(self, small: int) -> str:
        """Return the prefix that ``small`` is in this test's block."""
        return f"10.{10_000 * self.block + small}"


class Client:
    """A caller of accounts; operator where no headers are given."""

    def __init__(self, session: aiohttp.ClientSession, accounts: Running) -> None:
        self.session = session
        self.accounts = accounts

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        said = OPERATOR if headers is None else headers
        return await asked(self.session, method, self.accounts.url + path, body, said)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        status, said = await self(method, path, body)
        assert status < 300, said
        return said


@contextlib.asynccontextmanager
async def calling(accounts: Running) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, accounts)


@pytest.fixture(scope="module")
async def living(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where the process lives that all tests share."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("accounts")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@pytest.fixture(scope="module")
async def client(living: Place) -> AsyncIterator[Client]:
    async with service("accounts", living) as accounts, calling(accounts) as client:
        yield client


@pytest.fixture
def press() -> Press:
    return Press()


async def a_member(client: Client, press: Press, **more: object) -> None:
    await client.ok("POST", "/organisations", press.body)
    body = {"prefix": press.prefix, "name": "Psychoceramics Press", **more}
    await client.ok("POST", press.at + "/prefixes", body)


async def another(client: Client, press: Press, *names: str) -> int:
    """Enter another organisation with a prefix; return its number."""
    number = press.number(79)
    other = {"id": number, "name": f"Another {press.block}", "names": names}
    await client.ok("POST", "/organisations", other)
    body = {"prefix": press.prefixed(6666), "name": "A"}
    await client.ok("POST", f"/organisations/{number}/prefixes", body)
    return number


async def an_administrator(client: Client, press: Press) -> None:
    body = {"login": press.login, "password": "right horse", "scopes": ["admin", "deposit"]}
    status, said = await client("POST", press.at + "/credentials", body)
    assert (status, said["status"]) == (201, "effective")

    async def known() -> bool:
        return (await client("GET", press.at, headers=press.admin))[0] == 200

    await until(known, what="the administrator is known")


async def test_an_organisation_is_entered_once_and_described_anew(
    client: Client, press: Press
) -> None:
    assert (await client("POST", "/organisations", press.body))[0] == 201
    assert (await client("POST", "/organisations", press.body))[0] == 200
    status, said = await client("POST", "/organisations", {**press.body, "name": "Other"})
    assert (status, said["type"]) == (409, PROBLEM + "organisation-differs")
    changed = await client.ok("PATCH", press.at, {"location": None, "name": "JP"})
    (other_name,) = press.body["names"]
    assert (changed["name"], changed["names"], changed["location"]) == (
        "JP",
        ["JP", other_name],
        None,
    )
    found = await client.ok("GET", f"/organisations?name=%20{other_name.lower()}")
    assert [one["id"] for one in found["organisations"]] == [press.id]
    for number in (press.number(7), press.number(900)):
        await client.ok("POST", "/organisations", {"id": number, "name": f"Number {number}"})
    mine = f"/organisations?after={press.number(0)}&rows="

    async def all_listed() -> bool:
        return len((await client.ok("GET", mine + "3"))["organisations"]) == 3

    await until(all_listed, what="the list knows them all")
    first = await client.ok("GET", mine + "2")
    rest = await client.ok("GET", first["next"])
    pages = [[one["id"] for one in page["organisations"]] for page in (first, rest)]
    assert pages == [[press.number(7), press.id], [press.number(900)]]


async def test_a_prefix_has_one_owner(client: Client, press: Press) -> None:
    await a_member(client, press)
    other = await another(client, press)
    body = {"prefix": press.prefix, "name": "Psychoceramics Press"}
    assert (await client("POST", press.at + "/prefixes", body))[0] == 200
    status, said = await client("POST", f"/organisations/{other}/prefixes", body)
    assert (status, said["rule"]) == (409, "one-owner-per-prefix")
    status, said = await client("POST", press.at + "/prefixes", {**body, "name": "Another Name"})
    assert (status, said["type"]) == (409, PROBLEM + "prefix-assigned-differently")
    owned = await client.ok("GET", press.at + "/prefixes")
    assert [one["prefix"] for one in owned["prefixes"]] == [press.prefix]


@pytest.mark.clause("CRR-8")
async def test_unset_is_limited_from_2018_and_what_was_open_before_stays_open(
    client: Client, press: Press
) -> None:
    await a_member(client, press)
    unset = await client.ok("GET", press.preference)
    assert unset["reference-visibility"] is None
    assert unset["effective"] == {
        "reference-visibility": "limited",
        "source": "policy-default",
        "rule": "limited-by-default",
    }
    before = await client.ok("GET", press.preference + "?at=2017-06-01")
    assert before["effective"]["reference-visibility"] == "open"
    was_open = {"prefix": press.prefixed(7777), "name": "P", "reference-visibility": "open"}
    await client.ok("POST", press.at + "/prefixes", {**was_open, "since": "2015-03-01"})
    kept = await client.ok("GET", press.at + f"/preferences/{press.prefixed(7777)}")
    assert (kept["effective"]["reference-visibility"], kept["effective"]["source"]) == (
        "open",
        "own",
    )
    listed = await client("GET", "/reference-visibility/open-members", headers={})
    assert {"id": press.id, "name": press.name, "prefixes": [press.prefixed(7777)]} in listed[1][
        "members"
    ]


@pytest.mark.clause("CRR-4")
async def test_a_members_administrator_sets_its_preference_and_sees_what_became_of_it(
    client: Client, press: Press
) -> None:
    await a_member(client, press)
    await an_administrator(client, press)
    where = press.preference
    status, said = await client(
        "PUT", where, {"reference-visibility": "closed"}, headers=press.admin
    )
    assert (status, said["status"], said["version"]) == (200, "effective", 2)
    again = await client("PUT", where, {"reference-visibility": "closed"}, headers=press.admin)
    assert (again[0], again[1]["version"]) == (200, 2)
    await client.ok("PUT", where, {"reference-visibility": None})
    history = await client("GET", where + "/history", headers=press.admin)
    assert [
        (
            change["before"]["effective"]["reference-visibility"],
            change["after"]["effective"]["reference-visibility"],
            change["actor"],
            change["version"],
        )
        for change in history[1]["changes"]
    ] == [
        ("limited", "closed", f"organisation:{press.id}", 2),
        ("closed", "limited", "operator", 3),
    ]
    assert {change["policy-version"] for change in history[1]["changes"]} == {
        said["policy-version"]
    }


async def test_nobody_else_sets_or_sees_a_members_preference(client: Client, press: Press) -> None:
    await a_member(client, press)
    await an_administrator(client, press)
    other = await another(client, press)
    closed = {"reference-visibility": "closed"}
    foreign = f"/organisations/{other}/preferences/{press.prefixed(6666)}"
    for method, path, body in (
        ("PUT", foreign, closed),
        ("GET", foreign, None),
        ("GET", foreign + "/history", None),
        ("GET", foreign + "/receipt", None),
        ("PUT", f"/organisations/{other}/preferences", closed),
        ("POST", "/organisations", press.body),
        ("PUT", f"/prefixes/{press.prefix}/owner", {"organisation": other}),
    ):
        assert (await client(method, path, body, headers=press.admin))[0] == 403, path
        assert (await client(method, path, body, headers={}))[0] == 401, path
    # Somebody else's prefix under one's own number is not there.
    status, _ = await client(
        "PUT", press.at + f"/preferences/{press.prefixed(6666)}", closed, headers=press.admin
    )
    assert status == 404


@pytest.mark.clause("CRR-3")
async def test_there_is_no_switch_per_work_title_or_service(client: Client, press: Press) -> None:
    await a_member(client, press)
    where = press.preference
    for smaller in ({"doi": "10.5555/1"}, {"issn": "2041-1723"}, {"outlet": "oai-pmh"}):
        body = {"reference-visibility": "closed", **smaller}
        for method, path in (("PUT", where), ("PUT", press.at + "/preferences")):
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
async def test_an_account_default_reaches_every_prefix_without_its_own(
    client: Client, press: Press
) -> None:
    await a_member(client, press)
    await client.ok("POST", press.at + "/prefixes", {"prefix": press.prefixed(6666), "name": "P"})
    await client.ok(
        "PUT", press.at + f"/preferences/{press.prefixed(6666)}", {"reference-visibility": "closed"}
    )
    body = {"reference-visibility": "open"}
    status, said = await client("PUT", press.at + "/preferences", body)
    assert (status, said["status"], said["reference-visibility"]) == (200, "effective", "open")
    in_force = {one["prefix"]: one["effective"] for one in said["prefixes"]}
    assert (in_force[press.prefix]["reference-visibility"], in_force[press.prefix]["source"]) == (
        "open",
        "account",
    )
    assert (
        in_force[press.prefixed(6666)]["reference-visibility"],
        in_force[press.prefixed(6666)]["source"],
    ) == (
        "closed",
        "own",
    )
    await client.ok("POST", press.at + "/prefixes", {"prefix": press.prefixed(7777), "name": "P"})
    later = await client.ok("GET", press.at + f"/preferences/{press.prefixed(7777)}")
    assert later["effective"]["source"] == "account"


@pytest.mark.clause("CRR-9")
async def test_a_support_request_needs_name_and_prefixes_that_the_organisation_owns(
    client: Client, press: Press
) -> None:
    await a_member(client, press)
    (shared_name,) = press.body["names"]
    await another(client, press, shared_name)
    whole = {
        "organisation": press.name.upper(),
        "prefixes": [press.prefix],
        "reference-visibility": "closed",
    }
    for change, slug in (
        ({"organisation": ""}, "request-incomplete"),
        ({"prefixes": []}, "request-incomplete"),
        ({"prefixes": ["5555"]}, "request-incomplete"),
        ({"organisation": "Nobody"}, "name-unknown"),
        ({"organisation": shared_name}, "name-ambiguous"),
        ({"prefixes": [press.prefix, press.prefixed(6666)]}, "prefixes-not-owned"),
        ({"prefixes": [press.prefix, press.prefixed(9999)]}, "prefixes-not-owned"),
    ):
        status, said = await client("POST", "/preference-requests", {**whole, **change})
        assert (status, said["type"], said["rule"]) == (422, PROBLEM + slug, "CRR-9"), change
    for missing in ("organisation", "prefixes"):
        without = {name: value for name, value in whole.items() if name != missing}
        status, said = await client("POST", "/preference-requests", without)
        assert (status, said["type"]) == (422, PROBLEM + "request-incomplete")
    assert (await client.ok("GET", press.preference))["version"] == 1
    done = await client.ok("POST", "/preference-requests", whole)
    assert done["results"] == [{"prefix": press.prefix, "outcome": "set", "version": 2}]
    history = await client.ok("GET", press.preference + "/history")
    assert history["changes"][-1]["actor"] == f"support-request:{done['id']}"
    recorded = await client.ok("GET", f"/preference-requests/{done['id']}")
    assert (recorded["status"], recorded["results"]) == ("carried-out", done["results"])
    newest = await client.ok("GET", "/preference-requests?rows=1")
    assert [one["id"] for one in newest["requests"]] == [done["id"]]
    older = await client.ok("GET", newest["next"])
    assert done["id"] not in [one["id"] for one in older["requests"]]


async def test_a_credential_proves_itself_changes_and_is_never_given_back(
    client: Client, living: Place, press: Press
) -> None:
    await a_member(client, press)
    await an_administrator(client, press)
    body = {"login": press.login, "password": "right horse", "scopes": ["deposit", "admin"]}
    status, issued = await client("POST", press.at + "/credentials", body)
    assert status == 200
    key = load_or_create(living.folder / "login.key")
    assert issued["credential"] == login_key(key, press.login)
    status, said = await client("POST", press.at + "/credentials", {**body, "password": "wrong"})
    assert (status, said["type"]) == (409, PROBLEM + "credential-differs")
    other = await another(client, press)
    assert (await client("POST", f"/organisations/{other}/credentials", body))[0] == 409
    where = press.at + f"/credentials/{issued['credential']}"
    await client.ok("PUT", where, {"password": "new horse"})

    async def only_the_new_one() -> bool:
        old = (await client("GET", press.at, headers=press.admin))[0]
        new = (await client("GET", press.at, headers=basic(press.login, "new horse")))[0]
        return (old, new) == (401, 200)

    await until(only_the_new_one, what="the new password alone works")
    await client.ok("PUT", where, {"revoked": True})

    async def out() -> bool:
        return (await client("GET", press.at, headers=basic(press.login, "new horse")))[0] == 401

    await until(out, what="a revoked login is refused")
    listed = await client.ok("GET", press.at + "/credentials")
    for text in (str(listed), str(issued), client.accounts.log.read_text()):
        for secret in ("horse", "argon2", press.login):
            assert secret not in text


@pytest.mark.clause("CRR-6")
async def test_an_agreements_times_are_its_tokens_times(
    client: Client, living: Place, press: Press
) -> None:
    await client.ok("POST", "/organisations", press.body)
    where = press.at + "/plus-agreements"
    signed = await client.ok("POST", where, {"start": "2026-01-01", "end": "2030-12-31"})
    assert signed["end"] == "2031-01-01T00:00:00Z"
    more = await client.ok("POST", f"{where}/{signed['agreement']}/tokens")
    assert more["token"] != signed["token"]
    plus = {"Crossref-Plus-API-Token": f"Bearer {signed['token']}"}

    async def known() -> bool:
        return (await client("GET", press.at, headers=plus))[0] == 403

    await until(known, what="the token is known")
    ended = await client.ok("PUT", f"{where}/{signed['agreement']}", {"end": "now"})
    credentials = (await client.ok("GET", press.at + "/credentials"))["credentials"]
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
async def test_a_receipt_says_since_when_each_outlet_obeys(
    client: Client, living: Place, press: Press
) -> None:
    await a_member(client, press)
    start = datetime.now(UTC) - timedelta(seconds=1)
    two = [ReplicaAlive(replica=name, outlets=("rest", "oai"), at=start) for name in ("a", "b")]
    await report(living, *two)
    where = press.preference
    chosen = await client.ok("PUT", where, {"reference-visibility": "closed"})

    async def seen(check: str, count: int) -> Any:
        async def there() -> Any:
            said = await client.ok("GET", chosen["receipt"])
            outlets = {one["outlet"]: one for one in said["outlets"]}
            replicas = outlets.get("rest", {"replicas": []})["replicas"]
            return said if sum(bool(one[check]) for one in replicas) == count else None

        return await until(there, what=f"{count} replicas {check}")

    said = await seen("live", 2)
    assert all(outlet["obeyed-since"] is None for outlet in said["outlets"])

    def obeys(replica: str) -> PreferenceApplied:
        return PreferenceApplied(
            replica=replica,
            outlets=("rest", "oai"),
            prefix=press.prefix,
            prefix_version=2,
            cause="x",
            at=datetime.now(UTC),
        )

    first, last = obeys("a"), obeys("b")
    await report(living, first)
    assert (await seen("since", 1))["outlets"][0]["obeyed-since"] is None
    await report(living, last)
    done = await seen("since", 2)

    async def published() -> bool:
        return bool((await client.ok("GET", chosen["receipt"]))["published"])

    await until(published, what="the receipt says that the event stands in the log")
    assert {one["obeyed-since"][:23] for one in done["outlets"]} == {rfc3339(last.at)[:23]}
    assert done["decided-at"] <= done["outlets"][0]["obeyed-since"]
    status, said = await client("GET", f"{where}/receipt?version=9")
    assert (status, said["type"]) == (404, PROBLEM + "version-unknown")


@pytest.mark.clause("CRR-4")
@pytest.mark.clause("CRR-9")
async def test_a_prefix_goes_to_another_organisation_without_its_setting(
    client: Client, press: Press
) -> None:
    await a_member(client, press)
    await an_administrator(client, press)
    other = await another(client, press)
    where = f"/prefixes/{press.prefix}/owner"
    await client.ok("PUT", press.preference, {"reference-visibility": "open"})
    await client.ok(
        "PUT", f"/organisations/{other}/preferences", {"reference-visibility": "closed"}
    )
    body = {"organisation": other, "name": "Another Press"}
    for version, status in (("1", 412), ("two", 400), ('"2"', 200), ('"2"', 200)):
        got, said = await client("PUT", where, body, headers={**OPERATOR, "If-Match": version})
        assert got == status, said
    assert (said["organisation"], said["name"], said["version"]) == (other, "Another Press", 3)
    assert (said["reference-visibility"], said["status"]) == (None, "effective")
    assert said["effective"]["reference-visibility"] == "closed"
    # Who owned it is told so at once, and has no more to say.
    closed = {"reference-visibility": "closed"}
    for method, content in (("GET", None), ("PUT", closed)):
        assert (await client(method, press.preference, content, headers=press.admin))[0] == 404
    owned = await client.ok("GET", press.at + "/prefixes")
    assert owned["prefixes"] == []
    now = f"/organisations/{other}/preferences/{press.prefix}"
    changes = (await client.ok("GET", now + "/history"))["changes"]
    assert [
        (one["organisation"], one["actor"], one["after"]["effective"]["reference-visibility"])
        for one in changes
    ] == [(press.id, "operator", "open"), (other, "operator", "closed")]
    before = await client.ok("GET", f"{now}?at={changes[0]['at']}")
    assert (before["organisation"], before["reference-visibility"]) == (press.id, "open")
    # The new owner's default reaches it, the former owner's does not.
    await client.ok("PUT", press.at + "/preferences", {"reference-visibility": "open"})
    assert (await client.ok("GET", now))["version"] == 3
    await client.ok(
        "PUT", f"/organisations/{other}/preferences", {"reference-visibility": "limited"}
    )
    assert (await client.ok("GET", now))["effective"]["reference-visibility"] == "limited"
    refused: tuple[tuple[str, dict[str, Any], str], ...] = (
        (f"/prefixes/{press.prefixed(9999)}/owner", body, "prefix-unknown"),
        (where, {"organisation": press.number(1)}, "organisation-unknown"),
        (where, {**body, "name": "Third Press"}, "prefix-assigned-differently"),
    )
    for path, wrong, slug in refused:
        assert (await client("PUT", path, wrong))[1]["type"] == PROBLEM + slug


@pytest.mark.law("L1")
async def test_a_preference_written_survives_a_kill_and_an_idle_relay_ends_at_once(
    place: Place, press: Press
) -> None:
    crash = "accounts.preference-written"
    async with service("accounts", place, REPLICA="one", COLOPHON_CRASH=crash) as accounts:
        async with calling(accounts) as client:
            await a_member(client, press)
            with contextlib.suppress(aiohttp.ClientError):
                await client("PUT", press.preference, {"reference-visibility": "closed"})
        assert await accounts.ended() == -9
    async with service("accounts", place, REPLICA="one") as accounts:
        async with calling(accounts) as client:
            said = await client.ok("GET", press.preference)
            assert (said["reference-visibility"], said["version"]) == ("closed", 2)

            async def published() -> bool:
                receipt = await client.ok("GET", press.preference + "/receipt")
                return bool(receipt["published"])

            await until(published, what="the preference is published")
        # Idle now, with changes that no event says, which the relay must not await: it would until
        # the drain is cut off after 20 s, with another status.
        accounts.process.terminate()
        assert await accounts.ended(within=10.0) == 0


@pytest.mark.clause("CRR-4")
async def test_a_kill_between_account_and_prefixes_is_finished_at_the_next_start(
    place: Place, press: Press
) -> None:
    crash = "accounts.preference-written"
    async with service("accounts", place, REPLICA="one", COLOPHON_CRASH=crash) as accounts:
        async with calling(accounts) as client:
            await a_member(client, press)
            with contextlib.suppress(aiohttp.ClientError):
                await client("PUT", press.at + "/preferences", {"reference-visibility": "open"})
        assert await accounts.ended() == -9
    async with service("accounts", place, REPLICA="one") as accounts, calling(accounts) as client:

        async def settled() -> bool:
            said = await client.ok("GET", press.preference)
            return bool(said["effective"]["reference-visibility"] == "open")

        await until(settled, what="the prefix follows its account")


async def test_while_nothing_is_relayed_a_preference_is_pending(place: Place, press: Press) -> None:
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
        await a_member(client, press)
        where = press.preference
        for _ in range(2):  # said again it is as pending as before
            status, said = await client("PUT", where, {"reference-visibility": "closed"})
            assert (status, said["status"]) == (202, "pending")
        assert (await client.ok("GET", where + "/receipt"))["published"] is False


async def test_the_site_describes_itself(client: Client) -> None:
    said = await client.ok("GET", "/openapi.json")
    assert said["openapi"].startswith("3.1")
    assert "/organisations/{organisation}/preferences/{prefix}" in said["paths"]
