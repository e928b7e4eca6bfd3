"""The way of a generation to its change-over, and back: a walk through the pointer's states.

Each step is done as often as it takes and changes the pointer by compare-and-set, so that a death
anywhere leaves the live generation serving and the next run going on from there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from services.distribution.citations import Pace
from services.distribution.rebuild.checking import Checking, Outcome
from services.distribution.rebuild.filling import Filling
from services.distribution.rebuild.insisting import insist
from services.distribution.rebuild.notes import Notes
from services.distribution.rebuild.pointer import NotNow, Pointer, ReadModels
from services.distribution.rebuild.source import Page, Positions, Source, between
from services.distribution.store import prepare_generation
from shared.mongo import Database
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint

PATIENCE: Final = 30.0

Tell = Callable[[str, int, int], Awaitable[None]]  # a phase, how much of it is done, of how much


async def to_nobody(_phase: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Changed:
    """How it ended: who is live, what was compared, seconds by phase, records left out."""

    live: int
    over: bool
    outcome: Outcome
    seconds: dict[str, float]
    records: int
    left_out: int


@dataclass(slots=True)
class Changing:
    """Makes another generation live. ``despite``: also where it differs from the live one."""

    database: Database
    source: Source
    pace: Pace
    by: str
    keep: timedelta
    despite: bool = False
    patience: float = PATIENCE
    clock: Clock = SYSTEM
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    tell: Tell = to_nobody
    models: ReadModels = field(init=False)
    notes: Notes = field(init=False)
    _outcome: Outcome | None = None
    _seconds: dict[str, float] = field(default_factory=dict)
    _records: int = 0
    _left_out: int = 0

    def __post_init__(self) -> None:
        """Look for the pointer where the works are."""
        self.models = ReadModels(self.database)
        self.notes = Notes(self.models, self.clock)

    async def rebuild(self) -> Changed:
        """Rebuild and change over; goes on with a rebuild that was interrupted.

        Raises ``NotNow`` where a going back is under way, or somebody abandons it.
        """
        pointer = await insist(self.models.fresh)
        if pointer.next is None:
            pointer = await self._begin(pointer)
            crashpoint("rebuild.begun")
        elif pointer.back:
            raise NotNow("a going back is under way: finish it (back) or give it up (abandon)")
        return await self._walk(pointer)

    async def back(self) -> Changed:
        """Make the kept generation live again, with all that came since."""
        pointer = await insist(self.models.fresh)
        if pointer.next is None:
            pointer = await self._change(
                pointer, pointer.going_back(by=self.by, at=self.clock.now())
            )
        elif not pointer.back:
            raise NotNow("a rebuild is under way: give it up first (abandon)")
        return await self._walk(pointer)

    async def _begin(self, pointer: Pointer) -> Pointer:
        # Before it is named: from then on the projector writes it. Numbers are never used twice.
        await insist(lambda: prepare_generation(self.database, pointer.newest + 1))
        return await self._change(pointer, pointer.begun(by=self.by, at=self.clock.now()))

    async def _walk(self, pointer: Pointer) -> Changed:
        """Go on from whatever state it is in."""
        mine = pointer.next
        assert mine is not None
        while True:
            pointer = await insist(self.models.fresh)
            if pointer.next is None and pointer.live == mine:
                return self._ended(pointer, over=True)
            if pointer.next != mine:
                raise NotNow("somebody abandoned it meanwhile")
            began = self.clock.monotonic()
            state = pointer.state
            if not await self._step(pointer, mine):
                return self._ended(pointer, over=False)
            took = self.clock.monotonic() - began
            self._seconds[state] = self._seconds.get(state, 0.0) + took

    async def _step(self, pointer: Pointer, mine: int) -> bool:
        """Do what the state asks for; False where the change-over must not come."""
        match pointer.state:
            case "filling":
                await self._fill(pointer, mine)
                await self._try(pointer, pointer.filled())
            case "counting":
                if not await self._check(pointer, mine):
                    return False
                await self._try(pointer, pointer.resting())
            case "switching":
                await self._switch(pointer, mine)
        return True

    async def _fill(self, pointer: Pointer, mine: int) -> None:
        filling = Filling(
            self.database, pointer.live, mine, self.source, self.pace, behind=pointer.back
        )
        # A generation that was complete once misses only what came since.
        start = await insist(
            lambda: self.notes.positions(mine, "complete" if pointer.back else "positions")
        )
        ends = await insist(self.source.ends)
        total = between(start, ends)
        await self.tell("filling", 0, total)

        async def told(page: Page) -> None:
            self._records += page.records
            await insist(
                lambda: self.notes.note_seldom(
                    mine, phase="filling", positions=dict(page.positions)
                )
            )
            left = between(page.positions, ends)
            await self.tell("filling", total - left, total)

        complete = await filling.run(start, told)
        self._left_out += filling.unreadable
        await insist(
            lambda: self.notes.note(
                mine, phase="filled", complete=dict(complete), positions=dict(complete)
            )
        )
        crashpoint("rebuild.filled")

    async def _check(self, pointer: Pointer, mine: int) -> bool:
        """Count and compare; what goes back is only counted: it is the other one that is wrong."""
        checking = Checking(
            self.database,
            pointer.live,
            mine,
            self.source,
            self.pace,
            self.patience,
            self.clock,
            self.wait,
        )
        if pointer.back or self._outcome is not None:  # compared before: the change-over was voided
            await insist(checking.settle)
            self._outcome = self._outcome or checking.outcome
            return True
        end = await insist(lambda: self.notes.positions(mine, "complete"))
        total = between({}, end)
        await self.tell("checking", 0, total)

        async def told(page: Page) -> None:
            await insist(lambda: self.notes.note_seldom(mine, phase="checking"))
            await self.tell("checking", total - between(page.positions, end), total)

        self._outcome = await checking.run(end, told)
        equal = self._outcome.equal
        if equal:
            await insist(lambda: self._equal(pointer, mine, end))
        else:
            await insist(lambda: self.notes.note(mine, phase="differs"))
        crashpoint("rebuild.checked")
        return equal or self.despite

    async def _equal(self, pointer: Pointer, mine: int, end: Positions) -> None:
        """Note that both have everything below ``end``: that is from where to go back."""
        await self.notes.note(mine, phase="equal")
        await self.notes.note(pointer.live, complete=dict(end))

    async def _switch(self, pointer: Pointer, mine: int) -> None:
        """Count what is still marked while counts of the live generation rest, and change over."""
        if self._outcome is None:  # another run had come so far, and died
            await self._try(pointer, pointer.roused())
            return
        checking = Checking(self.database, pointer.live, mine, self.source, self.pace)
        await insist(checking.count_all)
        crashpoint("rebuild.resting")
        changed = pointer.switched(at=self.clock.now(), keep=self.keep)
        if await self._try(pointer, changed):
            crashpoint("rebuild.switched")

    async def _try(self, old: Pointer, new: Pointer) -> bool:
        return await insist(lambda: self.models.change(old, new))

    async def _change(self, old: Pointer, new: Pointer) -> Pointer:
        if not await self._try(old, new):
            raise NotNow("somebody else changed the read models at the same time: look again")
        return new

    def _ended(self, pointer: Pointer, *, over: bool) -> Changed:
        return Changed(
            pointer.live,
            over,
            self._outcome or Outcome(),
            self._seconds,
            self._records,
            self._left_out,
        )


async def abandon(models: ReadModels) -> Pointer:
    """Give up what is under way. Raises ``NotNow`` where nothing is."""
    while True:
        pointer = await insist(models.fresh)
        given_up = pointer.abandoned()
        if await insist(partial(models.change, pointer, given_up)):
            return given_up
