"""The log as the feed reads it: its newest part held in memory, what is older read when asked for.

Most readers stand at the end, so a poll or a stream costs no question to the broker. A record is
held as what changed, some hundred bytes, not as what it says.
"""

import asyncio
import contextlib
import heapq
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from services.distribution.changes.cursor import TOPICS, places
from services.distribution.changes.entries import Entry, entry_of
from shared.kafka.ends import ends, since
from shared.kafka.follow import Batch, Place, Record, follow, keep_following
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

KEPT: Final = 4_000  # entries held of each partition
CUT: Final = 1_000  # let go at once
OLDER_AT_ONCE: Final = 4  # readers of what is not held
RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """What follows a position, in order, and where it ends; fewer than asked for: that is all."""

    entries: tuple[Entry, ...]
    positions: Mapping[Place, int]


@dataclass(slots=True)
class Tail:
    """The newest entries of every partition; ``moved`` is set, and made anew, when more came."""

    bootstrap: str
    prefix: str
    health: Health
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _held: dict[Place, list[Entry]] = field(default_factory=dict)
    _floor: dict[Place, int] = field(default_factory=dict)
    _positions: dict[Place, int] = field(default_factory=dict)
    _older: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OLDER_AT_ONCE))

    async def run(self, draining: asyncio.Event) -> None:
        """Follow the log from its present end until told to drain; then streams end."""
        while not self._positions and not draining.is_set():
            try:
                start = await ends(self.bootstrap, TOPICS, prefix=self.prefix)
                self._held = {place: [] for place in places()}
                self._floor, self._positions = dict(start), dict(start)
            except Transient as fault:
                log.warning("the feed waits for the broker", reason=str(fault))
                await wait_any(draining, timeout=RETRY_SECONDS)
        await keep_following(
            "feed",
            self.bootstrap,
            TOPICS,
            draining,
            take=self._take,
            health=self.health,
            start=lambda: self._positions,
            prefix=self.prefix,
        )
        self.closing.set()
        self._wake()

    async def present(self) -> Mapping[Place, int]:
        """Return where the log ends now. Raises ``Transient``."""
        return self._positions or await ends(self.bootstrap, TOPICS, prefix=self.prefix)

    async def at(self, milliseconds: int) -> Mapping[Place, int]:
        """Return the position of a time of the broker. Raises ``Transient``."""
        return await since(self.bootstrap, TOPICS, milliseconds, prefix=self.prefix)

    async def page(self, positions: Mapping[Place, int], most: int) -> Page:
        """Return at most so many entries that follow a position. Raises ``Transient``."""
        if self._positions and all(positions.get(p, 0) >= at for p, at in self._floor.items()):
            return self._newest(positions, most)
        async with self._older:
            return await self._read(positions, most)

    def _newest(self, positions: Mapping[Place, int], most: int) -> Page:
        found = tuple(islice(self._after(positions), most))
        if len(found) < most:
            ended = {p: max(at, positions.get(p, 0)) for p, at in self._positions.items()}
            return Page(found, ended)
        return Page(found, passed(positions, found))

    def _after(self, positions: Mapping[Place, int]) -> Iterator[Entry]:
        held = [
            islice(entries, bisect_left(entries, positions.get(p, 0), key=_offset), None)
            for p, entries in self._held.items()
            if entries and entries[-1].offset >= positions.get(p, 0)
        ]
        return heapq.merge(*held, key=_order)

    async def _read(self, positions: Mapping[Place, int], most: int) -> Page:
        batches = follow(
            self.bootstrap, TOPICS, self.closing, prefix=self.prefix, start=positions, most=most
        )
        found: list[Entry] = []
        ended = positions
        async with contextlib.aclosing(batches):
            async for batch in batches:  # each of some partitions only
                found += await asyncio.to_thread(_entries, batch)
                ended = batch.positions
                if len(found) >= most or not batch.behind:
                    break
        entries = tuple(sorted(found, key=_order))
        if len(entries) <= most:
            return Page(entries, ended)
        return Page(entries[:most], passed(positions, entries[:most]))

    async def _take(self, batch: Batch) -> None:
        for entry in await asyncio.to_thread(_entries, batch):
            held = self._held[entry.place]
            held.append(entry)
            if len(held) > KEPT:
                self._floor[entry.place] = held[CUT - 1].offset + 1
                del held[:CUT]
        # Watermarks come each second: they move positions, and nobody need be woken for them.
        self._positions = dict(batch.positions)
        if any(_is_change(place, record) for place, record in batch.records):
            self._wake()

    def _wake(self) -> None:
        self.moved.set()
        self.moved = asyncio.Event()


def passed(positions: Mapping[Place, int], entries: tuple[Entry, ...]) -> dict[Place, int]:
    """Return the position behind entries that follow one another."""
    return {**positions, **{entry.place: entry.offset + 1 for entry in entries}}


def _entries(batch: Batch) -> list[Entry]:
    found = (entry_of(place, record) for place, record in batch.records)
    return [entry for entry in found if entry is not None]


def _is_change(_place: Place, record: Record) -> bool:
    return not (record.key or b"__").startswith(b"__")


def _offset(entry: Entry) -> int:
    return entry.offset


def _order(entry: Entry) -> tuple[int, Place, int]:
    return entry.order
