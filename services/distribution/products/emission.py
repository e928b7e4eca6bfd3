"""Publishing again: what is due, and the next page of it.

What is due is not written down anywhere: it is the difference between the ledger and what the gate
says now. A preference, a transfer or a removal only says where to look. So an interrupted job goes
on where it was, and one that a newer preference overtakes becomes that one.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from services.distribution.gate import OWNERSHIP, Subject
from services.distribution.products.crowd import Crowd
from services.distribution.products.ledger import Ledger, Row, Stretch
from services.distribution.products.offers import Kind, Offers, of_document
from services.distribution.products.writer import Writer, text_of
from services.distribution.store import Works
from shared.events import OwnershipState
from shared.runtime.clock import Clock

PAGE: Final = 200  # works read from the store and published at a time
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds until what the store does not have yet is retried

State = Literal["running", "waiting", "done", "superseded"]
Stands = tuple[State, int | None, int, int]


@dataclass(slots=True)
class Job:
    """The works of one prefix, one title, or one work, looked through because of one change.

    ``total`` is how many were to be published again when it began, ``left`` how many are; ``told``
    is how it stood when it was last reported.
    """

    kind: Kind
    name: str
    began: datetime
    started: float
    total: int | None = None
    left: int = 0
    done: int = 0
    state: State = "running"
    stretches: list[Stretch] = field(default_factory=list)
    after: str = ""
    late: int = 0
    told: Stands | None = None

    @property
    def stands(self) -> Stands:
        """What is news where it changed."""
        return self.state, self.total, self.left, self.done

    @property
    def counts(self) -> bool:
        """Whether anybody is to hear of it: of what was counted, or was told of before."""
        return self.total is not None or self.told is not None

    def rate(self, now: float) -> float:
        """Works a second so far."""
        return self.done / max(now - self.started, 1e-3)

    def eta(self, now: float) -> float | None:
        """Seconds until it is done at this rate; None where nothing was done yet."""
        rate = self.rate(now)
        return self.left / rate if rate else None


@dataclass(slots=True)
class Emission:
    """What one partition has to publish again."""

    writer: Writer
    works: Works
    offers: Offers
    clock: Clock
    crowd: Crowd
    jobs: dict[tuple[Kind, str], Job] = field(default_factory=dict)
    ended: list[Job] = field(default_factory=list)
    _compared: int = 0  # how often the writer had taken over when the ledger was compared
    _pause: float = FIRST_PAUSE
    _resume: float = float("-inf")

    @property
    def ledger(self) -> Ledger:
        """What was published."""
        return self.writer.ledger

    def mark(self, kind: Kind, name: str) -> None:
        """Look through what a change touched; a job that is under way for it begins again."""
        overtaken = self.jobs.pop((kind, name), None)
        if overtaken is not None and overtaken.counts:
            overtaken.state = "superseded"
            self.ended.append(overtaken)
        self.jobs[kind, name] = Job(kind, name, self.clock.now(), self.clock.monotonic())
        self._resume = float("-inf")

    async def settle(self, *, anew: bool = False) -> None:
        """Make sure that the partition is the writer's, compare and count what is due, and nudge.

        A ledger is compared whenever it was read back: what a predecessor, or a transaction whose
        end was not known, published meanwhile may be under a standing that was looked through
        before. ``anew``: somebody else may have written since, whatever the writer has in hand.
        """
        async with self.writer.turn:
            if anew:
                await self.writer.let_go()
            await self.writer.take_over()
            if self._compared != self.writer.taken:
                await self.compare()
                self._compared = self.writer.taken
            if any(job.total is None for job in self.jobs.values()):
                await self._count()
            await self.writer.nudge()

    async def compare(self) -> None:
        """Mark whatever the ledger holds under another standing than the gate says; in turn."""
        owners = await asyncio.to_thread(self.ledger.stretches, "owner")
        for one in owners:
            if one.within != text_of(self.offers.of_prefix(one.name or None)):
                self.mark("prefix", one.name)
        known = self.offers.gate.title_owner
        for one in await asyncio.to_thread(self.ledger.stretches, "title"):
            if one.name and (known(one.name) or "") != one.within:
                self.mark("title", one.name)
        overrides = self.offers.gate.knowledge.held(OWNERSHIP, OwnershipState)
        dois = [one.subject for one in overrides]
        for doi in await asyncio.to_thread(self.ledger.rows, dois):
            self.mark("work", doi)

    def due(self) -> bool:
        """Whether there is a page to do now."""
        return any(self._counted()) and self.clock.monotonic() >= self._resume

    async def page(self) -> float:
        """Do one page of the job that waits longest; returns how many seconds to rest after it."""
        job = next(self._counted(), None)
        if job is None:
            return 0.0  # overtaken meanwhile: the change that did comes with the next round
        rows = await asyncio.to_thread(self._rows, job)
        if not rows:
            self._finish(job)
            return 0.0
        return await self._again(job, rows)

    async def _count(self) -> None:
        """Find what the new jobs have to walk, and drop those that touch nothing; in turn.

        In turn: what was being published when a change was learned is in the ledger then, and what
        follows is published under it. So a walk that begins now meets it all.
        """
        new = [job for job in self.jobs.values() if job.total is None]
        await asyncio.to_thread(self._find, new)
        for job in new:
            if not job.total and job.told is None and self.jobs.get((job.kind, job.name)) is job:
                del self.jobs[job.kind, job.name]

    def _counted(self) -> Iterator[Job]:
        return (job for job in self.jobs.values() if job.total is not None)

    def _find(self, jobs: Sequence[Job]) -> None:
        """Find the stretches to walk, those of before the changes, and count them."""
        for job in jobs:
            if job.kind == "work":
                job.stretches, job.total = [], len(self.ledger.rows([job.name]))
            else:
                column: Any = {"prefix": "owner", "title": "title"}[job.kind]
                job.stretches = [
                    one for one in self.ledger.stretches(column, job.name) if not self._current(one)
                ]
                job.total = sum(map(self.ledger.count, job.stretches))
            job.left = job.total

    def _current(self, stretch: Stretch) -> bool:
        """Whether all of a stretch is as the gate says."""
        if stretch.column == "owner":
            return stretch.within == text_of(self.offers.of_prefix(stretch.name or None))
        return stretch.within == (self.offers.gate.title_owner(stretch.name) or "")

    def _rows(self, job: Job) -> list[Row]:
        """Return the next page; empty where the last stretch was walked to its end."""
        if job.kind == "work":
            return [] if job.after else list(self.ledger.rows([job.name]).values())
        while job.stretches:
            rows = self.ledger.page(job.stretches[0], after=job.after, most=PAGE)
            if rows:
                return rows
            job.stretches.pop(0)
            job.after = ""
        return []

    async def _again(self, job: Job, rows: list[Row]) -> float:
        changed = [row for row in rows if self._standing(row) != row.standing]
        async with self.crowd.turn:
            began, worked = self.clock.monotonic(), time.process_time()
            found = await self.works.many([row.doi for row in changed])
            rest = self.crowd.rest(
                self.clock.monotonic() - began, len(found), busy=time.process_time() - worked
            )
        candidates = [of_document(document) for document in found.values()]
        async with self.writer.turn:
            late = await self.writer.again(candidates)
        missing = len(changed) - len(found)
        job.after = rows[-1].doi
        job.late += len(late) + missing
        job.done += len(changed) - len(late) - missing
        job.left = max(job.left - len(rows), 0)
        return rest

    def _standing(self, row: Row) -> str:
        return text_of(self.offers.standing(Subject(row.doi, row.title or None)))

    def _finish(self, job: Job) -> None:
        """End a job, or walk it again after a pause where the read model was behind."""
        key = (job.kind, job.name)
        if self.jobs.get(key) is not job:
            return  # overtaken meanwhile
        del self.jobs[key]
        if not job.late:
            job.state, job.left = "done", 0
            self.ended.append(job)
            self._pause = FIRST_PAUSE
            return
        job.state, job.left, job.late, job.after, job.total = "waiting", job.late, 0, "", None
        self.jobs[key] = job  # behind the others
        self._resume = self.clock.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def news(self) -> list[Job]:
        """Return the jobs that ended or went on since they were last reported."""
        return [
            job
            for job in (*self.ended, *self.jobs.values())
            if job.counts and job.stands != job.told
        ]

    def reported(self, job: Job, stands: Stands) -> None:
        """Take note of how a job stood when it was written down; one that ended is forgotten."""
        job.told = stands
        self.ended = [one for one in self.ended if one is not job]
