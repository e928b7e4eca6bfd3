"""The leak matrix: every way to ask x every setting x every kind of caller (laws L3, L4).

Every way is a row of tests/probes.py. Before, during and after a flip, a transfer, the end of an
agreement, and a deposit that removes references. One process answers all tests; each leaves the
preferences as it found them.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest

from shared.events import (
    CredentialIssued,
    PrefixTransferred,
    TitleTransferred,
    WorkOwnerAssigned,
    WorkUpdated,
)
from shared.privacy.passwords import token_key
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.conftest import own_topics
from tests.events import AT
from tests.leaking import (
    CALLERS,
    IN_TITLE,
    ISSNS,
    OTHER,
    OWNER,
    REDEPOSITED,
    REFERENCES,
    SECRET,
    SETTINGS,
    TAKER,
    TITLE,
    Registry,
    opened,
    work,
)
from tests.platform import Platform
from tests.probes import NOBODY, PROBES, Given, Probe
from tests.processes import Place, until
from tests.striking import some_of

GUARDED: Final = tuple(one for one in PROBES if one.who is not NOBODY)
CARRYING: Final = ("reference", "relation")
COUNTED: Final = f'"references-count":{REFERENCES}'.encode()
SINGLES: Final = tuple(
    one.path
    for one in PROBES
    if one.states and one.path.startswith(("/works/", "/v1/works/{", "/v1.0"))
)
LISTS: Final = tuple(one.path for one in PROBES if one.states and one.path not in SINGLES)


@pytest.fixture(scope="module")
async def shared_registry(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    folder = tmp_path_factory.mktemp("leaks")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with own_topics(platform.kafka_bootstrap, name), opened(place) as registry:
        yield registry


@pytest.fixture
async def registry(shared_registry: Registry) -> AsyncIterator[Registry]:
    yield shared_registry
    await shared_registry.restore()


def filled(path: str, prefix: str) -> str:
    doi = f"{prefix}/0"
    return path.format(doi=doi, DOI=doi.replace("/", "%2F"), prefix=prefix)


async def leaks(
    registry: Registry, settings: Mapping[str, str | None], probes: Sequence[Probe] = PROBES
) -> list[str]:
    """Ask everything as everybody; return what differs from what the policy says."""
    wrong = []
    for prefix, setting in settings.items():
        for probe in probes:
            validators: dict[bool, set[str]] = defaultdict(set)
            asked = (probe.ask(registry, caller, f"{prefix}/0", prefix) for caller in CALLERS)
            for caller, given in zip(CALLERS, await asyncio.gather(*asked), strict=True):
                may = caller in probe.who[setting]
                seen = probe.shows(given, *probe.planted(f"{prefix}/0"))
                found = [*amiss(probe, given, caller, may=may, seen=seen)]
                # Some see, some do not; a feed names where the log is, which moves on.
                if probe.fetch is None and setting == "limited" and probe.outlet != "feeds":
                    target = probe.filled(f"{prefix}/0", prefix)
                    head = await registry.ask(caller, target, "HEAD", **probe.headers)
                    found += amiss_head(given, head[0], head[2])
                wrong += [f"{caller} {setting} {probe.outlet} {probe.path}: {it}" for it in found]
                one_work = probe.who is not NOBODY and not probe.others
                if "ETag" in given.headers and one_work:
                    validators[may].add(given.headers["ETag"])
            if validators[True] & validators[False]:
                wrong.append(f"{setting} {probe.path}: one validator for what differs")
    return wrong


def amiss(probe: Probe, given: Given, caller: str, *, may: bool, seen: bool) -> Sequence[str]:
    """Return what is wrong with an answer to somebody who may see references, or may not."""
    found = []
    if (given.status == 200) is (caller in probe.refused) or given.status >= 500:
        found.append(f"answered {given.status}")
    if seen is not may:
        found.append("leaks" if not may else "withholds")
    if probe.states and probe.told(given) is may:
        found.append("says withheld" if may else "does not say that it withholds")
    if probe.states and COUNTED not in given.body and "select=reference" not in probe.path:
        found.append("does not count")
    if probe.who is not NOBODY and given.status == 200:
        kept = given.headers.get("Cache-Control")
        if kept not in {
            "private, no-cache",
            "no-store",
        } or "Authorization" not in given.headers.get("Vary", ""):
            found.append("may be cached")
    return found


def amiss_head(given: Given, status: int, headers: Mapping[str, str]) -> Sequence[str]:
    """Return what is wrong with the answer to HEAD beside that to GET."""
    length = given.headers.get("Content-Length", str(len(given.body)))
    if status != given.status or headers.get("Content-Length", length) != length:
        return [f"HEAD differs: {status}, {headers.get('Content-Length')} for {length}"]
    return []


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
    wrong = await leaks(registry, SETTINGS)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_after_a_flip_every_route_cursor_and_validator_obeys_the_new_setting(
    registry: Registry,
) -> None:
    path = "/works?filter=prefix:10.5003&rows=1&cursor="
    _, first, _ = await registry.ask("anonymous", path + "*")
    _, _, shown = await registry.ask("anonymous", "/works/10.5003/0")
    assert SECRET.encode() in first
    cursor = orjson.loads(first)["message"]["next-cursor"]
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
    assert orjson.loads(second)["message"]["items"][0]["references-withheld"]["reason"] == "closed"
    status, body, hidden = await registry.ask(
        "anonymous", "/works/10.5003/0", **{"If-None-Match": shown["ETag"]}
    )
    assert (status, SECRET.encode() in body) == (200, False)
    assert hidden["ETag"] != shown["ETag"]
    again = {"If-None-Match": hidden["ETag"]}
    assert (await registry.ask("anonymous", "/works/10.5003/0", **again))[0] == 304
    assert (await registry.ask("owner", "/works/10.5003/0", **again))[0] == 200
    wrong = await leaks(registry, moved, GUARDED)
    assert wrong == [], "\n".join(wrong)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something that goes from OTHER, with open references, to OWNER, with closed ones."""

    says: Callable[[Registry, str, int], Any]
    works: tuple[str, ...]
    former: str  # the owner prefix of before
    stays: str = "10.6100/kept"


def of_title(registry: Registry, owner: str, version: int) -> Any:
    event = TitleTransferred(
        subject=TITLE, name="T", issns=ISSNS, owner_prefix=owner, version=version
    )
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
    probe: Probe
    status: int
    dois: frozenset[str]

    @property
    def answered(self) -> bool:
        """Whether it was no error: a harvester may be refused, a reader of REST never."""
        return self.status == 200 or (bool(self.probe.refused) and self.status in {401, 403})


@dataclass(frozen=True, slots=True)
class Ask:
    """A probe about one work, with headers of its own."""

    probe: Probe
    doi: str
    prefix: str
    headers: Mapping[str, str] = field(default_factory=dict)


def plain(path: str, **headers: str) -> Ask:
    """Return a plain request of the REST interface."""
    return Ask(Probe("rest", path), "", "", headers)


def everywhere(doi: str, prefix: str) -> list[Ask]:
    """Return every probe that may show references at all, about one work."""
    return [Ask(one, doi, prefix) for one in GUARDED]


async def hammer(
    registry: Registry,
    asks: Sequence[Ask],
    done: asyncio.Event,
    *,
    caller: str,
    works: Sequence[str],
    seen: list[Seen],
) -> None:
    """Ask over and over; note whose references were shown when."""
    while not done.is_set():
        for one in asks:
            began = SYSTEM.monotonic()
            given = await one.probe.ask(registry, caller, one.doi, one.prefix, **one.headers)
            shown = frozenset(doi for doi in works if one.probe.shows(given, *one.probe.marks(doi)))
            seen.append(Seen(began, caller, one.probe, given.status, shown))


async def seen_after(
    registry: Registry,
    asks: Sequence[Ask],
    works: Sequence[str],
    change: Callable[[], Awaitable[None]],
    settled: Callable[[], Awaitable[bool]],
) -> list[Seen]:
    """Change something while all who lose by it ask on; return what they saw a second later."""
    done = asyncio.Event()
    answers: list[Seen] = []

    async def all_see_it() -> bool:
        return {one.caller for one in answers if one.dois} == set(LOST)

    async with asyncio.TaskGroup() as group:
        for caller in LOST:
            group.create_task(
                hammer(registry, asks, done, caller=caller, works=works, seen=answers)
            )
        await until(all_see_it, what="everybody sees the references of before")
        await change()
        in_topic = SYSTEM.monotonic()

        async def over() -> bool:
            asked = {one.probe.path for one in answers if one.began > in_topic + SECONDS}
            return len(asked) == len({one.probe.path for one in asks}) and await settled()

        await until(over, within=30, what="all asked again, and settled")
        done.set()
    return [one for one in answers if one.began > in_topic + SECONDS]


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
@pytest.mark.parametrize("kind", some_of(tuple(TRANSFERS)))
async def test_a_second_after_a_transfer_nobody_sees_what_its_new_owner_closed_under_load(
    registry: Registry, kind: str
) -> None:
    given = TRANSFERS[kind]
    first = given.works[0]
    listing = f"/works?filter=prefix:{given.former}&rows=2&cursor="
    _, page, _ = await registry.ask("anonymous", listing + "*")
    _, body, shown = await registry.ask("anonymous", f"/works/{first}")
    assert SECRET.encode() in body
    asks = [
        *everywhere(first, given.former),
        *(plain(f"/works/{doi}") for doi in given.works[1:3]),
        plain(f"/works/{first}", **{"If-None-Match": shown["ETag"]}),
        plain(listing + orjson.loads(page)["message"]["next-cursor"]),
        plain(f"/prefixes/{given.former}/works?rows=50"),
        plain(f"/prefixes/{TAKER}/works?rows=50&select=DOI,reference"),
        plain("/members/99/works?rows=50"),
        plain("/members/78/works?rows=50&sort=created"),
        plain("/works?query=measured&rows=50"),
    ]
    late = await seen_after(
        registry,
        asks,
        given.works,
        lambda: given.says(registry, TAKER, 2),
        lambda: _listed(registry, given.works, owner=OWNER),
    )
    assert [one for one in late if one.dois] == []
    # The validator of the time before is not confirmed any more.
    assert [one for one in late if not one.answered] == []
    _, body, _ = await registry.ask("owner", f"/works/{first}")
    assert SECRET.encode() in body
    assert orjson.loads(body)["message"]["member"] == str(OWNER)
    if kind == "title":
        _, kept, _ = await registry.ask("anonymous", f"/works/{given.stays}")
        assert SECRET.encode() in kept
    await given.says(registry, given.former, 3)

    async def back() -> bool:
        again = SECRET.encode() in (await registry.ask("anonymous", f"/works/{first}"))[1]
        return again and await _listed(registry, given.works, owner=OTHER)

    await until(back, within=30, what="given back")


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_a_second_after_a_flip_under_load_no_outlet_shows_what_was_closed(
    registry: Registry,
) -> None:
    works = [f"10.5003/{n}" for n in range(3)]
    late = await seen_after(
        registry,
        everywhere(works[0], "10.5003"),
        works,
        lambda: registry.prefer("10.5003", "closed"),
        _true,
    )
    assert [one for one in late if one.dois] == []
    assert [one for one in late if not one.answered] == []
    await registry.prefer("10.5003", "open")
    opened_at = SYSTEM.monotonic()
    withheld: list[str] = []
    left = [
        (one, caller)
        for one in everywhere(works[0], "10.5003")
        for caller in LOST
        if caller in one.probe.who["open"]
    ]

    async def shown_everywhere() -> bool:
        for asked in tuple(left):
            one, caller = asked
            late = SYSTEM.monotonic() - opened_at > 10 * SECONDS
            answer = await one.probe.ask(registry, caller, one.doi, one.prefix)
            shown = one.probe.shows(answer, *one.probe.planted(works[0]))
            if shown or late:
                left.remove(asked)
            if late and not shown:
                withheld.append(one.probe.path)
        return not left

    await until(shown_everywhere, within=90, what="open again everywhere")  # some hundred asks
    assert withheld == []


async def _true() -> bool:
    return True


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-6")
async def test_when_an_agreement_ends_its_token_shows_what_the_public_sees(
    registry: Registry,
) -> None:
    """By its time, without another word; and at once where it is revoked."""
    registry.headers["ending"] = {"Crossref-Plus-API-Token": "Bearer ending"}
    registry.headers["revoked"] = {"Crossref-Plus-API-Token": "Bearer revoked"}

    def token(name: str, **more: Any) -> CredentialIssued:
        return CredentialIssued(
            credential=token_key(name), organisation=500, scopes=("plus",), valid_from=AT, **more
        )

    await registry.accounts.say(token("ending", version=1), token("revoked", version=1))
    limited = everywhere("10.5002/0", "10.5002")
    asks = [one for one in limited if "plus" in one.probe.who["limited"]]

    async def shown(caller: str) -> list[str]:
        return [
            one.probe.path
            for one in asks
            if one.probe.shows(
                await one.probe.ask(registry, caller, one.doi, one.prefix),
                *one.probe.planted(one.doi),
            )
        ]

    async def all_shown() -> bool:
        return len(await shown("ending")) == len(await shown("revoked")) == len(asks)

    await until(all_shown, within=30, what="the new tokens are known")
    _, body, validator = await registry.ask("ending", "/works/10.5002/0")
    assert SECRET.encode() in body
    ends = SYSTEM.now() + timedelta(seconds=1)
    await registry.accounts.say(token("ending", valid_until=ends, version=2))

    async def over() -> bool:
        return SYSTEM.now() >= ends and await shown("ending") == []

    await until(over, within=10, what="the end of the agreement")
    confirmed = {"If-None-Match": validator["ETag"]}
    assert (await registry.ask("ending", "/works/10.5002/0", **confirmed))[0] == 200
    await registry.accounts.say(token("revoked", revoked=True, version=2))

    async def refused() -> bool:
        return bool((await registry.ask("revoked", "/works/10.5002/0"))[0] == 401)

    await until(refused, within=5, what="the revoked token is refused")
    assert await shown("revoked") == []


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-11")
async def test_references_that_a_deposit_removed_are_shown_to_nobody_anywhere(
    registry: Registry,
) -> None:
    """Not even to their owner, who has no references any more."""
    doi, prefix = f"{REDEPOSITED}/removed", REDEPOSITED
    await registry.deposits.say(work(doi))
    asks = [Ask(one, doi, prefix) for one in PROBES if "prefix:{prefix}" not in one.path]

    async def showing(caller: str) -> list[str]:
        return [
            one.probe.path
            for one in [*asks, plain(f"/works?filter=prefix:{prefix}&rows=100")]
            if one.probe.shows(
                await one.probe.ask(registry, caller, one.doi, one.prefix), *one.probe.marks(doi)
            )
        ]

    async def listed() -> bool:
        return f"/works?filter=prefix:{prefix}&rows=100" in await showing("anonymous")

    await until(listed, within=20, what="registered, with its references")
    bare = work(doi)
    said = {name: value for name, value in bare.work.items() if name not in CARRYING}
    without = {**said, "references-count": 0, "reference-count": 0}
    await registry.deposits.say(WorkUpdated(**{**vars(bare), "work": without, "version": 2}))

    async def gone() -> bool:
        return not [one for caller in CALLERS for one in await showing(caller)]

    await until(gone, within=90, what="removed everywhere")  # one look asks some hundred times
    _, body, _ = await registry.ask("owner", f"/works/{doi}")
    assert orjson.loads(body)["message"]["references-count"] == 0


async def _listed(registry: Registry, works: Sequence[str], *, owner: int) -> bool:
    """Whether lists and counts by owner have these works, and not the other owner's lists."""
    named = ",".join(f"doi:{doi}" for doi in works)
    totals = {}
    for member in (OWNER, OTHER):
        _, body, _ = await registry.ask(
            "anonymous", f"/members/{member}/works?rows=0&filter={named}"
        )
        totals[member] = orjson.loads(body)["message"]["total-results"]
    return totals == {OWNER: 0, OTHER: 0} | {owner: len(works)}


@pytest.mark.law("L3")
@pytest.mark.parametrize("doi", ["10.7777/unowned", "10.6100/untitled"])
async def test_an_unknown_owner_shows_nobody_anything(registry: Registry, doi: str) -> None:
    """Of a prefix that nobody has, or of a title that nothing is known of (its prefix is open)."""
    for caller in CALLERS:
        status, body, _ = await registry.ask(caller, f"/works/{doi}")
        assert (status, SECRET.encode() in body) == (200, False)
        assert orjson.loads(body)["message"]["references-withheld"] == {"reason": "unknown-owner"}


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
    for probe in PROBES:
        given = await probe.ask(registry, "anonymous", "10.5003/0", "10.5003")
        assert not probe.shows(given), probe.path
        assert given.status in {200, 401, 406, 503}, probe.path
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
