"""What people decide about due clocks, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.retention.commands.holds import Holds
from services.retention.errors import Refusal
from services.retention.model import reviews
from services.retention.model.clocks import Clock as RunningClock
from services.retention.model.clocks import Hold, clocks
from services.retention.model.records import KeptRecord, name_of, round_of
from services.retention.model.reviews import WHOLE, Deciding, KeptReview
from services.retention.store.holding import page
from services.retention.wiring import Due, Rooms, Schedules
from shared.events.decisions import Refused
from shared.mongo import Aggregates, Saved
from shared.policy.retention import Schedule
from shared.runtime.clock import SYSTEM, Clock

Done = KeptReview | Refused[Refusal]
MOST = 100


@dataclass(frozen=True, slots=True)
class Reviews:
    """Reviews that due clocks asked for."""

    store: Aggregates[KeptReview]
    records: Aggregates[KeptRecord]
    holds: Holds
    schedules: Schedules
    rooms: Rooms
    clock: Clock = SYSTEM

    async def due(self, due: Due) -> str:
        """Ask for a review of what a due clock names, once; return its id.

        What is only reported asks nobody by itself: it stands in the list of its next round.
        """
        now = self.clock.now()
        rule = (await self.schedules.in_force(now)).rule(due.rule)
        if rule.action == "report":
            return due.clock
        new = KeptReview(
            review=due.clock,
            rule=due.rule,
            clause=due.clause,
            schedule=due.version,
            action=rule.action,
            office=rule.review or "team",
            needs=rule.approvers,
            service=due.service,
            kind=due.kind,
            record=due.record,
            due=due.due,
            asked_at=now,
            version=1,
        )
        await self.ask(new)
        return new.review

    async def ask(self, new: KeptReview) -> None:
        """Put a review down, once."""
        await self.store.update(new.review, partial(reviews.ask, new=new))

    async def decide(self, review: str, said: Deciding) -> Done:
        """Write down what somebody decided, and begin what comes of it.

        A deletion is looked at once more first: what does not run any more, or is held, is refused.
        """
        now = self.clock.now()
        known = await self.store.load(review)
        if known is not None and said.choice == "delete":
            no = await self._no(known, said.record)
            if no is not None:
                return Refused(no)
        schedule = await self.schedules.in_force(now)
        done = await self._done(
            review, partial(reviews.decide, said=said, schedule=schedule, now=now)
        )
        if isinstance(done, Refused) or not reviews.agreed(done, said.record):
            return done
        return await self._carry(done, said.record)

    async def step(self) -> bool:
        """Carry out what was agreed and not begun, and open again what was kept until today."""
        schedule = await self.schedules.in_force(self.clock.now())
        for row in await page(self.store.collection, {"kept": True}, most=MOST):
            known = self.store.parse(row["state"])
            decide = partial(reviews.come_back, schedule=schedule, now=self.clock.now())
            await self._done(known.review, decide)
        for row in await page(self.store.collection, {"agreed": True}, most=MOST):
            known = self.store.parse(row["state"])
            for one in known.decisions:
                if reviews.agreed(known, one.record) and not await self._no(known, one.record):
                    await self._carry(known, one.record)
        return False

    async def _carry(self, known: KeptReview, record: str) -> Done:
        """Begin the erasure that was agreed to."""
        if self.rooms.erasing is None:
            return known  # whoever erases is not there yet; ``step`` begins it
        row = await self.records.load(name_of(known.kind, record or known.record or ""))
        clock = self._running(row, known) if row else None
        if row is None or clock is None:
            return known
        erasure = await self.rooms.erasing.due(
            Due(
                clock=round_of(clock),
                rule=known.rule,
                clause=known.clause,
                version=known.schedule,
                service=row.service,
                kind=row.kind,
                record=row.record,
                due=clock.due or known.due,
                records=row.keys,
            )
        )
        return await self._done(
            known.review, partial(reviews.carried, record=record, erasure=erasure)
        )

    def _running(self, row: KeptRecord, known: KeptReview) -> RunningClock | None:
        return running(row, known, self.schedules.current(), self.clock.now())

    async def _no(self, known: KeptReview, record: str) -> Refusal | None:
        """Say why what a review names may not go."""
        if known.is_list and record == WHOLE:
            return None  # the decision itself refuses it
        row = await self.records.load(name_of(known.kind, record or known.record or ""))
        if row is None:
            return Refusal("record-unknown", places=("/record",))
        if self._running(row, known) is None:
            detail = "Its clock does not run any more, or something keeps it."
            return Refusal("review-not-of-record", detail, known.clause, ("/record",))
        standing = [one for one in await self.holds.holds_of(row.kind, row.record) if _stands(one)]
        if standing:
            detail = f"Held by {', '.join(one.hold for one in standing[:5])}."
            return Refusal("review-held", detail, "DOAJ-6a4")
        return None

    async def _done(
        self, review: str, decide: Callable[[KeptReview | None], reviews.Decided]
    ) -> Done:
        saved: Saved[KeptReview] | Refused[Refusal] = await self.store.update(review, decide)
        return saved if isinstance(saved, Refused) else saved.state


def running(
    record: KeptRecord, known: KeptReview, schedule: Schedule, now: datetime
) -> RunningClock | None:
    """Return a review's clock, where its period is over and nothing keeps the record.

    One of unknown date counts: people decide what no clock can (DOAJ-6b3).
    """
    if record.kind not in schedule.rules:
        return None
    for one in clocks(record.history, schedule):
        if one.rule == known.rule and not one.kept:
            over = one.ripe is not None and one.ripe <= now
            return one if over or one.standing == "undated" else None
    return None


def _stands(hold: Hold) -> bool:
    return hold.released is None
