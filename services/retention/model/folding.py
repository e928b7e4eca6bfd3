"""Clocks of very many records, by tables that are prepared once for a schedule. Pure.

``model.clocks`` says what a clock is and explains each; here is the same answer without the
explanation, for previews and lists over the whole fact table. That both say the same is a law
(P6, tests/laws/test_P6_folding.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Final, NamedTuple

from services.retention.model.calendar import WorkingDays, due_at, moved, start_of_day
from services.retention.model.facts import EVER
from shared.policy.retention import Action, KeepRow, RuleRow, Schedule

Told = tuple[str, datetime | None, str]  # what, when, about what: as ``facts.told`` leaves them
CANCEL: Final = 4
RESTART: Final = 2
START: Final = 1
MOST_REMEMBERED: Final = 50_000  # ends of periods; dates cluster, and there are few of them
_PLACE: Final = itemgetter(0, 1)


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
    """A rule's row as a table: what each fact does to its clock."""

    row: RuleRow
    roles: Mapping[str, int]
    wanted: int
    over: Callable[[datetime], datetime]
    others: tuple[int, ...] = ()  # rules of the kind that delete some of the same
    keeps: tuple[int, ...] = ()  # rows that stop its action
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class _Keep:
    begins: frozenset[str]
    until: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Kind:
    rules: tuple[_Rule, ...]
    keeps: tuple[_Keep, ...]


@dataclass(frozen=True, slots=True)
class Folding:
    """A schedule, prepared."""

    schedule: Schedule
    kinds: Mapping[str, _Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, schedule: Schedule) -> "Folding":
        """Prepare a schedule."""
        return cls(schedule, {kind: _prepared(schedule, kind) for kind in schedule.rules})

    def fold(self, kind: str, facts: Sequence[Told]) -> list[Ripe]:
        """Return the clocks of a record that were not cancelled, in the order of the schedule.

        ``facts`` are each once and by date. A kind that the schedule does not have has no clock.
        """
        known = self.kinds.get(kind)
        if known is None or not facts:
            return []
        keeps = [_kept(keep, facts) for keep in known.keeps]
        found = [_ripe(rule, facts, keeps) for rule in known.rules]
        return [
            one if not rule.others or one.when is None else _longest(one, rule, found)
            for rule, one in zip(known.rules, found, strict=True)
            if one is not None
        ]

    def same(self, other: "Folding", kind: str) -> bool:
        """Say whether another schedule gives every record of a kind the same clocks."""
        mine, theirs = self.schedule, other.schedule
        return (
            mine.rules.get(kind) == theirs.rules.get(kind)
            and mine.keeps.get(kind) == theirs.keeps.get(kind)
            and mine.file.zone == theirs.file.zone
            and mine.file.days == theirs.file.days
        )


def told_of(facts: Iterable[Mapping[str, str | None]]) -> list[Told]:
    """Read the facts of a kept record, as its JSON has them: each once and by date."""
    read = datetime.fromisoformat
    return [
        (one["what"] or "", read(at) if (at := one["at"]) else None, one["about"] or "")
        for one in facts
    ]


def _prepared(schedule: Schedule, kind: str) -> _Kind:
    rows, keeps = schedule.rules_of(kind), schedule.keeps_of(kind)
    rules = []
    for row in rows:
        roles = dict.fromkeys(row.cancel, CANCEL)
        for name in row.triggers:
            roles[name] = roles.get(name, 0) | START
        for name in row.restart:
            roles[name] = roles.get(name, 0) | RESTART
        rule = _Rule(row, roles, 1 if row.any else len(set(row.all)), _over(schedule, row))
        rule.cancels = bool(row.cancel)
        rule.keeps = tuple(i for i, keep in enumerate(keeps) if row.action in keep.stops)
        rule.others = tuple(i for i, other in enumerate(rows) if _same(row, other))
        rules.append(rule)
    return _Kind(tuple(rules), tuple(map(_keep, keeps)))


def _keep(row: KeepRow) -> _Keep:
    return _Keep(frozenset(row.begins), frozenset(row.until))


def _same(row: RuleRow, other: RuleRow) -> bool:
    """Say whether another rule deletes some of what this one does: then the longest wins."""
    if row is other or row.action != "delete" or other.action != "delete":
        return False
    return not row.classes or not other.classes or not set(row.classes).isdisjoint(other.classes)


def _over(schedule: Schedule, row: RuleRow) -> Callable[[datetime], datetime]:
    """Return what says when the period of a rule is over; what it said is remembered."""
    zone, days = schedule.zone, WorkingDays.of(schedule.file.days)
    since = start_of_day(row.since, zone)
    by_day = zone is UTC and row.falls == "end-of-day"  # then the time of day says nothing
    remembered: dict[date, datetime] = {}  # datetimes are dates

    def over(started: datetime) -> datetime:
        key = started.date() if by_day else started
        found = remembered.get(key)
        if found is None:
            end = moved(due_at(started, row.period, row.falls, zone), row.moved, days, zone)
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
            found = remembered[key] = max(end, since)
        return found

    return over


def _kept(keep: _Keep, facts: Sequence[Told]) -> tuple[bool, datetime | None]:
    """Return whether a row keeps the record now, and when it last let go of it."""
    begun: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for what, at, about in facts:
        if what in keep.begins:
            begun[about] = at or EVER
        elif at is not None and what in keep.until:
            ended[about] = at
    if not begun:
        return False, None
    kept, free = False, None
    for about, at in begun.items():
        end = ended.get(about)
        if end is None:
            kept = True
            continue
        kept = kept or end <= at
        free = end if free is None or end > free else free
    return kept, free


def _ripe(
    rule: _Rule, facts: Sequence[Told], keeps: Sequence[tuple[bool, datetime | None]]
) -> Ripe | None:
    roles = rule.roles
    named = [
        (at or EVER, role == CANCEL, role, what, at is None)
        for what, at, _ in facts
        if (role := roles.get(what))
    ]
    if not named:
        return None
    if rule.cancels and len(named) > 1:
        named.sort(key=_PLACE)
    begun, unsure = _begun(named, rule.wanted)
    if begun is None:
        return None
    row = rule.row
    if unsure or begun is EVER:
        return Ripe(row.id, row.action, None if begun is EVER else begun, None, undated=True)
    when = rule.over(begun)
    for place in rule.keeps:
        kept, free = keeps[place]
        if kept:
            return Ripe(row.id, row.action, begun, None, undated=False)
        if free is not None and free > when:
            when = free
    return Ripe(row.id, row.action, begun, when, undated=False)


def _begun(
    named: Sequence[tuple[datetime, bool, int, str, bool]], wanted: int
) -> tuple[datetime | None, bool]:
    """Return when a running clock began, and whether a fact without a date may have ended it.

    ``EVER`` where a fact that it began with has no date; None where no clock runs.
    """
    seen: dict[str, datetime] = {}
    running = unsure = False
    restarted: datetime | None = None
    for at, cancels, role, what, undated in named:
        unsure = unsure or (undated and role > START)
        if cancels:
            seen, running, restarted = {}, False, None
        elif running:
            if role & RESTART:
                restarted = EVER if undated else at
        elif role & START:
            seen.setdefault(what, EVER if undated else at)
            running = len(seen) == wanted
    if not running:
        return None, unsure
    if restarted is not None:
        return restarted, unsure
    if len(seen) == 1:
        return next(iter(seen.values())), unsure
    return (EVER if EVER in seen.values() else max(seen.values())), unsure


def _longest(one: Ripe, rule: _Rule, found: Sequence[Ripe | None]) -> Ripe:
    when = one.when
    for place in rule.others:
        other = found[place]
        if other is None:
            continue
        if other.when is None:
            return one._replace(when=None)
        when = other.when if when is None or other.when > when else when
    return one._replace(when=when)
