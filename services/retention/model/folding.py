"""Clocks of very many records, by tables that are prepared once for a schedule. Pure.

``model.clocks`` says what a clock is and explains each; here is the same answer without the
explanation, for previews and lists over the whole fact table. That both say the same is a law
(P6, tests/laws/test_P6_folding.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from services.retention.model.calendar import (
    WorkingDays,
    last_day,
    moved,
    over,
    start_of_day,
)
from services.retention.model.courses import Course, Keep, Moves, Shape, Starts, Told, course
from shared.policy.retention import Action, RuleRow, Schedule

MOST_SHAPES: Final = 10_000  # of one kind: lives are much alike
_DAY: Final = timedelta(days=1)


class Ripe(NamedTuple):
    """One rule's clock on a record, unless it was cancelled.

    ``when`` is from when on it may be acted on, but for holds, other rules included that keep the
    same longer; None while nobody can say, for ``undated`` or because something keeps it.
    """

    rule: str
    action: Action
    started: datetime | None
    when: datetime | None
    undated: bool


@dataclass(slots=True)
class _Rule:
    """A rule's row as a table."""

    row: RuleRow
    starts: Starts
    moves: Moves
    over: Callable[[datetime], datetime]  # where nothing moved it
    moved: Callable[[datetime, timedelta, bool], datetime]
    others: tuple[str, ...] = ()  # rules of the kind that delete some of the same
    keeps: tuple[Keep, ...] = ()  # what stops its action


@dataclass(frozen=True, slots=True)
class _Kind:
    """The rules of a kind; of each shape of a life what comes of them is worked out once."""

    rules: tuple[_Rule, ...]
    meet: bool  # whether any two delete some of the same
    known: dict[Shape, tuple[tuple[_Rule, Course], ...]] = field(default_factory=dict)

    def courses(self, shape: Shape) -> tuple[tuple[_Rule, Course], ...]:
        """Return the rules whose clocks were started and not cancelled, with their courses."""
        found = self.known.get(shape)
        if found is None:
            every = (
                (rule, course(rule.starts, rule.keeps, rule.moves, shape)) for rule in self.rules
            )
            found = tuple((rule, one) for rule, one in every if one is not None)
            if len(self.known) < MOST_SHAPES:
                self.known[shape] = found
        return found


@dataclass(frozen=True, slots=True)
class Folding:
    """A schedule, prepared."""

    schedule: Schedule
    kinds: Mapping[str, _Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, schedule: Schedule) -> "Folding":
        """Prepare a schedule."""
        return cls(schedule, {kind: _prepared(schedule, kind) for kind in schedule.rules})

    def fold(self, kind: str, told: Told) -> list[Ripe]:
        """Return the clocks of a record that were not cancelled, in the order of the schedule.

        A kind that the schedule does not have has no clock.
        """
        known = self.kinds.get(kind)
        if known is None:
            return []
        moments = told.moments
        courses = known.courses(told.shape)
        found = [_ripe(rule, one, moments) for rule, one in courses]
        if known.meet and len(found) > 1:
            by_rule = {one.rule: one for one in found}
            found = [
                _longest(one, rule, by_rule) if one.when and rule.others else one
                for one, (rule, _) in zip(found, courses, strict=True)
            ]
        return found

    def undue(self, kind: str, shape: Shape) -> tuple[tuple[str, str, int, bool], ...] | None:
        """Return what is true of every life of a shape whose clocks are kept or undated, all.

        None where the period of any decides: rule, action, beginning, and whether it has no date.
        """
        known = self.kinds.get(kind)
        courses = known.courses(shape) if known else ()
        if not all(one.kept or one.unsure or not one.begun for _, one in courses):
            return None
        return tuple(
            (rule.row.id, rule.row.action, one.begun, one.unsure or not one.begun)
            for rule, one in courses
        )

    def same(self, other: "Folding", kind: str) -> bool:
        """Say whether another schedule gives every record of a kind the same clocks."""
        mine, theirs = self.schedule, other.schedule
        return (
            mine.rules.get(kind) == theirs.rules.get(kind)
            and mine.keeps.get(kind) == theirs.keeps.get(kind)
            and mine.file.zone == theirs.file.zone
            and mine.file.days == theirs.file.days
        )


def _prepared(schedule: Schedule, kind: str) -> _Kind:
    rows, keeps = schedule.rules_of(kind), schedule.keeps_of(kind)
    rules = []
    for row in rows:
        rule = _Rule(
            row, Starts.of(row), Moves.of(row), _over(schedule, row), _moved(schedule, row)
        )
        rule.keeps = tuple(Keep.of(keep) for keep in keeps if row.action in keep.stops)
        rule.others = tuple(other.id for other in rows if _same(row, other))
        rules.append(rule)
    return _Kind(tuple(rules), any(rule.others for rule in rules))


def _same(row: RuleRow, other: RuleRow) -> bool:
    """Say whether another rule deletes some of what this one does: then the longest wins."""
    if row is other or row.action != "delete" or other.action != "delete":
        return False
    return not row.classes or not other.classes or not set(row.classes).isdisjoint(other.classes)


def _moved(schedule: Schedule, row: RuleRow) -> Callable[[datetime, timedelta, bool], datetime]:
    """Return what says when a period is over that stood still so long, or was extended."""
    zone, days = schedule.zone, WorkingDays.of(schedule.file.days)

    def end(started: datetime, stood: timedelta, longer: bool) -> datetime:  # noqa: FBT001
        return over(row, started, days, zone, stood=stood, extended=longer)

    return end


def _over(schedule: Schedule, row: RuleRow) -> Callable[[datetime], datetime]:
    """Return what says when the period of a rule is over; what it said is remembered.

    Where every day has as many hours, the day alone says how long a period of whole days is.
    """
    zone, days = schedule.zone, WorkingDays.of(schedule.file.days)
    since = start_of_day(row.since, zone)
    ends: dict[date, datetime] = {}
    lengths: dict[date, timedelta] = {}

    def by_moment(started: datetime) -> datetime:
        return over(row, started, days, zone)

    def by_last_day(started: datetime) -> datetime:
        day = started.date()
        known = ends.get(day)
        if known is None:
            ended = datetime.combine(last_day(day, row.period) + _DAY, time(), UTC)
            ended = ended if row.moved is None else moved(ended, row.moved, days, zone)
            known = ends[day] = max(ended, since)
        return max(known, started)

    def by_length(started: datetime) -> datetime:
        day = started.date()
        length = lengths.get(day)
        if length is None:
            length = last_day(day, row.period) - day
            if row.moved is not None:
                ended = moved(started + length, row.moved, days, zone)
                length = max(ended - started, timedelta(0))
            lengths[day] = length
        return max(started + length, since)

    if zone is not UTC or row.period.timed:
        return by_moment
    return by_last_day if row.falls == "end-of-day" else by_length


def _ripe(rule: _Rule, one: Course, moments: tuple[datetime, ...]) -> Ripe:
    """Return a rule's clock on a record; of its moments the first stands for no date."""
    row = rule.row
    begun = moments[one.begun] if one.begun else None
    if begun is None or one.unsure:
        return Ripe(row.id, row.action, begun, None, True)  # noqa: FBT003
    if one.kept:
        return Ripe(row.id, row.action, begun, None, False)  # noqa: FBT003
    if one.stood or one.longer:
        still = (moments[until] - moments[since] for since, until in one.stood)
        when = rule.moved(begun, sum(still, timedelta(0)), one.longer)
    else:
        when = rule.over(begun)
    if one.free and moments[one.free] > when:
        when = moments[one.free]
    return Ripe(row.id, row.action, begun, when, False)  # noqa: FBT003


def _longest(one: Ripe, rule: _Rule, found: Mapping[str, Ripe]) -> Ripe:
    when = one.when
    for name in rule.others:
        other = found.get(name)
        if other is None:
            continue
        if other.when is None:
            return one._replace(when=None)
        when = other.when if when is None or other.when > when else when
    return one._replace(when=when)
