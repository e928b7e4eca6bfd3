"""Rebuilding in tests: the command as a process, and readers who notice whatever goes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

from services.distribution.projections import WORKS, counted_of
from services.distribution.rebuild.comparing import differs
from services.distribution.rebuild.pointer import Pointer, ReadModels, called
from shared.events import OrganisationRegistered, PrefixAssigned, ReferencePreferenceSet
from shared.events.deposits import WorkRegistered, WorkUpdated
from shared.mongo import Database, connect
from shared.runtime.clock import SYSTEM
from tests import nursery
from tests.events import AT, Voice
from tests.processes import Place, Running, until

OPEN, CLOSED = "10.5555", "10.6666"
HUB: Final = f"{OPEN}/hub"
SECRET: Final = "Xyzzyography"
OBEYED_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.05


@dataclass(slots=True)
class Press:
    """A member who deposits ever newer versions, each citing the hub, and changes its mind."""

    accounts: Voice
    deposits: Voice
    versions: dict[str, int] = field(default_factory=dict)
    flips: int = 1
    closed_since: float | None = None  # on the clock of this process, while OPEN is closed

    async def enter(self, works: int) -> None:
        """Enter the member, an open and a closed prefix, and works."""
        await self.accounts.say(
            OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
            *(
                self._prefix(PrefixAssigned, one, 1, s)
                for one, s in ((OPEN, "open"), (CLOSED, "closed"))
            ),
        )
        await self.deposit(HUB, *(f"{OPEN}/{n}" for n in range(works)), f"{CLOSED}/0")

    async def deposit(self, *dois: str) -> None:
        """Deposit works, new ones or again."""
        said = []
        for doi in dois:
            version = self.versions[doi] = self.versions.get(doi, 0) + 1
            said.append(work(doi, version))
        await self.deposits.say(*said)

    async def flip(self) -> None:
        """Close what is open, or open what is closed."""
        self.flips += 1
        closes = self.flips % 2 == 0
        if not closes:
            self.closed_since = None
        await self.accounts.say(
            self._prefix(ReferencePreferenceSet, OPEN, self.flips, "closed" if closes else "open")
        )
        if closes:
            self.closed_since = SYSTEM.monotonic()

    def _prefix(self, kind: Any, prefix: str, version: int, setting: str) -> Any:
        return kind(
            prefix=prefix,
            owner=78,
            owner_name="Press",
            setting=setting,
            assigned_at=AT,
            version=version,
        )


def work(doi: str, version: int) -> Any:
    """Return a version of a work that cites the hub."""
    return (WorkRegistered if version == 1 else WorkUpdated)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        work={
            "type": "journal-article",
            "title": [f"Version {version}"],
            "DOI": doi,
            "reference": [{"key": SECRET, "DOI": HUB}],
            "references-count": 1,
            "reference-count": 1,
        },
    )


@dataclass(slots=True)
class Readers:
    """Who reads all the time: by key, by list; and what they saw last."""

    session: aiohttp.ClientSession
    url: str
    press: Press
    seen: dict[str, int] = field(default_factory=dict)
    cited: dict[str, int] = field(default_factory=dict)
    listed: int = 0
    shown: set[str] = field(default_factory=set)
    looks: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Read until done; raises AssertionError for whatever goes back or leaks."""
        while not self.done.is_set():
            for doi in list(self.press.versions)[self.looks % 5 :: 5]:
                await self._one(doi)
            await self._list()
            self.looks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.done.wait(), PAUSE_SECONDS)

    async def _one(self, doi: str) -> None:
        closed, flips = self._closed(doi), self.press.flips
        async with self.session.get(f"{self.url}/works/{doi}") as answer:
            text = await answer.read()
        if doi not in self.seen and answer.status == 404:
            return
        assert answer.status == 200, (doi, answer.status, text[:200])
        self._take(doi, orjson.loads(text)["message"], closed=closed, flips=flips)

    async def _list(self) -> None:
        closed, flips = self._closed(f"{OPEN}/0"), self.press.flips
        asked = "/works?rows=200&sort=created&order=asc"
        async with self.session.get(self.url + asked) as answer:
            text = await answer.read()
        assert answer.status == 200, (answer.status, text[:200])
        message = orjson.loads(text)["message"]
        assert message["total-results"] >= self.listed
        self.listed = message["total-results"]
        found = {one["DOI"]: one for one in message["items"]}
        assert found.keys() >= self.shown, self.shown - found.keys()
        self.shown |= found.keys()
        for doi, one in found.items():
            self._take(doi, one, closed=closed or doi.startswith(CLOSED), flips=flips)

    def _closed(self, doi: str) -> bool:
        """Whether references must not be seen in what is asked for from now on."""
        since = self.press.closed_since
        obeyed = since is not None and SYSTEM.monotonic() - since > OBEYED_SECONDS
        return doi.startswith(CLOSED) or obeyed

    def _take(self, doi: str, one: dict[str, Any], *, closed: bool, flips: int) -> None:
        # Opened while it was asked for, maybe closed again since: then it may show them.
        if closed and (doi.startswith(CLOSED) or self.press.flips == flips):
            assert "reference" not in one, doi
        version = int(one["title"][0].removeprefix("Version "))
        assert version >= self.seen.get(doi, 0), (doi, version, self.seen[doi])
        assert one["is-referenced-by-count"] >= self.cited.get(doi, 0), doi
        self.seen[doi], self.cited[doi] = version, one["is-referenced-by-count"]


@contextlib.asynccontextmanager
async def reading(running: Running, press: Press) -> AsyncIterator[Readers]:
    """Have readers look all the time while the block runs."""
    async with aiohttp.ClientSession() as session:
        readers = Readers(session, running.url, press)

        async def all_there() -> bool:
            async with session.get(running.url + "/works?rows=0") as answer:
                if answer.status != 200:
                    return False
                said = orjson.loads(await answer.read())["message"]
            return bool(said["total-results"] == len(press.versions))

        await until(all_there, within=60, what="the works listed")
        async with asyncio.TaskGroup() as group:
            group.create_task(readers.read())
            try:
                yield readers
            finally:
                readers.done.set()


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command ended, and what it said."""

    status: int
    said: str


async def rebuild(place: Place, *arguments: str, within: float = 90, **more: str) -> Ran:
    """Run the command to its end."""
    log = place.folder / "rebuild.log"
    log.write_text("")
    environment = place.environment("distribution") | {"REPLICA": "one"} | more
    process = nursery.start(
        "services.distribution.rebuild", arguments, environment=environment, log=log
    )
    try:
        async with asyncio.timeout(within):
            status = await process.wait()
    finally:
        process.kill()
    return Ran(status, log.read_text())


@contextlib.asynccontextmanager
async def models_of(place: Place) -> AsyncIterator[ReadModels]:
    """Open the read models of a place."""
    name = place.name.replace(".", "_") + "distribution"
    async with connect(place.mongodb_url, name) as database:
        yield ReadModels(database)


async def alike(models: ReadModels) -> Pointer:
    """Wait until the generations that are written hold the same; return the pointer.

    But for the counts of one that is kept: they rest until it is wanted again.
    """
    pointer = await models.fresh()

    async def same() -> bool:
        held = [await documents(models.database, called(WORKS, one)) for one in pointer.written]
        return all(
            one.keys() == held[0].keys()
            and not any(
                differs({**one[key], **counted_of(held[0][key])}, held[0][key]) for key in one
            )
            for one in held
        )

    await until(same, within=30, what="the generations alike")
    return pointer


async def documents(database: Database, name: str) -> dict[str, Any]:
    """Return a collection by key."""
    return {one["_id"]: one for one in await database[name].find({}).to_list(None)}
