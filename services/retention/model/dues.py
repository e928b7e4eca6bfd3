"""What is settled when a record is looked at: what is due, and when to look again. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.retention.model.clocks import Hold, Judged, clocks, judge
from services.retention.model.records import KeptRecord, Settled, next_due, round_of
from shared.events.orders import KeptUnits
from shared.policy.retention import Schedule


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to: the record with what was settled, or None, and when to look again."""

    settled: KeptRecord | None
    again: datetime | None


def look(
    record: KeptRecord,
    schedule: Schedule,
    now: datetime,
    holds: Iterable[Hold],
    *,
    every: timedelta,
) -> Looked:
    """Judge a record's clocks at ``now`` and settle those that are due.

    What a hold stops is looked at ``every`` so often, lest nobody say when it was released.
    """
    done = {one.clock for one in record.settled}
    judged = judge(clocks(record.history, schedule), now, holds)
    left = [one for one in judged if round_of(one.clock) not in done]
    due = tuple(_settled(one, schedule) for one in left if one.verdict == "due")
    if due:
        changes = {"settled": (*record.settled, *due), "version": record.version + 1}
        return Looked(record.model_copy(update=changes), now)
    if untold(record):
        return Looked(None, next_due(record, schedule))
    every_ripe = [one.clock.ripe for one in judged if one.clock.ripe]
    later = [ripe for ripe in every_ripe if ripe > now]
    if any(one.verdict == "held" for one in left):
        later.append(now + every)
    return Looked(None, min(later, default=None))


def _settled(found: Judged, schedule: Schedule) -> Settled:
    clock = found.clock
    assert found.since is not None
    return Settled(
        clock=round_of(clock),
        rule=clock.rule,
        clause=clock.clause,
        schedule=schedule.version,
        action=clock.action,
        classes=clock.classes,
        due=found.since,
        at=found.at,
    )


def untold(record: KeptRecord) -> tuple[Settled, ...]:
    """Return what was settled and nobody was told."""
    return tuple(one for one in record.settled if one.told_at is None)


def told(record: KeptRecord, erasures: dict[str, str], at: datetime) -> KeptRecord:
    """Note that what was settled is under way: by clock, the erasure or review that came of it."""
    settled = tuple(
        one.model_copy(update={"told_at": at, "erasure": erasures[one.clock]})
        if one.clock in erasures and one.told_at is None
        else one
        for one in record.settled
    )
    return record.model_copy(update={"settled": settled, "version": record.version + 1})


def what_goes(record: KeptRecord, classes: Iterable[str]) -> tuple[KeptUnits, ...]:
    """Return the keys of a record that a rule destroys: of its classes, or all."""
    wanted = set(classes)
    return tuple(
        one for one in record.keys if not wanted or one.keys_id.partition(".")[2] in wanted
    )


def explained(
    record: KeptRecord, schedule: Schedule, now: datetime, holds: Iterable[Hold]
) -> tuple[tuple[Judged, Settled | None], ...]:
    """Return every clock of a record as it is judged, with what was settled of it."""
    done = {one.clock: one for one in record.settled}
    judged = judge(clocks(record.history, schedule), now, holds)
    return tuple((one, done.get(round_of(one.clock))) for one in judged)
