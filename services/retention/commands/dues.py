"""Carrying out what is due: claim, judge again, settle, tell whoever erases or reviews.

Deciding is one write of the record, on condition of its version: a fact that came in between makes
it void. Telling follows and is repeated until it is noted as done; who is told knows the round by
its id, so that a repetition begins nothing twice.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from services.retention.commands.timing import Timing
from services.retention.model.clocks import Hold
from services.retention.model.dues import look, told, untold, what_goes
from services.retention.model.records import KeptRecord, Settled
from services.retention.store.bursts import Bursts
from services.retention.store.claims import Claim, Claims
from services.retention.wiring import Due, House, Rooms
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.policy.retention import Schedule
from shared.runtime.crashpoints import crashpoint
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.metrics import CLOCKS_LATE, CLOCKS_SETTLED

MOST: Final = 100  # records of one claim
TICK_SECONDS: Final = 60.0  # so long a burst of deletions may take

log = get_log(__name__)


class NobodyThere(Exception):
    """No part takes what a due clock asks for."""


@dataclass(slots=True)
class Dues:
    """The due loop; ``held_seconds``: how often what is held is looked at anyway.

    ``heard`` says whether the facts were heard that clocks rest on. Who reads topics from their
    beginning, or comes back after days, hears first that a period began and later that it ended.
    ``timing`` says what time it is, where that is sure; ``bursts`` counts deletions, with others.
    """

    house: House
    rooms: Rooms
    claims: Claims
    heard: Callable[[], Awaitable[bool]]
    timing: Timing
    bursts: Bursts
    held_seconds: float = 60.0

    def schedule(self) -> Schedule:
        """Return the schedule in force."""
        return self.rooms.schedules.current() if self.rooms.schedules else self.house.schedule

    async def step(self) -> bool:
        """Look at records that are due; say whether there may be more."""
        now = await self.timing.ask()
        if now is None or not await self.heard():
            return False
        tick, burst = int(now.timestamp() / TICK_SECONDS), self.schedule().file.limits.burst
        room = min(MOST, await self.bursts.left(tick, burst))
        claimed = await self.claims.take(new_id(), room, now=now) if room else []
        if not claimed:
            return False
        # Counted before they are begun, so that nobody else begins as many in the same tick.
        granted, tick = await self.bursts.take(len(claimed), tick, burst)
        for claim in claimed[granted:]:
            await self.claims.let_go(claim, now)
        deletions = [await self._look(claim) for claim in claimed[:granted]]
        await self.bursts.give_back(granted - sum(deletions), tick)
        return granted == MOST

    async def _look(self, claim: Claim) -> int:
        """Judge one record again, act on what is due, and return how many deletions that is."""
        record, now = claim.record, self.timing.now()
        if now is None or now >= claim.until:
            # Too slow, or the clock went wrong: it is looked at when the claim has run out.
            return 0
        holds = await self._holds(record)
        deletions = 0
        found = look(
            record, self.schedule(), now, holds, every=timedelta(seconds=self.held_seconds)
        )
        if found.settled is not None:
            settled = await self.claims.write(claim, found.settled)
            if settled is None:
                return 0  # a fact came, or another holder: it is looked at again
            claim = settled
            deletions = _count(claim.record.settled[len(record.settled) :])
            crashpoint("clocks.settled")
        if untold(claim.record):
            await self._tell(claim, now)
        else:
            await self.claims.let_go(claim, found.again)
        return deletions

    async def _tell(self, claim: Claim, now: datetime) -> None:
        """Tell whoever acts on it; what nobody takes is told later."""
        begun: dict[str, str] = {}
        for one in untold(claim.record):
            try:
                begun[one.clock] = await self._begin(claim.record, one)
            except NobodyThere as nobody:
                log.warning("nobody takes what is due", rule=one.rule, reason=str(nobody))
        crashpoint("clocks.told")
        if not begun:
            await self.claims.let_go(claim, now + timedelta(seconds=self.held_seconds))
            return
        noted = partial(_noted, begun=begun, at=now)
        await self.claims.records.update(claim.record.name, noted)

    async def _begin(self, record: KeptRecord, settled: Settled) -> str:
        due = Due(
            clock=settled.clock,
            rule=settled.rule,
            clause=settled.clause,
            version=settled.schedule,
            service=record.service,
            kind=record.kind,
            record=record.record,
            due=settled.due,
            records=what_goes(record, settled.classes),
        )
        taker = self.rooms.erasing if settled.action == "delete" else self.rooms.reviews
        if taker is None:
            raise NobodyThere(f"nobody here takes what is due to {settled.action}")
        return await taker.due(due)

    async def _holds(self, record: KeptRecord) -> tuple[Hold, ...]:
        if self.rooms.holds is None:
            return ()
        return await self.rooms.holds.holds_of(record.kind, record.record)


def _count(settled: Sequence[Settled]) -> int:
    """Measure what was settled; return how many deletions that are."""
    for one in settled:
        CLOCKS_SETTLED.labels(one.rule).inc()
        CLOCKS_LATE.set((one.at - one.due).total_seconds())
    return sum(one.action == "delete" for one in settled)


def _noted(
    known: KeptRecord | None, *, begun: dict[str, str], at: datetime
) -> Accepted[KeptRecord] | Unchanged[KeptRecord] | Refused[None]:
    if known is None:
        return Refused(None)
    if not any(one.clock in begun for one in untold(known)):
        return Unchanged(known)
    return Accepted(told(known, begun, at), ())
