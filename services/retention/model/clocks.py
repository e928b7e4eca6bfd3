"""Clocks: what is to be done with a record, when, and on which facts that rests. Pure.

``clocks`` folds the dated facts of one record by the schedule, ``judge`` says at a later moment
what may be done, holds included. Neither reads anything else.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from services.retention.model.calendar import WorkingDays, over, rounds, start_of_day
from services.retention.model.facts import EVER, Fact, History, by_date, told
from shared.policy.retention import Action, KeepRow, RuleRow, Schedule

Standing = Literal["running", "cancelled", "undated"]
Verdict = Literal["due", "early", "cancelled", "undated", "kept", "held", "waiting"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the schedule that keeps a record now, and the facts that it rests on.

    A rule whose clock stands still keeps it by itself.
    """

    keep: str
    clause: str
    because: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """One rule's clock on one record.

    ``because`` are the facts that started it, with the one that restarted it. ``due`` is when its
    period is over, None where that is not known or it was cancelled; ``stood`` is for how long it
    stood still before, and where it does now ``due`` recedes; ``free_since`` when the last thing
    that kept the record let go of it.
    """

    kind: str
    record: str
    rule: str
    clause: str
    version: str
    action: Action
    classes: tuple[str, ...]
    standing: Standing
    because: tuple[Fact, ...]
    started: datetime | None = None
    due: datetime | None = None
    restarted_by: Fact | None = None
    cancelled_by: Fact | None = None
    extended_by: Fact | None = None
    stood: timedelta = timedelta(0)
    kept: tuple[Kept, ...] = ()
    free_since: datetime | None = None

    @property
    def ripe(self) -> datetime | None:
        """From when on it may be acted on, but for holds; None while nobody can say."""
        if self.standing != "running" or self.due is None or self.kept:
            return None
        return max(self.due, self.free_since or self.due)


@dataclass(frozen=True, slots=True)
class Hold:
    """A decision that a record stays; several may stand on one (DOAJ-6a4)."""

    hold: str
    released: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Say whether it still stands."""
        return self.released is None or self.released > now


@dataclass(frozen=True, slots=True)
class Judged:
    """What may be done by a clock at a moment, and why not.

    ``since`` is from when on it might have been done; ``holds`` are those that stand, ``waits_for``
    other rules that keep the record longer.
    """

    clock: Clock
    verdict: Verdict
    at: datetime
    since: datetime | None = None
    holds: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One time that a rule's list is made."""

    rule: str
    version: str
    at: datetime


def clocks(history: History, schedule: Schedule) -> tuple[Clock, ...]:
    """Return every clock that the facts of a record ever started, in the order of the schedule.

    Raises ``PolicyError`` for a kind that the schedule does not have.
    """
    facts = told(history.facts)
    keeps = [_Keeping.of(row, facts) for row in schedule.keeps_of(history.kind)]
    runs = [(rule, _run(rule, facts)) for rule in schedule.rules_of(history.kind)]
    return tuple(
        _clock(history, schedule, rule, run, keeps=keeps, facts=facts)
        for rule, run in runs
        if run is not None
    )


def kept(history: History, schedule: Schedule, action: Action = "delete") -> tuple[Kept, ...]:
    """Return what keeps a record from an action by its facts, whoever wants it (DOAJ-1b5, 6a1)."""
    facts = told(history.facts)
    keeps = [_Keeping.of(row, facts) for row in schedule.keeps_of(history.kind)]
    return tuple(one.kept for one in keeps if one.kept and action in one.row.stops)


def judge(
    every: Collection[Clock], now: datetime, holds: Iterable[Hold] = ()
) -> tuple[Judged, ...]:
    """Say of all clocks of one record what may be done now, with the holds on that record.

    A deletion waits for every other clock that deletes some of the same: the longest wins. Holds
    stop deletions alone, and are named in every answer.
    """
    placed = tuple(holds)
    standing = tuple(sorted(hold.hold for hold in placed if hold.stands(now)))
    released = [hold.released for hold in placed if hold.released and hold.released <= now]
    return tuple(_judged(clock, every, now, standing, released) for clock in every)


def due(every: Collection[Clock], now: datetime, holds: Iterable[Hold] = ()) -> tuple[Judged, ...]:
    """Return what may be done now: what ``judge`` finds due, and nothing early (law P6)."""
    return tuple(found for found in judge(every, now, holds) if found.verdict == "due")


def reports(schedule: Schedule, since: datetime, until: datetime) -> tuple[Round, ...]:
    """Return when lists are to be made after ``since`` and up to ``until``, oldest first."""
    found = [
        Round(rule.id, schedule.version, at)
        for rule in schedule.file.rules
        if rule.every is not None
        for at in rounds(
            start_of_day(rule.since, schedule.zone), rule.every, schedule.zone, since, until
        )
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.rule)))


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What a row of the schedule does to a record: keeps it now, or let go of it at some time."""

    row: KeepRow
    kept: Kept | None
    free_since: datetime | None

    @classmethod
    def of(cls, row: KeepRow, facts: Sequence[Fact]) -> "_Keeping":
        """Fold the facts, for each thing that they are about."""
        begun: dict[str, Fact] = {}
        ended: dict[str, datetime] = {}
        for fact in facts:
            if fact.what in row.begins:
                begun[fact.about] = fact
            elif fact.what in row.until and fact.at is not None:
                # An end without a date may have come before the beginning: it frees nothing.
                ended[fact.about] = fact.at
        open_ = [
            fact
            for about, fact in sorted(begun.items())
            if about not in ended or ended[about] <= (fact.at or EVER)
        ]
        kept = Kept(row.id, row.clause, tuple(open_)) if open_ else None
        over = [at for about, at in ended.items() if about in begun]
        return cls(row, kept, max(over, default=None))


@dataclass(slots=True)
class _Run:
    """A rule's clock while its facts are folded: what started it last, and what became of it."""

    seen: dict[str, Fact] = field(default_factory=dict)
    running: bool = False
    restarted: Fact | None = None
    cancelled: Fact | None = None

    @property
    def because(self) -> tuple[Fact, ...]:
        facts = [*self.seen.values(), *([self.restarted] if self.restarted else [])]
        return tuple(sorted(facts, key=by_date))

    @property
    def started(self) -> datetime | None:
        """When it began to run; None where a fact of it has no date."""
        if self.restarted is not None:
            return self.restarted.at
        moments = [fact.at for fact in self.seen.values()]
        return max((at or EVER for at in moments), default=None) if all(moments) else None


def _run(rule: RuleRow, facts: Sequence[Fact]) -> _Run | None:
    """Fold a rule over facts; None where they never started it."""
    run, ended = _Run(), None
    wanted = 1 if rule.any else len(set(rule.all))
    named = [fact for fact in facts if fact.what in rule.named]
    for fact in sorted(named, key=lambda one: (one.at or EVER, one.what in rule.cancel)):
        if fact.what in rule.cancel:
            if run.running:
                run.cancelled, ended = fact, run
            run = _Run()
        elif run.running:
            if fact.what in rule.restart:
                run.restarted = fact
        elif fact.what in rule.triggers:
            run.seen.setdefault(fact.what, fact)
            run.running = len(run.seen) == wanted
    return run if run.running else ended


def _unsure(rule: RuleRow, facts: Sequence[Fact]) -> bool:
    """Say whether a fact without a date may have ended or restarted a clock after it began."""
    return any(
        fact.at is None and (fact.what in rule.cancel or fact.what in rule.restart)
        for fact in facts
    )


def _clock(
    history: History,
    schedule: Schedule,
    rule: RuleRow,
    run: _Run,
    *,
    keeps: Sequence[_Keeping],
    facts: Sequence[Fact],
) -> Clock:
    stopping = [one for one in keeps if rule.action in one.row.stops]
    standing: Standing = "running"
    started = run.started
    if run.cancelled is not None:
        standing = "cancelled"
    elif started is None or _unsure(rule, facts):
        standing = "undated"
    due: datetime | None = None
    extended: Fact | None = None
    stood = timedelta(0)
    kept_by = [one.kept for one in stopping if one.kept]
    if standing == "running" and started is not None:
        stood, still = _still(rule, facts, started)
        extended = _extended(rule, facts, started)
        days = WorkingDays.of(schedule.file.days)
        due = over(rule, started, days, schedule.zone, stood=stood, extended=extended is not None)
        kept_by += [Kept(rule.id, rule.clause, still)] if still else []
    return Clock(
        kind=history.kind,
        record=history.record,
        rule=rule.id,
        clause=rule.clause,
        version=schedule.version,
        action=rule.action,
        classes=tuple(rule.classes),
        standing=standing,
        because=run.because,
        started=started,
        due=due,
        restarted_by=run.restarted,
        cancelled_by=run.cancelled,
        extended_by=extended,
        stood=stood,
        kept=tuple(kept_by),
        free_since=max((one.free_since for one in stopping if one.free_since), default=None),
    )


def _still(
    rule: RuleRow, facts: Sequence[Fact], started: datetime
) -> tuple[timedelta, tuple[Fact, ...]]:
    """Return for how long a clock stood still since it began, and the facts by which it does now.

    A pause without a date stands from the beginning; an end without one ends nothing.
    """
    named = [fact for fact in facts if fact.what in rule.pauses or fact.what in rule.resumes]
    open_: dict[str, Fact] = {}
    since, whole = started, timedelta(0)
    for fact in sorted(named, key=lambda one: (one.at or EVER, one.what in rule.pauses)):
        at = max(fact.at or EVER, started)
        if fact.what in rule.pauses:
            since = since if open_ else at
            open_.setdefault(fact.about, fact)
        elif fact.at is not None and fact.about in open_:
            del open_[fact.about]
            whole += timedelta(0) if open_ else at - since
    return whole, tuple(open_.values())


def _extended(rule: RuleRow, facts: Sequence[Fact], started: datetime) -> Fact | None:
    """Return the first fact that made a period longer; one without a date counts, to keep."""
    return next(
        (
            one
            for one in facts
            if one.what in rule.extends and (one.at is None or one.at >= started)
        ),
        None,
    )


def _judged(
    clock: Clock,
    every: Collection[Clock],
    now: datetime,
    standing: tuple[str, ...],
    released: Sequence[datetime],
) -> Judged:
    ripe = clock.ripe
    if clock.standing != "running" or clock.due is None:
        verdict: Verdict = "undated" if clock.standing == "undated" else "cancelled"
        return Judged(clock, verdict, now, holds=standing)
    if now < (ripe or clock.due):
        return Judged(clock, "early", now, holds=standing)
    if ripe is None:
        return Judged(clock, "kept", now, holds=standing)
    if clock.action != "delete":
        return Judged(clock, "due", now, ripe, standing)
    others = [one for one in every if one is not clock and _same(clock, one)]
    longer = tuple(one.rule for one in others if one.ripe is None or one.ripe > now)
    if standing or longer:
        return Judged(clock, "held" if standing else "waiting", now, None, standing, longer)
    since = max((ripe, *released, *(one.ripe for one in others if one.ripe)))
    return Judged(clock, "due", now, since)


def _same(clock: Clock, other: Clock) -> bool:
    """Say whether another clock that still runs deletes some of what this one deletes."""
    if other.action != "delete" or other.standing == "cancelled":
        return False
    # A rule without classes deletes all that is kept under the record.
    return (
        not clock.classes or not other.classes or not set(clock.classes).isdisjoint(other.classes)
    )
