"""Clocks of very many records, by tables that are prepared once for a schedule. Pure.

``model.clocks`` says what a clock is and explains each; here is the same answer without the
explanation, for previews and lists over the whole fact table. That both say the same is a law
(P6, tests/laws/test_P6_folding.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from services.retention.model.calendar import WorkingDays, due_at, moved, start_of_day
from services.retention.model.facts import EVER
from shared.policy.retention import Action, KeepRow, RuleRow, Schedule

Told = tuple[str, datetime | None, str]  # what, when, about what: as ``facts.told`` leaves them
Memo = dict[Any, Any]  # what was folded of one record
_Kept = tuple[bool, datetime | None]
CANCEL: Final = 4
RESTART: Final = 2
START: Final = 1


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


@dataclass(frozen=True, slots=True, eq=False)
class _Starts:
    """What each fact does to a clock, and how many different ones start it."""

    roles: Mapping[str, int]
    wanted: int


@dataclass(frozen=True, slots=True, eq=False)
class _Keep:
    """Which facts begin to keep a record, and which end it."""

    begins: frozenset[str]
    until: frozenset[str]


@dataclass(slots=True)
class _Rule:
    """A rule's row as a table."""

    row: RuleRow
    starts: _Starts
    over: Callable[[datetime], datetime]
    others: tuple[int, ...] = ()  # rules of the kind that delete some of the same
    keeps: tuple[_Keep, ...] = ()  # what stops its action


@dataclass(frozen=True, slots=True)
class _Kind:
    rules: tuple[_Rule, ...]
    meet: bool  # whether any two delete some of the same


@dataclass(frozen=True, slots=True)
class Folding:
    """A schedule, prepared."""

    schedule: Schedule
    kinds: Mapping[str, _Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, schedule: Schedule) -> "Folding":
        """Prepare a schedule."""
        return cls(schedule, {kind: _prepared(schedule, kind) for kind in schedule.rules})

    def fold(self, kind: str, facts: Sequence[Told], memo: Memo | None = None) -> list[Ripe]:
        """Return the clocks of a record that were not cancelled, in the order of the schedule.

        ``facts`` are each once and by date. A kind that the schedule does not have has no clock.
        With a ``memo`` of this record, what another schedule says in the same words is not folded
        again.
        """
        known = self.kinds.get(kind)
        if known is None or not facts:
            return []
        if memo is None:
            memo = {}
        found = [_ripe(rule, facts, memo) for rule in known.rules]
        if known.meet:
            found = [
                _longest(one, rule, found) if one and one.when and rule.others else one
                for rule, one in zip(known.rules, found, strict=True)
            ]
        return [one for one in found if one is not None]

    def same(self, other: "Folding", kind: str) -> bool:
        """Say whether another schedule gives every record of a kind the same clocks."""
        mine, theirs = self.schedule, other.schedule
        return (
            mine.rules.get(kind) == theirs.rules.get(kind)
            and mine.keeps.get(kind) == theirs.keeps.get(kind)
            and mine.file.zone == theirs.file.zone
            and mine.file.days == theirs.file.days
        )


def told_of(facts: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Read the facts of a kept record, as its JSON has them: each once and by date."""
    read = datetime.fromisoformat
    return [(one["what"], read(at) if (at := one["at"]) else None, one["about"]) for one in facts]


def _prepared(schedule: Schedule, kind: str) -> _Kind:
    rows, keeps = schedule.rules_of(kind), schedule.keeps_of(kind)
    rules = []
    for row in rows:
        rule = _Rule(row, _starts(row), _over(schedule, row))
        rule.keeps = tuple(_keep(keep) for keep in keeps if row.action in keep.stops)
        rule.others = tuple(i for i, other in enumerate(rows) if _same(row, other))
        rules.append(rule)
    return _Kind(tuple(rules), any(rule.others for rule in rules))


def _starts(row: RuleRow) -> _Starts:
    roles = dict.fromkeys(row.cancel, CANCEL)
    for name in row.triggers:
        roles[name] = roles.get(name, 0) | START
    for name in row.restart:
        roles[name] = roles.get(name, 0) | RESTART
    return _one_of(frozenset(roles.items()), 1 if row.any else len(set(row.all)))


@lru_cache(maxsize=1_000)
def _one_of(roles: frozenset[tuple[str, int]], wanted: int) -> _Starts:
    """Return one table for rules that start alike, so that both versions know it as the same."""
    return _Starts(dict(roles), wanted)


def _keep(row: KeepRow) -> _Keep:
    return _one_keep(frozenset(row.begins), frozenset(row.until))


@lru_cache(maxsize=1_000)
def _one_keep(begins: frozenset[str], until: frozenset[str]) -> _Keep:
    return _Keep(begins, until)


def _same(row: RuleRow, other: RuleRow) -> bool:
    """Say whether another rule deletes some of what this one does: then the longest wins."""
    if row is other or row.action != "delete" or other.action != "delete":
        return False
    return not row.classes or not other.classes or not set(row.classes).isdisjoint(other.classes)


def _over(schedule: Schedule, row: RuleRow) -> Callable[[datetime], datetime]:
    """Return what says when the period of a rule is over; what it said is remembered.

    Where every day has as many hours, the day alone says how long a period of whole days is.
    """
    zone, days = schedule.zone, WorkingDays.of(schedule.file.days)
    since = start_of_day(row.since, zone)
    ends: dict[date, datetime] = {}
    lengths: dict[date, timedelta] = {}

    def end(started: datetime) -> datetime:
        return moved(due_at(started, row.period, row.falls, zone), row.moved, days, zone)

    def by_moment(started: datetime) -> datetime:
        return max(end(started), since)

    def by_last_day(started: datetime) -> datetime:
        day = started.date()
        known = ends.get(day)
        if known is None:
            known = ends[day] = max(end(started), since)
        return known

    def by_length(started: datetime) -> datetime:
        day = started.date()
        length = lengths.get(day)
        if length is None:
            length = lengths[day] = end(started) - started
        return max(started + length, since)

    if zone is not UTC or row.period.timed:
        return by_moment
    return by_last_day if row.falls == "end-of-day" else by_length


def _kept(keep: _Keep, facts: Sequence[Told]) -> _Kept:
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


def _ripe(rule: _Rule, facts: Sequence[Told], memo: Memo) -> Ripe | None:
    starts = rule.starts
    known = memo.get(starts)
    if known is None:
        known = memo[starts] = _begun(starts, facts)
    begun, unsure = known
    if begun is None:
        return None
    row = rule.row
    if unsure or begun is EVER:
        return Ripe(row.id, row.action, None if begun is EVER else begun, None, True)  # noqa: FBT003
    when = rule.over(begun)
    for keep in rule.keeps:
        known = memo.get(keep)
        if known is None:
            known = memo[keep] = _kept(keep, facts)
        kept, free = known
        if kept:
            return Ripe(row.id, row.action, begun, None, False)  # noqa: FBT003
        if free is not None and free > when:
            when = free
    return Ripe(row.id, row.action, begun, when, False)  # noqa: FBT003


def _begun(starts: _Starts, facts: Sequence[Told]) -> tuple[datetime | None, bool]:
    """Return when a running clock began, and whether a fact without a date may have ended it.

    ``EVER`` where a fact that it began with has no date; None where no clock runs.
    """
    roles = starts.roles
    named = [(at, role, what) for what, at, _ in facts if (role := roles.get(what))]
    if len(named) < 2:  # most records  # noqa: PLR2004
        if not named or starts.wanted > 1 or not named[0][1] & START:
            return None, False
        at, role, _ = named[0]
        return (EVER, role > START) if at is None else (at, False)
    if any(role == CANCEL for _, role, _ in named):
        named.sort(key=_place)
    unsure = any(at is None and role > START for at, role, _ in named)
    return _run(named, starts.wanted), unsure


def _run(named: Sequence[tuple[datetime | None, int, str]], wanted: int) -> datetime | None:
    seen: dict[str, datetime] = {}
    running = False
    restarted: datetime | None = None
    for at, role, what in named:
        if role == CANCEL:
            seen, running, restarted = {}, False, None
        elif running:
            if role & RESTART:
                restarted = at or EVER
        elif role & START:
            seen.setdefault(what, at or EVER)
            running = len(seen) == wanted
    if not running:
        return None
    if restarted is not None:
        return restarted
    return EVER if EVER in seen.values() else max(seen.values())


def _place(one: tuple[datetime | None, int, str]) -> tuple[datetime, bool]:
    """Return the place of a fact in a rule's order: of one moment, what cancels comes last."""
    return (one[0] or EVER, one[1] == CANCEL)


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
