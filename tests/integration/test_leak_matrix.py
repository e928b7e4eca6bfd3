"""The leak matrix: every way to ask x every setting x every kind of caller (laws L3, L4).

What each caller may see is written down here by hand, from the policy text and not from the
policy file, so that a wrong row in the file fails too.

One process answers all tests; each leaves the preferences as it found them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.events import (
    CredentialIssued,
    OrganisationRegistered,
    PrefixAssigned,
    PrefixTransferred,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkRegistered,
)
from shared.kafka import topics
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key, token_key
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.events import AT, Voice, speaking
from tests.platform import Platform
from tests.processes import OPERATOR, Place, Running, service, until

SECRET: Final = "Xyzzyography"  # stands in every reference and nowhere else
PASSWORD: Final = "correct horse"
SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}
OWNER: Final = 78
OTHER: Final = 99
GIVEN_AWAY: Final = ("10.6000", "10.6100", "10.6200")  # open, and OTHER's at first
TAKER: Final = "10.6300"  # closed, and OWNER's
TITLE: Final = "journal:1234-5679"
IN_TITLE: Final = tuple(f"10.6100/{n}" for n in range(12))
CALLERS: Final = ("anonymous", "plus", "expired plus", "owner", "other member", "operator")
SEEN_BY: Final[Mapping[str | None, frozenset[str]]] = {
    "open": frozenset(CALLERS),
    "limited": frozenset({"plus", "owner"}),
    None: frozenset({"plus", "owner"}),  # nobody chose: limited since 2018
    "closed": frozenset({"owner"}),
}
SINGLES: Final = ("/works/{doi}", "/v1/works/{doi}", "/v1.0/works/{DOI}", "/works/{doi}/")
LISTS: Final = (
    "/works?filter=prefix:{prefix}",
    "/v1/works?filter=doi:{doi}",
    "/prefixes/{prefix}/works",
    "/v1/prefixes/{prefix}/works?rows=5&offset=0",
    "/members/78/works?filter=prefix:{prefix}",
    "/works?filter=prefix:{prefix}&select=reference",
    "/works?filter=prefix:{prefix}&select=DOI,reference,references-count,relation",
    "/works?filter=prefix:{prefix},has-references:true&sort=references-count&order=asc",
    "/works?filter=prefix:{prefix}&sort=published&facet=publisher-name:*,type-name:*,published:*",
    "/works?filter=prefix:{prefix}&cursor=*&rows=2",
    "/works?filter=prefix:{prefix}&query=measured",
    "/works?filter=prefix:{prefix},type:journal-article,issn:1234-5679&sort=created",
    "/works?filter=prefix:{prefix},from-index-date:2020,until-created-date:2030&mailto=a@example.org",
)
CITING: Final = "/works?filter=prefix:{prefix}&select=relation,references-count"
NEVER: Final = (
    "/works?filter=prefix:{prefix}&select=DOI,title,references-count",
    "/works?filter=prefix:{prefix}&rows=0&facet=*",
    "/works?query=" + SECRET,
    "/works?query.bibliographic=" + SECRET,
    "/works?query.title=" + SECRET,
    "/members/78",
    "/members",
    "/prefixes/{prefix}",
)


@dataclass(slots=True)
class Registry:
    """A distribution with a member of four prefixes, and callers of every kind."""

    running: Running
    accounts: Voice
    deposits: Voice
    headers: dict[str, dict[str, str]]
    session: aiohttp.ClientSession
    settings: dict[str, str | None] = field(default_factory=lambda: dict(SETTINGS))
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETTINGS, 1))

    async def ask(self, caller: str, path: str, method: str = "GET", **headers: str) -> Any:
        async with self.session.request(
            method, self.running.url + path, headers=self.headers[caller] | headers
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def prefer(self, prefix: str, setting: str | None) -> None:
        self.versions[prefix] += 1
        self.settings[prefix] = setting
        await self.accounts.say(assigned(prefix, setting, self.versions[prefix]))

    async def restore(self) -> None:
        """Take every preference back to what it was, and wait until it is."""
        for prefix, setting in SETTINGS.items():
            if self.settings[prefix] == setting:
                continue
            await self.prefer(prefix, setting)
            await until(lambda prefix=prefix: self._in_force(prefix), what="restored")  # type: ignore[misc]

    async def _in_force(self, prefix: str) -> bool:
        _, body, _ = await self.ask("anonymous", f"/works/{prefix}/0/position")
        said = _json(body)["message"]["reference-visibility"]
        return bool(said == (SETTINGS[prefix] or "limited"))


def assigned(prefix: str, setting: str | None, version: int, owner: int = OWNER) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=owner,
        owner_name=f"Press {owner}",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


def work(doi: str, title: str | None = None) -> WorkRegistered:
    return WorkRegistered(
        title=title,
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp="1",
        created=AT,
        deposited=AT,
        submission="1#0",
        version=1,
        work={
            "type": "journal-article",
            "title": ["On things measured"],
            "DOI": doi,
            "ISSN": ["1234-5679"],
            "published": {"date-parts": [[2020]]},
            "issued": {"date-parts": [[2020]]},
            "reference": [{"key": "r1", "unstructured": f"{SECRET} in {doi} 1, 2 (1999)"}],
            "relation": {
                "cites": [{"id-type": "doi", "id": f"10.9999/{SECRET}", "asserted-by": "subject"}]
            },
            "references-count": 1,
            "reference-count": 1,
        },
    )


@pytest.fixture(scope="module")
async def shared_registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("leaks")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with opened(place) as registry:
        yield registry


@pytest.fixture
async def registry(shared_registry: Registry) -> AsyncIterator[Registry]:
    yield shared_registry
    await shared_registry.restore()


@contextlib.asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Registry]:
    key = load_or_create(place.folder / "login.key")
    now = SYSTEM.now()
    hashed = hash_password(PASSWORD)

    def login(name: str, organisation: int) -> CredentialIssued:
        return CredentialIssued(
            credential=login_key(key, name),
            organisation=organisation,
            scopes=("deposit",),
            password_hash=hashed,
            version=1,
        )

    def token(text: str, until_: timedelta) -> CredentialIssued:
        return CredentialIssued(
            credential=token_key(text),
            organisation=500,
            scopes=("plus",),
            valid_from=AT,
            valid_until=now + until_,
            version=1,
        )

    def basic(name: str) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(name, PASSWORD)}

    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
        aiohttp.ClientSession() as session,
    ):
        await accounts.say(
            OrganisationRegistered(organisation=OWNER, name="Press", registered_at=AT, version=1),
            *(assigned(prefix, setting, 1) for prefix, setting in SETTINGS.items()),
            *(assigned(prefix, "open", 1, owner=OTHER) for prefix in GIVEN_AWAY),
            assigned(TAKER, "closed", 1),
            login("owner", OWNER),
            login("other", OTHER),
            token("plus", timedelta(hours=1)),
            token("lapsed", timedelta(hours=-1)),
        )
        await deposits.say(
            TitleRegistered(subject=TITLE, name="On Things", owner_prefix="10.6100", version=1),
            # One of its works belongs to its owner whatever becomes of the title.
            WorkOwnerAssigned(subject="10.6100/kept", owner_prefix="10.6100", version=1),
        )
        works = [
            *(work(f"{prefix}/{n}") for prefix in SETTINGS for n in range(3)),
            work("10.6000/moved"),
            work("10.7777/unowned"),
            work("10.6100/untitled", "journal:none"),
            *(work(doi, TITLE) for doi in IN_TITLE),
            work("10.6100/kept", TITLE),
            *(work(f"10.6200/{n}") for n in range(3)),
        ]
        await deposits.say(*works)
        registry = Registry(
            running,
            accounts,
            deposits,
            {
                "anonymous": {},
                "plus": {"Crossref-Plus-API-Token": "Bearer plus"},
                "expired plus": {"Crossref-Plus-API-Token": "Bearer lapsed"},
                "owner": basic("owner"),
                "other member": basic("other"),
                "operator": OPERATOR,
            },
            session,
        )

        async def complete() -> bool:
            _, listed, _ = await registry.ask("anonymous", "/works?rows=0")
            stored = [
                (await registry.ask("anonymous", f"/works/{prefix}/2"))[0] == 200
                for prefix in (*SETTINGS,)
            ]
            total = f'"total-results":{len(works)}'.encode()
            return total in listed and all(stored)

        await until(complete, within=30, what="all works indexed and stored")
        yield registry


def filled(path: str, prefix: str) -> str:
    doi = f"{prefix}/0"
    return path.format(doi=doi, DOI=doi.replace("/", "%2F"), prefix=prefix)


async def leaks(registry: Registry, settings: Mapping[str, str | None]) -> list[str]:
    """Ask everything as everybody; return what differs from what the policy says."""
    wrong = []
    for prefix, setting in settings.items():
        for caller in CALLERS:
            may = caller in SEEN_BY[setting]
            for path in (*SINGLES, *LISTS):
                status, body, headers = await registry.ask(caller, filled(path, prefix))
                seen = SECRET.encode() in body
                counted = b'"references-count":1' in body or "select=reference" in path
                told = b'"references-withheld"' in body
                if status != 200 or seen is not may or told is may or not counted:
                    wrong.append(f"{caller} {setting} {path}: {status} seen={seen} told={told}")
                if (
                    headers["Cache-Control"] != "private, no-cache"
                    or "Authorization" not in headers["Vary"]
                ):
                    wrong.append(f"{caller} {setting} {path}: may be cached")
                head = await registry.ask(caller, filled(path, prefix), "HEAD")
                if head[0] != 200 or int(head[2]["Content-Length"]) != int(
                    headers.get("Content-Length", len(body))
                ):
                    wrong.append(f"{caller} {setting} HEAD {path}: {head[2].get('Content-Length')}")
            _, body, _ = await registry.ask(caller, filled(CITING, prefix))
            if (SECRET.encode() in body) is not may:
                wrong.append(f"{caller} {setting}: relation.cites seen={not may}")
            for path in NEVER:
                _, body, _ = await registry.ask(caller, filled(path, prefix))
                if SECRET.encode() in body.replace(b'"search-terms":"Xyzzyography"', b""):
                    wrong.append(f"{caller} {setting} {path}: always private")
    return wrong


@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.clause("CRR-2")
@pytest.mark.clause("CRR-5")
@pytest.mark.clause("CRR-6")
@pytest.mark.clause("CRR-7")
@pytest.mark.clause("CRR-14")
async def test_no_route_shows_anybody_more_or_less_than_the_setting_says(
    registry: Registry,
) -> None:
    assert await leaks(registry, SETTINGS) == []


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_every_route_cursor_and_validator_obeys_the_new_setting(
    registry: Registry,
) -> None:
    path = "/works?filter=prefix:10.5003&rows=1&cursor="
    _, first, _ = await registry.ask("anonymous", path + "*")
    _, _, shown = await registry.ask("anonymous", "/works/10.5003/0")
    assert SECRET.encode() in first
    cursor = _json(first)["message"]["next-cursor"]
    # Each setting moves on by one: open becomes closed, and so on.
    moved = {"10.5001": "open", "10.5002": "closed", "10.5003": "closed", "10.5004": "open"}
    for prefix, setting in moved.items():
        await registry.prefer(prefix, setting)

    async def obeyed() -> bool:
        _, a, _ = await registry.ask("anonymous", "/works/10.5004/0")
        return SECRET.encode() in a

    await until(obeyed, within=5)
    _, second, _ = await registry.ask("anonymous", path + cursor)
    assert SECRET.encode() not in second
    assert _json(second)["message"]["items"][0]["references-withheld"]["reason"] == "closed"
    status, body, hidden = await registry.ask(
        "anonymous", "/works/10.5003/0", **{"If-None-Match": shown["ETag"]}
    )
    assert (status, SECRET.encode() in body) == (200, False)
    assert hidden["ETag"] != shown["ETag"]
    again = {"If-None-Match": hidden["ETag"]}
    assert (await registry.ask("anonymous", "/works/10.5003/0", **again))[0] == 304
    assert (await registry.ask("owner", "/works/10.5003/0", **again))[0] == 200
    assert await leaks(registry, moved) == []


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something that goes from OTHER, with open references, to OWNER, with closed ones."""

    says: Callable[[Registry, str, int], Any]
    works: tuple[str, ...]
    former: str  # the owner prefix of before
    stays: str = "10.6100/kept"


def of_title(registry: Registry, owner: str, version: int) -> Any:
    event = TitleTransferred(subject=TITLE, name="T", owner_prefix=owner, version=version)
    return registry.deposits.say(event)


def of_work(registry: Registry, owner: str, version: int) -> Any:
    event = WorkOwnerAssigned(subject="10.6000/moved", owner_prefix=owner, version=version)
    return registry.deposits.say(event)


def of_prefix(registry: Registry, owner: str, version: int) -> Any:
    event = PrefixTransferred(
        prefix="10.6200",
        owner=OWNER if owner == TAKER else OTHER,
        owner_name="Press",
        setting="closed" if owner == TAKER else "open",
        assigned_at=AT,
        version=version,
    )
    return registry.accounts.say(event)


TRANSFERS: Final[Mapping[str, Transfer]] = {
    "title": Transfer(of_title, IN_TITLE, "10.6100"),
    "work": Transfer(of_work, ("10.6000/moved",), "10.6000"),
    "prefix": Transfer(of_prefix, tuple(f"10.6200/{n}" for n in range(3)), "10.6200"),
}
LOST: Final = ("anonymous", "plus", "other member")  # who may not see what OWNER closed
SECONDS: Final = 1.0  # after which every outlet obeys


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw, asked at a moment of the monotonic clock."""

    began: float
    caller: str
    path: str
    status: int
    dois: frozenset[str]


async def hammer(
    registry: Registry,
    paths: Sequence[tuple[str, Mapping[str, str]]],
    done: asyncio.Event,
    *,
    caller: str,
    works: Sequence[str],
    seen: list[Seen],
) -> None:
    """Ask ``paths`` with their headers over and over; note whose references were shown when."""
    while not done.is_set():
        for path, headers in paths:
            began = SYSTEM.monotonic()
            status, body, _ = await registry.ask(caller, path, **headers)
            shown = frozenset(doi for doi in works if f"{SECRET} in {doi} ".encode() in body)
            seen.append(Seen(began, caller, path, status, shown))


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
@pytest.mark.parametrize("kind", TRANSFERS)
async def test_a_second_after_a_transfer_nobody_sees_what_its_new_owner_closed_under_load(
    registry: Registry, kind: str
) -> None:
    given = TRANSFERS[kind]
    first = given.works[0]
    listing = f"/works?filter=prefix:{given.former}&rows=2&cursor="
    _, page, _ = await registry.ask("anonymous", listing + "*")
    _, body, shown = await registry.ask("anonymous", f"/works/{first}")
    assert SECRET.encode() in body
    paths: list[tuple[str, Mapping[str, str]]] = [
        *((path, {}) for path in (f"/works/{doi}" for doi in given.works[:3])),
        (f"/works/{first}", {"If-None-Match": shown["ETag"]}),
        (listing + _json(page)["message"]["next-cursor"], {}),
        (f"/prefixes/{given.former}/works?rows=50", {}),
        (f"/prefixes/{TAKER}/works?rows=50&select=DOI,reference", {}),
        ("/members/99/works?rows=50", {}),
        ("/members/78/works?rows=50&sort=created", {}),
        (f"/works?filter=doi:{first}", {}),
        ("/works?query=measured&rows=50", {}),
    ]
    done = asyncio.Event()
    answers: list[Seen] = []

    async def all_see_it() -> bool:
        return {one.caller for one in answers if one.dois} == set(LOST)

    async with asyncio.TaskGroup() as group:
        for caller in LOST:
            group.create_task(
                hammer(registry, paths, done, caller=caller, works=given.works, seen=answers)
            )
        await until(all_see_it, what="everybody sees the references of before")
        await given.says(registry, TAKER, 2)
        in_topic = SYSTEM.monotonic()

        async def listed_anew() -> bool:
            ago = SYSTEM.monotonic() - in_topic
            return ago > 2 * SECONDS and await _listed(registry, given.works, owner=OWNER)

        await until(listed_anew, within=30, what="lists follow the owner")
        done.set()
    late = [one for one in answers if one.began > in_topic + SECONDS]
    assert len(late) > len(paths)
    assert [one for one in late if one.dois] == []
    # The validator of the time before is not confirmed any more.
    assert {one.status for one in late} == {200}
    _, body, _ = await registry.ask("owner", f"/works/{first}")
    assert SECRET.encode() in body
    assert _json(body)["message"]["member"] == str(OWNER)
    if kind == "title":
        _, kept, _ = await registry.ask("anonymous", f"/works/{given.stays}")
        assert SECRET.encode() in kept
    await given.says(registry, given.former, 3)

    async def back() -> bool:
        again = SECRET.encode() in (await registry.ask("anonymous", f"/works/{first}"))[1]
        return again and await _listed(registry, given.works, owner=OTHER)

    await until(back, within=30, what="given back")


async def _listed(registry: Registry, works: Sequence[str], *, owner: int) -> bool:
    """Whether lists and counts by owner have these works, and not the other owner's lists."""
    named = ",".join(f"doi:{doi}" for doi in works)
    totals = {}
    for member in (OWNER, OTHER):
        _, body, _ = await registry.ask(
            "anonymous", f"/members/{member}/works?rows=0&filter={named}"
        )
        totals[member] = _json(body)["message"]["total-results"]
    return totals == {OWNER: 0, OTHER: 0} | {owner: len(works)}


@pytest.mark.law("L3")
@pytest.mark.parametrize("doi", ["10.7777/unowned", "10.6100/untitled"])
async def test_an_unknown_owner_shows_nobody_anything(registry: Registry, doi: str) -> None:
    """Of a prefix that nobody has, or of a title that nothing is known of (its prefix is open)."""
    for caller in CALLERS:
        status, body, _ = await registry.ask(caller, f"/works/{doi}")
        assert (status, SECRET.encode() in body) == (200, False)
        assert _json(body)["message"]["references-withheld"] == {"reason": "unknown-owner"}


@pytest.mark.law("L3")
async def test_stale_knowledge_shows_nobody_anything_and_recovers(registry: Registry) -> None:
    registry.accounts.marking = False

    async def stale() -> bool:
        _, body, _ = await registry.ask("anonymous", "/works/10.5003/0")
        return b"knowledge-stale" in body

    await until(stale, within=10, what="knowledge older than its bound")
    for path in SINGLES:
        status, body, headers = await registry.ask("anonymous", filled(path, "10.5003"))
        assert (status, SECRET.encode() in body) == (200, False)
        assert headers["Cache-Control"] == "no-store"
    for path in LISTS:
        status, body, headers = await registry.ask("anonymous", filled(path, "10.5003"))
        assert (status, SECRET.encode() in body) == (503, False)
        assert int(headers["Retry-After"]) > 0
    assert (await registry.ask("anonymous", "/works?select=DOI"))[0] == 200
    assert (await registry.ask("anonymous", "/works?rows=0"))[0] == 200
    # Who shows a credential cannot be recognised either.
    for caller in ("plus", "owner"):
        status, body, _ = await registry.ask(caller, "/works/10.5003/0")
        assert (status, SECRET.encode() in body) == (503, False)
    registry.accounts.marking = True

    async def fresh() -> bool:
        return SECRET.encode() in (await registry.ask("anonymous", "/works/10.5003/0"))[1]

    await until(fresh, within=10)


def _json(body: bytes) -> Any:
    return orjson.loads(body)
