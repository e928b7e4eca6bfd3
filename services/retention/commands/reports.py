"""Lists on demand and by schedule, and how a record stood on a past date."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from services.retention.commands.holds import Holds
from services.retention.commands.reviews import Reviews
from services.retention.commands.schedules import Versions
from services.retention.errors import Refusal
from services.retention.model.clocks import Judged, Kept, clocks, judge, kept, reports
from services.retention.model.facts import Fact
from services.retention.model.records import KeptRecord, Settled, name_of, round_by
from services.retention.model.reports import Item, item, rule_of, until
from services.retention.model.reviews import Counts, KeptReview
from services.retention.store.holding import PAGE, page_of_kind, record_of
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mongo import Aggregates, Database
from shared.policy.retention import RuleRow, Schedule
from shared.runtime.clock import SYSTEM, Clock

LISTS: Final = uuid.UUID("b3a0c8c4-2f0e-5f53-9f0a-7d7f5b8e1c66")  # of ids of lists
ROUNDS: Final = "rounds"
MOST_SCANNED: Final = 20_000  # rows for one answer; a cursor leads on


class KeptRounds(State):
    """Until when lists were made, or something else was looked for."""

    until: Instant
    version: Version


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list: ``scanned`` rows were looked at, ``after`` leads on, None at the end."""

    rule: RuleRow
    schedule: Schedule
    at: datetime
    items: Sequence[Item]
    scanned: int
    after: str | None


@dataclass(frozen=True, slots=True)
class Stood:
    """How a record stood at a moment."""

    schedule: Schedule
    at: datetime
    facts: Sequence[Fact]
    kept: Sequence[Kept]
    holds: Sequence[str]
    judged: Sequence[Judged]
    settled: Mapping[str, Settled]


@dataclass(frozen=True, slots=True)
class Reports:
    """Lists and looks at past dates."""

    database: Database
    records: Aggregates[KeptRecord]
    rounds: Aggregates[KeptRounds]
    versions: Versions
    holds: Holds
    reviews: Reviews
    clock: Clock = SYSTEM

    async def listed(
        self, kind: str, at: datetime, *, after: str = "", most: int = 100
    ) -> Listing | Refused[Refusal]:
        """Return a page of what the rule of a kind lists as of a moment (DOAJ-6b2, 6b3)."""
        schedule = await self.versions.in_force(at)
        rule = rule_of(schedule, kind)
        if rule is None:
            return Refused(Refusal("rule-unknown", f"No rule lists records of {kind}."))
        found: list[Item] = []
        scanned, place = 0, after
        while len(found) < most and scanned < MOST_SCANNED:
            rows = await page_of_kind(self.database, kind, after=place, most=PAGE)
            for row in rows:
                place, scanned = row["_id"], scanned + 1
                one = item(record_of(row), rule, schedule, at)
                if one is not None:
                    found.append(one)
                    if len(found) == most:
                        break
            else:
                if len(rows) < PAGE:
                    place = ""
                    break
        return Listing(rule, schedule, at, await self._with_holds(found), scanned, place or None)

    async def make(self) -> None:
        """Make the lists that are due by now, each once; what is in them is read from the table."""
        now = self.clock.now()
        schedule = await self.versions.in_force(now)
        begun = await self.rounds.load(ROUNDS)
        due = reports(schedule, begun.until, now) if begun is not None else ()
        for one in due:
            await self._make(schedule, schedule.rule(one.rule), one.at, now)
        if begun is None or due:
            await self.rounds.update(ROUNDS, partial(reached, until=now))

    async def as_of(self, at: datetime, kind: str, record: str) -> Stood | Refused[Refusal]:
        """Say how a record stood at a moment, by what is known now of its facts until then."""
        schedule = await self.versions.in_force(at)
        known = await self.records.load(name_of(kind, record))
        if known is None:
            return Refused(Refusal("record-unknown"))
        if kind not in schedule.rules:
            return Refused(Refusal("kind-unknown"))
        history = until(known, at)
        members = await self.holds.store.on_records([known.name])
        came = {one.hold: one.came_at for one in members}
        kept_holds = await self.holds.store.holds.load_many(sorted(came))
        standing = [one for one in kept_holds.values() if one.stands(at) and came[one.hold] <= at]
        judged = judge(clocks(history, schedule), at, [one.as_clocks_know_it for one in standing])
        settled = {one.clock: one for one in known.settled if one.at <= at}
        return Stood(
            schedule=schedule,
            at=at,
            facts=history.facts,
            kept=kept(history, schedule),
            holds=sorted(one.hold for one in standing),
            judged=judged,
            settled={
                one.clock.rule: settled[name]
                for one in judged
                if (name := round_by(kind, record, one.clock.rule, one.clock.started)) in settled
            },
        )

    async def _make(self, schedule: Schedule, rule: RuleRow, at: datetime, now: datetime) -> None:
        counts = {"records": 0, "listed": 0, "undated": 0, "held": 0}
        place = ""
        while rows := await page_of_kind(self.database, rule.of, after=place, most=PAGE):
            place = rows[-1]["_id"]
            found = [item(record_of(row), rule, schedule, at) for row in rows]
            for one in await self._with_holds([one for one in found if one is not None]):
                counts[one.section] += 1
                counts["held"] += bool(one.holds)
            counts["records"] += len(rows)
        new = KeptReview(
            review=str(uuid.uuid5(LISTS, f"{rule.id}:{at.isoformat()}")),
            rule=rule.id,
            clause=rule.clause,
            schedule=schedule.version,
            action=rule.action,
            office=rule.review or "team",
            needs=rule.approvers,
            kind=rule.of,
            due=at,
            asked_at=now,
            counts=Counts(**counts),
            version=1,
        )
        await self.reviews.ask(new)

    async def _with_holds(self, items: Sequence[Item]) -> list[Item]:
        if not items:
            return []
        names = [name_of(one.kind, one.record) for one in items]
        known = await self.records.load_many(names)
        held = await self.holds.standing_on(list(known.values()))
        return [
            one.model_copy(update={"holds": held.get(name, ())})
            for one, name in zip(items, names, strict=True)
        ]


def reached(
    known: KeptRounds | None, *, until: datetime
) -> Accepted[KeptRounds] | Unchanged[KeptRounds] | Refused[Any]:
    """Note until when was looked; never back."""
    if known is None:
        return Accepted(KeptRounds(until=until, version=1), ())
    if until <= known.until:
        return Unchanged(known)
    return Accepted(KeptRounds(until=until, version=known.version + 1), ())
