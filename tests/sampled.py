"""A registry with real works in it, for clients that know nothing of us.

Where the folder of samples is beside the checkout: its works, those of its exchanges, and the
members, prefixes and journals that they name. Else the works of the demo, which are the same works
without abstracts, so that clients are tried everywhere. All references are open: the exchanges are
of a time when they were.

The service and the voices that keep its knowledge fresh run in a thread, so that tests may call
clients as their users do.
"""

import asyncio
import contextlib
import gzip
import http.client
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp

from deploy.demo import facts
from shared.events import (
    CredentialIssued,
    Event,
    OrganisationRegistered,
    PrefixAssigned,
    TitleRegistered,
    WorkOwnerAssigned,
    WorkRegistered,
)
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key, token_key
from shared.runtime.ids import new_id
from tests import funding, nursery
from tests.conftest import own_topics
from tests.events import AT, speaking
from tests.platform import Platform
from tests.processes import ROOT, Place, service, until

T = TypeVar("T")
Work = dict[str, Any]
PLUS: Final = "plus-token-of-a-test"
OWNER: Final = "owner"
PASSWORD: Final = "correct horse"
OTHERS: Final = "/works/10.5061/of-another-agency/agency"
WITHOUT_WORKS: Final = "10.4176"  # a prefix of the exchanges that has no work
OK: Final = 200
MEMBER: Final = 78  # whose login OWNER is
NOBODY: Final = 9_999  # who owns what is named without an owner


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and the answer it got."""

    name: str
    method: str
    target: str  # path and query
    headers: Mapping[str, str]
    status: int
    said: Mapping[str, str]
    body: Any

    @property
    def kind(self) -> str:
        """The message type of the answer; ``text`` where it has no envelope."""
        kind = self.body.get("message-type") if isinstance(self.body, dict) else None
        return kind or "text"

    @property
    def shows_csl(self) -> bool:
        """Whether the answer is a work as CSL JSON, which has no envelope."""
        return self.kind == "text" and isinstance(self.body, dict) and "DOI" in self.body

    @property
    def items(self) -> Sequence[Any]:
        """The items of the answer, where it is a list."""
        message = self.body.get("message") if isinstance(self.body, dict) else None
        found: Sequence[Any] = message.get("items", ()) if isinstance(message, dict) else ()
        return found


@dataclass(frozen=True, slots=True)
class Facts:
    """What a registry is to hold."""

    works: Mapping[str, Work]
    members: Mapping[int, str]
    names: Mapping[int, tuple[str, ...]]
    locations: Mapping[int, str]
    prefixes: Mapping[str, tuple[int, str]]
    journals: Mapping[str, tuple[str, tuple[str, ...], str]] = field(default_factory=dict)
    funders: funding.Rows = field(default_factory=funding.rows)

    def updated(self) -> list[str]:
        """Return the DOIs of works of which it is known here who updates them."""
        return [
            doi
            for doi, work in self.works.items()
            if any(update["DOI"] in self.works for update in work.get("updated-by", ()))
        ]

    def events(self) -> Iterator[Event]:
        """Yield what the services say of it, in the order in which they would."""
        for number, name in self.members.items():
            yield OrganisationRegistered(
                organisation=number,
                name=name,
                names=self.names.get(number, (name,)),
                location=self.locations.get(number),
                registered_at=AT,
                version=1,
            )
        for prefix, (owner, name) in self.prefixes.items():
            yield PrefixAssigned(
                prefix=prefix,
                owner=owner,
                owner_name=name,
                setting="open",
                assigned_at=AT,
                version=1,
            )

    def deposits(self) -> Iterator[Event]:
        """Yield what deposits says of titles, works and their owners."""
        subjects = {}
        for subject, (name, issns, owner) in self.journals.items():
            subjects.update(dict.fromkeys(issns, subject))
            yield TitleRegistered(
                subject=subject, name=name, issns=issns, owner_prefix=owner, version=1
            )
        for doi, work in self.works.items():
            title = next((subjects[one] for one in work.get("ISSN", ()) if one in subjects), None)
            own = doi.partition("/")[0]
            by_default = own if title is None else self.journals[title][2]
            if work["prefix"] != by_default:
                yield WorkOwnerAssigned(subject=doi, owner_prefix=work["prefix"], version=1)
            yield WorkRegistered(
                doi=doi,
                prefix=own,
                timestamp="1",
                created=_moment(work["created"]),
                deposited=_moment(work["deposited"]),
                submission="1#0",
                title=title,
                version=1,
                work={
                    **facts.expected_deposit(work),
                    "DOI": doi,
                    "references-count": len(work.get("reference", ())),
                    "reference-count": len(work.get("reference", ())),
                },
            )


def _moment(stamp: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(stamp["timestamp"] / 1000, UTC)


def exchanges(samples: Path) -> tuple[Exchange, ...]:
    """Return the recorded exchanges, by name."""
    return tuple(
        _exchange(path) for path in sorted((samples / "crossref" / "exchanges").glob("*.json"))
    )


def _exchange(path: Path) -> Exchange:
    held = json.loads(path.read_text("utf-8"))
    asked, answer = held["request"], held["response"]
    url = urlsplit(asked["uri"])
    accept = asked.get("accept", "*/*")
    return Exchange(
        name=path.stem,
        method=asked["method"],
        target=url.path + (f"?{url.query}" if url.query else ""),
        # Of a transform by path the recording keeps the path where the header would stand.
        headers={
            "Accept": accept if not accept.startswith("transform/") else "*/*",
            "User-Agent": asked["user-agent"],
            "Accept-Encoding": "gzip",
        },
        status=answer["status"],
        said=answer["headers"],
        body=answer["body"],
    )


def known(samples: Path | None) -> Facts:
    """Return the facts of the samples, of the demo where there are none."""
    if samples is None:
        return _of_works({work["DOI"]: work for work in facts.works()}, ())
    path = samples / "crossref" / "works" / "works-2026.jsonl"
    lines = path.read_text("utf-8").splitlines()
    held = exchanges(samples)
    whole = [one.body["message"] for one in held if one.kind == "work"]
    whole += [item for one in held if one.kind == "work-list" for item in one.items]
    whole += [_from_csl(one.body) for one in held if one.shows_csl]
    works = {work["DOI"]: work for work in whole if "publisher" in work}
    works |= {work["DOI"]: work for work in map(json.loads, lines)}
    return _of_works(works, held)


def _from_csl(shown: Mapping[str, Any]) -> Work:
    """Return the work of which a transform shows the first of each title, as text."""
    single = ("title", "container-title")
    titles = {name: [shown[name]] for name in single if name in shown}
    short = {"short-container-title": [shown["container-title-short"]]}
    kept = {name: value for name, value in shown.items() if name != "container-title-short"}
    return {**kept, **titles, **short, "URL": f"https://doi.org/{shown['DOI']}"}


def _of_works(works: Mapping[str, Work], held: Sequence[Exchange]) -> Facts:
    """Return the facts that works say of their owners, and those that exchanges add."""
    members: dict[int, str] = {NOBODY: "A Press Without Works"}
    names: dict[int, tuple[str, ...]] = {}
    locations: dict[int, str] = {}
    prefixes: dict[str, tuple[int, str]] = {WITHOUT_WORKS: (NOBODY, members[NOBODY])}
    for work in sorted(works.values(), key=lambda one: one["type"] != "journal-article"):
        number = int(work["member"])
        name = members.setdefault(number, work["publisher"])
        prefixes.setdefault(work["prefix"], (number, name))
    for member in _messages(held, "member", "member-list"):
        members[member["id"]] = member["primary-name"]
        names[member["id"]] = tuple(member["names"])
        if member.get("location"):
            locations[member["id"]] = member["location"]
        for one in member["prefix"]:
            prefixes[one["value"]] = (member["id"], one["name"])
    for number in _asked_for(held):
        if number not in members:  # its works are not among the samples, nor its name
            members[number] = f"Member {number}"
            prefixes[f"10.{number}"] = (number, members[number])
    journals = _journals(works, held, _publishers(held, members, prefixes))
    funders = funding.rows(one.body["message"] for one in held if one.kind == "funder")
    sorted_works = dict(sorted(works.items()))
    return Facts(sorted_works, members, names, locations, prefixes, journals, funders)


def _publishers(
    held: Sequence[Exchange], members: dict[int, str], prefixes: dict[str, tuple[int, str]]
) -> dict[str, str]:
    """Return a prefix of each publisher that a journal names; who has none yet becomes a member."""
    found = {name: prefix for prefix, (_, name) in prefixes.items()}
    for journal in _messages(held, "journal", "journal-list"):
        name = journal["publisher"]
        if name not in found:
            number = NOBODY + 1 + len(found)
            found[name], members[number] = f"10.{number}", name
            prefixes[found[name]] = (number, name)
    return found


def _asked_for(held: Sequence[Exchange]) -> Iterator[int]:
    """Yield the members that an exchange found by their number."""
    for one in held:
        named = re.match(r"/members/([0-9]+)", one.target)
        if named and one.status == OK:
            yield int(named.group(1))


def _messages(held: Sequence[Exchange], single: str, several: str) -> Iterator[Any]:
    for one in held:
        if one.kind == single:
            yield one.body["message"]
        elif one.kind == several:
            yield from one.items


def _journals(
    works: Mapping[str, Work], held: Sequence[Exchange], publishers: Mapping[str, str]
) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return each journal's name, ISSNs and owner prefix, by its subject."""
    found: dict[str, tuple[str, tuple[str, ...], str]] = {}
    taken: set[str] = set()

    def enter(name: str, issns: Sequence[str], owner: str) -> None:
        if issns and not taken & set(issns):
            taken.update(issns)
            found[f"journal:{issns[0]}"] = (name, tuple(issns), owner)

    for work in works.values():
        if work["type"] == "journal-article" and work.get("container-title"):
            enter(work["container-title"][0], work.get("ISSN", ()), work["prefix"])
    for journal in _messages(held, "journal", "journal-list"):
        enter(journal["title"], journal["ISSN"], publishers[journal["publisher"]])
    return found


# -- the registry as it runs -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, as it came."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A running registry, what it holds, and callers of each kind."""

    url: str
    held: Facts
    place: Place

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request target exactly as it is written."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, target, headers=headers)
            answer = connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            body = answer.read()
            packed = said.get("content-encoding") == "gzip" and body
            return Answer(answer.status, said, gzip.decompress(body) if packed else body)


@contextlib.asynccontextmanager
async def opened(platform: Platform, folder: Path, samples: Path | None) -> AsyncIterator[Sampled]:
    """Run a distribution over the facts of the samples until the block ends."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    held = known(samples)
    async with (
        own_topics(platform.kafka_bootstrap, name),
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place) as running,
    ):
        await accounts.say(*held.events(), *_credentials(place))
        await deposits.say(*held.deposits())
        for register in ("funders", "agencies"):
            await _imported(place, register, held)
        await _complete(running.url, held)
        yield Sampled(running.url, held, place)


def _credentials(place: Place) -> Iterator[Event]:
    key = load_or_create(place.folder / "login.key")
    yield CredentialIssued(
        credential=login_key(key, OWNER),
        organisation=MEMBER,
        scopes=("deposit",),
        password_hash=hash_password(PASSWORD),
        version=1,
    )
    yield CredentialIssued(
        credential=token_key(PLUS), organisation=500, scopes=("plus",), valid_from=AT, version=1
    )


async def _imported(place: Place, register: str, held: Facts) -> None:
    """Import a register with the operator's command."""
    file = ROOT / "deploy" / "demo" / "registers" / f"{register}.jsonl"
    if register == "funders":
        file = place.folder / file.name
        file.write_text("\n".join(funding.lines(held.funders)), "utf-8")
    process = nursery.start(
        "services.distribution.registers",
        ("import", register, str(file)),
        environment=place.environment("distribution"),
        log=place.folder / f"{register}.log",
    )
    assert await process.wait() == 0, (place.folder / f"{register}.log").read_text()


async def _complete(url: str, held: Facts) -> None:
    async with aiohttp.ClientSession() as session:

        async def message(path: str) -> Any:
            async with session.get(url + path) as answer:
                return (await answer.json())["message"] if answer.status == 200 else None

        async def listed() -> bool:
            said = await message("/works?rows=0")
            return bool(said) and bool(said["total-results"] == len(held.works))

        async def stored() -> bool:
            page = await message("/works?rows=1000")
            return bool(page) and len(page["items"]) == min(1000, len(held.works))

        async def registered() -> bool:
            funders, agency = await message("/funders?rows=0"), await message(OTHERS)
            return bool(agency) and bool(funders) and bool(funders["total-results"])

        async def told() -> bool:
            said = [await message(f"/works/{doi}") for doi in held.updated()]
            return all(one and "updated-by" in one for one in said)

        await until(listed, within=60, what="all works in the lists")
        await until(registered, within=60, what="the registers are read")
        await until(stored, within=60, what="all works in the store")
        await until(told, within=60, what="updates at the works that they update")


def in_thread(opening: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Hold something open in a thread with a loop of its own; its faults are raised here."""
    ready, done = threading.Event(), threading.Event()
    given: list[T] = []
    faults: list[BaseException] = []

    async def hold() -> None:
        async with opening() as one:
            given.append(one)
            ready.set()
            await asyncio.to_thread(done.wait)

    def run() -> None:
        try:
            asyncio.run(hold())
        except BaseException as fault:  # noqa: BLE001  (told to whoever waits)
            faults.append(fault)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="sampled registry")
    thread.start()
    ready.wait()
    try:
        if given:
            yield given[0]
    finally:
        done.set()
        thread.join()
    for fault in faults:
        raise fault
