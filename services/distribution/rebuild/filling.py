"""Filling a generation with what the log holds: guarded, so what comes live may come before it.

It ends where the log ended after everything was read that was there at the beginning. A record that
compaction took away meanwhile has a newer one of its key behind it, and that one is read, or is
written by the projector, which knows of the generation since before the beginning.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.distribution.citations import KEYS, Pace
from services.distribution.projections import COUNTED, TABLE, WORKS
from services.distribution.rebuild.insisting import insist
from services.distribution.rebuild.pointer import MODELS, called, naming
from services.distribution.rebuild.source import Page, Positions, Source, ahead, reached
from shared.events import Received
from shared.mongo import Database, Put, Write, apply_writes, faults
from shared.mongo.guarded import collapse
from shared.mongo.projecting import projected
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.log import get_log

log = get_log(__name__)

Told = Callable[[Page], Awaitable[None]]

FULL: Final = 200  # writes at a time where nobody is waited for


async def no_rest(_seconds: float) -> None:
    """Go on at once."""


def pace_of(*, gentle: bool, clock: Clock = SYSTEM) -> Pace:
    """Return how much is asked of the store at once.

    Gently, it is slices of a twentieth of a second with rests as long; else no rests.
    """
    if gentle:
        return Pace(clock)
    return Pace(clock, size=FULL, rest=no_rest, slice_seconds=float("inf"))


@dataclass(slots=True)
class Filling:
    """Brings one generation up to the log.

    Counts are taken over from the live one, as a guess that saves writing them afterwards: all are
    counted when the generation is full. ``behind`` is for a generation that was live before and
    misses only what is under way: its counts are due as they are in a live one.
    """

    database: Database
    live: int
    generation: int
    source: Source
    pace: Pace
    behind: bool = False
    unreadable: int = 0

    async def run(self, start: Positions, told: Told) -> Positions:
        """Write what follows ``start``; returns below which positions everything is there now."""
        ends, last = await insist(self.source.ends), False
        async with ahead(self.source.pages(start)) as pages:
            async for page in pages:
                await self._write(page.received)
                self.unreadable += page.unreadable
                await told(page)
                while reached(page.positions, ends):
                    if last:
                        return page.positions
                    ends, last = await insist(self.source.ends), True
        raise Transient("told to stop")

    async def _write(self, received: Sequence[Received]) -> None:
        found, left_out = writes_of(received)
        self.unreadable += left_out
        writes = [write for newest in collapse(found).values() for write in newest.values()]
        for some in self.pace.slices(writes):
            await insist(lambda some=some: self.pace.spend(self._apply(some)))  # type: ignore[misc]

    async def _apply(self, writes: Sequence[Write]) -> None:
        """Write a slice; what the store refuses for good is found write by write and left out.

        The projector parks it, so that the live generation does not have it either.
        """
        into = (naming(self.generation),)
        try:
            writes = await (self._newer(writes) if self.behind else self._guessed(writes))
            await apply_writes(self.database, writes, into=into, filling=not self.behind)
        except Transient:
            raise
        except Exception as fault:  # noqa: BLE001  (found below, write by write)
            if len(writes) == 1:
                self.unreadable += 1
                _say_left_out(fault)
                return
            for write in writes:
                await self._apply([write])

    async def _guessed(self, writes: Sequence[Write]) -> list[Write]:
        """Add what is counted of works in the live generation."""
        held = await self._held(self.live, writes, COUNTED, models=(WORKS,))
        return [
            replace(one, fields={**one.fields, **held[one.collection, one.key]})
            if isinstance(one, Put) and (one.collection, one.key) in held
            else one
            for one in writes
        ]

    async def _newer(self, writes: Sequence[Write]) -> list[Write]:
        """Leave out what is there already, which is most: a look costs less than a refusal."""
        held = await self._held(self.generation, writes, ("v",), models=MODELS)
        there = {key: one.get("v", 0) for key, one in held.items()}
        return [one for one in writes if there.get((one.collection, one.key), 0) < one.version]

    async def _held(
        self,
        generation: int,
        writes: Sequence[Write],
        names: Collection[str],
        *,
        models: Sequence[str],
    ) -> dict[tuple[str, Any], dict[str, Any]]:
        """Return some fields, where it has them, of each document that a generation holds."""
        held: dict[tuple[str, Any], dict[str, Any]] = {}
        for model in models:
            keys = [write.key for write in writes if write.collection == model]
            collection = self.database[called(model, generation)]
            for start in range(0, len(keys), KEYS):
                asked = {"_id": {"$in": keys[start : start + KEYS]}}
                with faults():
                    found = await collection.find(asked, dict.fromkeys(names, 1)).to_list(None)
                held |= {
                    (model, one["_id"]): {name: one[name] for name in names if name in one}
                    for one in found
                }
        return held


def writes_of(received: Sequence[Received]) -> tuple[list[Write], int]:
    """Return the writes of a page, and how many records no projection can be made of."""
    try:
        return projected(TABLE, received), 0
    except Exception as fault:  # noqa: BLE001  (as the consumer loop: found record by record)
        if len(received) == 1:
            _say_left_out(fault)
            return [], 1
    pairs = [writes_of([one]) for one in received]
    return [write for writes, _ in pairs for write in writes], sum(n for _, n in pairs)


def _say_left_out(fault: Exception) -> None:
    log.warning("record left out of the rebuild", reason=type(fault).__name__)
