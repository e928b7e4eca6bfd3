"""The worker's loop: claim, read, judge in turns, end; several may run, in any processes.

A claim is a lease in the submission's own document. A worker that dies leaves its submissions to
others when their leases end; they begin again at the start of the file and meet what was done
(law L1). Every turn takes a share of each submission in hand, so a huge file does not hold up the
small ones of others.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from services.deposits.crossref.schemas import Schemas
from services.deposits.crossref.submission import Record
from services.deposits.depositors import indexed
from services.deposits.model import Verdict, completed
from services.deposits.permissions import Permissions
from services.deposits.processing.active import Active
from services.deposits.processing.case import Case
from services.deposits.processing.choosing import LARGE, choose
from services.deposits.processing.judging import Judging
from services.deposits.processing.reading import read
from services.deposits.store import (
    Claim,
    Claims,
    Offer,
    RawFiles,
    RawKeys,
    Submission,
    Submissions,
    lease,
    using,
)
from services.deposits.store.keys import SCHEMA
from shared.mongo import Accepted
from shared.privacy.blind import BlindIndex
from shared.privacy.envelope import OpenKey, UnsealError, seal_text
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

BATCH: Final = 200  # records a turn: two or three round trips for all of them
AHEAD: Final = 400  # records of one submission read ahead of judging
IDLE_SECONDS: Final = 0.25  # how soon a submission accepted by another process is found
RETRY_SECONDS: Final = 0.5
CHOICE: Final = 4  # of this many times what a worker can hold, to be fair among members
PARK: Final = timedelta(minutes=10)  # until a file that cannot be opened is tried again

log = get_log(__name__)


@dataclass(slots=True)
class Worker:
    """One worker; ``holder`` must be its own among all workers, ``wake`` hurries its next claim."""

    holder: str
    submissions: Submissions
    claims: Claims
    files: RawFiles
    judging: Judging
    permissions: Permissions
    keys: RawKeys
    blind: BlindIndex
    schemas: Schemas
    lease_seconds: float
    in_hand: int
    ended: asyncio.Condition
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _active: dict[str, Active] = field(default_factory=dict)
    _read_on: asyncio.Event = field(default_factory=asyncio.Event)
    _handed: list[Claim] = field(default_factory=list)
    _promised: int = 0  # places offered to submissions that are being written
    _behind: bool = False  # others wait already
    _running: bool = False
    _willing: bool = False  # to claim more
    _looked: float = float("-inf")
    _renewed: float = float("-inf")

    def has_room(self, size: int) -> bool:
        """Say whether a new submission may come here at once: nobody waits, and it is not large."""
        taken = len(self._active) + len(self._handed) + self._promised
        return (
            self._running
            and not self._behind
            and taken < self.in_hand
            and size <= LARGE
            and self.permissions.fresh()
        )

    def offer(self, organisation: int) -> Offer:
        """Promise a place to a submission that is about to be written."""
        self._promised += 1
        until = lease(self.clock.now(), self.lease_seconds)
        return Offer(self.holder, until, self.permissions.of(organisation))

    def hand(self, submission: Submission | None, offer: Offer) -> None:
        """Take the submission that a place was promised to; None where it was not written."""
        self._promised -= 1
        if submission is not None:
            self._handed.append(Claim(submission, offer.bound, resumed=False))
            self._read_on.set()

    async def run(self, draining: asyncio.Event) -> None:
        """Work until told to drain, then give back what is in hand."""
        self.health.promise(self.holder, within=120)
        async with asyncio.TaskGroup() as readers:
            while not draining.is_set():
                try:
                    busy = await self._turn(readers)
                except Transient as fault:
                    log.warning("worker interrupted", reason=str(fault))
                    await wait_any(draining, timeout=RETRY_SECONDS)
                    continue
                finally:
                    self.health.beat(self.holder)
                if not busy:
                    calls = [self._read_on, draining, *([self.wake] if self._willing else [])]
                    await wait_any(*calls, timeout=IDLE_SECONDS)
            self._running = False
            await self._leave()
        self.health.retire(self.holder)

    async def _turn(self, readers: asyncio.TaskGroup) -> bool:
        """Claim, judge a batch, end what is done; True if there may be more at once."""
        if not self._running:
            # A predecessor of the same name is gone, or it could not have the name.
            await self.claims.take_back(holder=self.holder)
            self._running = True
        self._read_on.clear()
        await self._renew()
        handed, self._handed = self._handed, []
        claims = [*handed, *await self._claim()]
        for claim in claims:
            active = Active.of(claim)
            self._active[active.id] = active
            active.reader = readers.create_task(self._read(active), name=f"read-{active.id}")
        await self._bind()
        batch, files = self._batch()
        if batch or files:
            verdicts = await self.judging.insist(batch, files, self._alive)
            self._count(verdicts)
            self._give_back(batch, verdicts)
        ended = await self._end()
        await self._drop_broken()
        return bool(batch or ended or claims)

    # -- claiming --------------------------------------------------------------------------------

    async def _claim(self) -> Sequence[Claim]:
        free = self.in_hand - len(self._active) - len(self._handed) - self._promised
        self._willing = free > 0 and self.permissions.fresh()
        due = self.wake.is_set() or self.clock.monotonic() - self._looked >= IDLE_SECONDS
        if not self._willing or not due:
            return ()
        self.wake.clear()
        self._looked = self.clock.monotonic()
        candidates = await self.claims.waiting(now=self.clock.now(), most=CHOICE * self.in_hand)
        self._behind = len(candidates) > free
        if self._behind:
            self.wake.set()
        in_hand = [one.submission for one in self._active.values()]
        choice = choose(candidates, in_hand, free)
        known = {one: self.permissions.of(one) for one in {each.organisation for each in choice}}
        chosen = [(one, one.bound or known[one.organisation]) for one in choice]
        return await self.claims.claim(
            chosen, holder=self.holder, until=lease(self.clock.now(), self.lease_seconds)
        )

    async def _read(self, active: Active) -> None:
        """Read a file into ``active``; what goes wrong is left there for the loop to see."""
        try:
            key = using(partial(self.keys.open, active.submission))

            def file() -> AsyncIterator[bytes]:
                return self.files.read(active.id, key)

            async for piece in read(file, size=active.submission.size, schemas=self.schemas):
                await active.put(piece, most=AHEAD, told=self._read_on.set)
        except Exception as fault:  # noqa: BLE001  (one file must not end the worker)
            active.fault = fault
        self._read_on.set()

    async def _bind(self) -> None:
        """Bind newer knowledge where only that may refuse a record."""
        for active in list(self._active.values()):
            if not active.unsure or not self.permissions.fresh():
                continue
            state = active.submission.state
            newer = self.permissions.of(state.organisation)
            if newer.mark < state.received_at:
                continue
            if await self.claims.rebind(active.id, newer, holder=self.holder):
                active.bind(newer)
            else:
                self._forget(active)

    # -- judging ---------------------------------------------------------------------------------

    def _batch(self) -> tuple[list[Case], dict[str, Verdict]]:
        ready = [one for one in self._active.values() if one.waiting]
        share = max(1, BATCH // len(ready)) if ready else 0
        batch = [case for active in ready for case in active.take(share)]
        files: dict[str, Verdict] = {}
        for active in self._active.values():
            files |= active.verdict_on_file()
        return batch, files

    def _alive(self) -> None:
        self.health.beat(self.holder)

    def _count(self, verdicts: dict[str, Verdict]) -> None:
        for name, verdict in verdicts.items():
            active = self._active.get(name.partition("#")[0])
            if active is not None:
                active.count([verdict])

    def _give_back(self, batch: Sequence[Case], verdicts: Mapping[str, Verdict]) -> None:
        """Put back what was not judged: only newer knowledge may, or the submission is lost."""
        open_cases: dict[str, list[Record]] = defaultdict(list)
        for case in batch:
            if case.name not in verdicts:
                open_cases[case.submission].append(case.record)
        for submission, records in open_cases.items():
            if submission in self._active:
                self._active[submission].give_back(records)

    async def _end(self) -> int:
        done = [one for one in self._active.values() if one.done]
        decided, push = {}, {}
        keys = await self.keys.many(one.submission for one in done)
        for active in done:
            await self._found_by_depositor(active)
            ended = completed(active.submission.state, active.counts, now=self.clock.now())
            if ended is not None:
                decided[active.id] = Accepted(ended[0], (ended[1],))
                push[active.id] = self._batch_id(active, keys)
        if decided:
            # One that is lost was ended by another worker that had it after us: as it should be.
            await self.submissions.aggregates.save_many(decided, push=push)
        for active in done:
            self._forget(active)
        if done:
            async with self.ended:
                self.ended.notify_all()
        return len(done)

    async def _found_by_depositor(self, active: Active) -> None:
        """Enter whom a file names as its depositor, where its beginning did not show it."""
        if active.head is None:
            return
        index = indexed(self.blind, active.head.depositor.email)
        if not set(index) <= set(active.submission.lookup):
            await self.submissions.found_by(active.id, index)

    def _batch_id(self, active: Active, keys: Mapping[str, OpenKey]) -> dict[str, str]:
        if active.head is None or active.id not in keys:
            return {}
        batch = active.head.batch_id
        sealed = seal_text(
            keys[active.id], batch, schema=SCHEMA, field="/batch_id", record=active.id
        )
        credential = active.submission.credential
        return {
            "batch": sealed,
            "lookup": self.submissions.hashed("batch", batch, credential=credential),
        }

    # -- leases ----------------------------------------------------------------------------------

    async def _renew(self) -> None:
        if self.clock.monotonic() - self._renewed < self.lease_seconds / 3:
            return
        until = lease(self.clock.now(), self.lease_seconds)
        ours = await self.claims.renew(list(self._active), holder=self.holder, until=until)
        for active in list(self._active.values()):
            if active.id not in ours:
                log.warning("submission lost to another worker", submission=active.id)
                self._forget(active)
        self._renewed = self.clock.monotonic()

    async def _drop_broken(self) -> None:
        for active in list(self._active.values()):
            match active.fault:
                case None:
                    continue
                case Transient():
                    until = self.clock.now()
                case UnsealError() | LookupError():
                    log.error("deposit cannot be opened", submission=active.id)
                    until = self.clock.now() + PARK
                case other:
                    log.error("reading failed", submission=active.id, fault=type(other).__name__)
                    until = self.clock.now() + PARK
            await self.claims.release([active.id], holder=self.holder, until=until)
            self._forget(active)

    def _forget(self, active: Active) -> None:
        self._active.pop(active.id, None)
        if active.reader is not None:
            active.reader.cancel()

    async def _leave(self) -> None:
        ids = [*self._active, *(claim.submission.id for claim in self._handed)]
        for active in list(self._active.values()):
            self._forget(active)
        try:
            await self.claims.release(ids, holder=self.holder)
        except Transient:
            log.warning("could not give back submissions; their leases will end")
