"""One rebuild of a host's search index: built, compared, and put in the place of the old one."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.distribution.citations import Pace
from services.distribution.gate import Gate
from services.distribution.indexer import CAUGHT_UP, TOPICS, Indexer
from services.distribution.rebuild import wishes
from services.distribution.rebuild.insisting import first_of
from services.distribution.rebuild.pointer import ReadModels
from services.distribution.search import Held, SearchIndex
from services.distribution.search import folder as folders
from services.distribution.store import Works
from services.distribution.transfers import Transfers
from shared.kafka.follow import FOLLOW_FAULTS, Place, follow
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

LOOK_SECONDS: Final = 1.0
STEP_SECONDS: Final = 0.05
MOST: Final = 500  # works a commit
PAGE: Final = 500  # works compared at a time
PATIENCE: Final = 20.0  # seconds that what differs may stay so
REST_SECONDS: Final = 5.0  # that the index which answers rests for the other, at most

log = get_log(__name__)


class Stopped(Exception):
    """This rebuild is not wanted any more, or this process ends."""


@dataclass(slots=True)
class Serving:
    """What serves on this host, and who tells how far it is: ``replica``."""

    models: ReadModels
    index: SearchIndex
    indexer: Indexer
    transfers: Transfers
    gate: Gate
    works: Works
    replica: str
    patience: float = PATIENCE
    clock: Clock = SYSTEM
    pace: Pace = field(default_factory=Pace)

    @property
    def folder(self) -> Path:
        """Where the indexes are."""
        return self.index.folder


@dataclass(slots=True)
class Building:
    """One rebuild of one host."""

    of: Serving
    number: int
    draining: asyncio.Event
    refused: bool = False
    _began: float = 0.0
    _told: float = float("-inf")
    _behind: int = 0
    _caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    _word: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ended: bool = False

    async def run(self) -> None:
        """Build, compare, take over. Raises ``Stopped``, ``SearchIndexError``."""
        self._began = self.of.clock.monotonic()
        place = self.of.folder / folders.name_of(self.number)
        index = await asyncio.to_thread(self.of.index.beside, place.name)
        serving = self.of.indexer
        indexer = Indexer(
            index,
            serving.bootstrap,
            serving.owner_of,
            serving.owners_known,
            serving.prefix,
            MOST,
            withheld=serving.withheld,
        )
        transfers = Transfers(self.of.gate, self.of.works, indexer)
        try:
            async with asyncio.TaskGroup() as group:
                follower = group.create_task(self._follow(indexer))
                await self._finish(indexer, transfers)
                follower.cancel()
        except BaseExceptionGroup as faults:
            raise first_of(faults) from None
        finally:
            transfers.close()
            await asyncio.to_thread(index.close)
        if self.refused:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    async def _follow(self, indexer: Indexer) -> None:
        """Keep the other index up with the topic; a broker that is away is waited for."""
        while True:
            batches = follow(
                indexer.bootstrap,
                TOPICS,
                self.draining,
                prefix=indexer.prefix,
                start=indexer.index.offsets(),
                most=MOST,
            )
            try:
                async with contextlib.aclosing(batches):
                    async for batch in batches:
                        await self.of.pace.spend(indexer.write(batch))
                        if indexer.retired:
                            return
                        self._behind = batch.behind
                        if batch.behind <= CAUGHT_UP:
                            self._caught_up.set()
                        await self._say(indexer.index)
            except FOLLOW_FAULTS as fault:
                log.warning("following interrupted", reason=type(fault).__name__)
                await wait_any(self.draining, timeout=LOOK_SECONDS)
            if self.draining.is_set():
                raise Stopped

    async def _finish(self, indexer: Indexer, transfers: Transfers) -> None:
        await self._caught_up.wait()
        await transfers.compare()
        while True:
            differs = await self._compare(indexer.index, transfers)
            if differs:
                self.refused = True
                await self.end("refused", said=said(differs))
                return
            if await self._take_over(indexer, transfers):
                break
        self.of.transfers.look_again()
        await self.end("done")
        log.info("lists rebuilt", number=self.number, works=self.of.index.size)

    async def _compare(self, index: SearchIndex, transfers: Transfers) -> Mapping[str, str]:
        """Return what differs and stays so though both have read what either had."""
        serving = self.of.index
        open_ = await self._differing(serving, index, await self._all(serving, index))
        since, before = self.of.clock.monotonic(), open_
        while open_:
            await self._level(serving, index)
            await transfers.settle(self.draining)
            open_ = await self._differing(serving, index, list(open_))
            if open_ != before:
                since, before = self.of.clock.monotonic(), open_
            elif self.of.clock.monotonic() - since > self.of.patience:
                break
            await asyncio.sleep(LOOK_SECONDS)
        return open_

    async def _all(self, serving: SearchIndex, index: SearchIndex) -> Sequence[str]:
        shown, built = await asyncio.gather(
            asyncio.to_thread(serving.dois), asyncio.to_thread(index.dois)
        )
        return list({*shown, *built})

    async def _differing(
        self, serving: SearchIndex, index: SearchIndex, dois: Sequence[str]
    ) -> dict[str, str]:
        """Return the works that both hold in different versions or under different owners."""
        found = {}
        async for page in self._pages(dois):
            shown, built = await self.of.pace.spend(
                asyncio.to_thread(lambda page=page: (serving.held(page), index.held(page)))  # type: ignore[misc]
            )
            for doi in page:
                if shown.get(doi) != built.get(doi):
                    found[doi] = f"{_held(shown.get(doi))} live, {_held(built.get(doi))} rebuilt"
        return found

    async def _pages(self, dois: Sequence[str]) -> AsyncGenerator[Sequence[str], None]:
        for start in range(0, len(dois), PAGE):
            await self._say(self.of.index, state="comparing")
            yield dois[start : start + PAGE]

    async def _level(self, serving: SearchIndex, index: SearchIndex) -> None:
        """Wait until each has read what the other had when this was asked."""
        wanted = _most(serving.offsets(), index.offsets())
        await self._until(
            lambda: _reached(serving.offsets(), wanted) and _reached(index.offsets(), wanted)
        )

    async def _take_over(self, indexer: Indexer, transfers: Transfers) -> bool:
        """Take the place of the index that serves; False where it took too long to be as far.

        Who writes the other index is retired first, under its turn, so that nothing it has in hand
        is written afterwards: whoever goes on reads that again.
        """
        serving = self.of.indexer
        async with serving.turn:
            wanted = serving.index.offsets()
            limit = self.of.clock.monotonic() + REST_SECONDS
            await self._until(
                lambda: (
                    _reached(indexer.index.offsets(), wanted) or self.of.clock.monotonic() > limit
                )
            )
            if not _reached(indexer.index.offsets(), wanted):
                return False
            await transfers.settle(self.draining)
            async with indexer.turn:
                indexer.retired = True
                crashpoint("search.rebuilt")
                await asyncio.to_thread(
                    folders.show, self.of.folder, self.number, folders.name_of(self.number)
                )
                crashpoint("search.taken-over")
                await asyncio.to_thread(serving.index.become, indexer.index)
                return True

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.draining.is_set():
                raise Stopped
            await asyncio.sleep(STEP_SECONDS)

    async def _say(self, index: SearchIndex, state: str = "building") -> None:
        """Tell now and then how far it is, and hear whether it is still wanted."""
        if self.of.clock.monotonic() - self._told < LOOK_SECONDS:
            return
        async with self._word:
            if not self._ended:
                await self._tell(state, works=index.size)
        with contextlib.suppress(Transient):
            if await wishes.wanted(self.of.models) != self.number:
                raise Stopped

    async def end(self, state: str, **more: Any) -> None:
        """Write down how it ended: the last word, said until the store has it.

        What is on its way is waited for, or the store might have it afterwards. Draining ends this,
        too: what was not heard is said at the next start.
        """
        self._ended = True
        async with self._word:
            while not await self._tell(state, **more) and not self.draining.is_set():
                await wait_any(self.draining, timeout=LOOK_SECONDS)

    async def _tell(self, state: str, **more: Any) -> bool:
        """Write down how far this host is, for who watches; returns whether the store has it."""
        self._told = self.of.clock.monotonic()
        try:
            await wishes.tell(
                self.of.models,
                self.of.replica,
                self.number,
                state=state,
                behind=self._behind,
                seconds=self._told - self._began,
                at=self.of.clock.now(),
                **{"works": self.of.index.size} | more,
            )
        except Transient:
            return False
        return True


def said(differs: Mapping[str, str], most: int = 20) -> list[str]:
    """Return the first of what differs, a line each."""
    return [f"{doi}: {what}" for doi, what in sorted(differs.items())[:most]]


def _held(held: Held | None) -> str:
    return f"version {held.version} under {held.owner}" if held else "nothing"


def _most(one: Mapping[Place, int], other: Mapping[Place, int]) -> dict[Place, int]:
    return {p: max(one.get(p, 0), other.get(p, 0)) for p in one.keys() | other.keys()}


def _reached(offsets: Mapping[Place, int], wanted: Mapping[Place, int]) -> bool:
    return all(offsets.get(place, 0) >= offset for place, offset in wanted.items())
