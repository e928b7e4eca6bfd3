"""What a change of the schedule would do, said before anything happens. Pure.

Both versions are folded over the same rows of the fact table. What is counted does not grow with
the table: sums by rule and month, and the first few records of each kind of change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

from pydantic import Field

from services.retention.model.courses import Told
from services.retention.model.folding import Folding, Ripe
from shared.events.base import Instant, State
from shared.events.orders import Word
from shared.policy.retention import Action, LimitsRow

Change = Literal["at-once", "sooner", "later"]
SAMPLES: Final = 10  # of each rule and change
MOST_MONTHS: Final = 1_200


class Sample(State):
    """One record of those that a change is about."""

    kind: Word
    record: str
    before: Instant | None
    after: Instant | None
    holds: tuple[str, ...] = ()


class RuleChange(State):
    """What a change does by one rule. Months are those of the new date, ``never`` for none."""

    rule: Word
    action: Action
    change: Change
    records: int = Field(ge=0)
    held: int = Field(default=0, ge=0, description="Of those, under a hold; that stays so.")
    first: Instant | None = None
    last: Instant | None = None
    months: dict[str, int] = Field(default={}, description="How many, by month.")
    samples: tuple[Sample, ...] = ()


class Preview(State):
    """What became of a preview: of which version, against which, over how many records.

    ``at_once`` are records of which something would be deleted from ``starts`` on that would not
    be by the version in force; ``held`` of them stay for a hold. ``share`` is what they are of all.
    """

    schedule: str
    sha: str
    against: str
    against_sha: str
    at: Instant
    starts: Instant
    records: int
    at_once: int
    held: int
    share: float
    needs: int = Field(description="How many must approve it.")
    changes: tuple[RuleChange, ...] = ()


class Moved(NamedTuple):
    """What becomes of one rule's clock on a record."""

    rule: str
    action: Action
    change: Change
    before: datetime | None
    after: datetime | None
    started: datetime | None


@dataclass(slots=True)
class Sums:
    """Of one rule and change: how many, when, and the first few."""

    action: Action
    records: int = 0
    held: int = 0
    first: datetime | None = None
    last: datetime | None = None
    months: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class Previewing:
    """A preview under way: ``old`` is in force, ``new`` would be from ``starts`` on."""

    old: Folding
    new: Folding
    starts: datetime
    records: int = 0
    at_once: int = 0
    held: int = 0
    sums: dict[tuple[str, Change], Sums] = field(default_factory=dict)
    _same: dict[str, bool] = field(default_factory=dict)

    def untouched(self, kind: str) -> bool:
        """Say whether the change means nothing to records of a kind."""
        same = self._same.get(kind)
        if same is None:
            same = self._same[kind] = self.old.same(self.new, kind)
        return same

    def moved(self, kind: str, facts: Told) -> list[Moved]:
        """Return what becomes of the clocks of a record; nothing for most records."""
        before, after = self.old.fold(kind, facts), self.new.fold(kind, facts)
        if before == after:
            return []
        return list(_moved(before, after, self.starts))

    def count(self, kind: str, record: str, moved: Iterable[Moved], holds: Sequence[str]) -> None:
        """Add what becomes of a record; ``holds`` stand on it."""
        at_once = False
        for one in moved:
            sums = self.sums.get((one.rule, one.change))
            if sums is None:
                sums = self.sums[one.rule, one.change] = Sums(one.action)
            _add(sums, one, kind, record, holds)
            at_once = at_once or (one.change == "at-once" and one.action == "delete")
        if at_once:
            self.at_once += 1
            self.held += bool(holds)

    def done(self, limits: LimitsRow, *, at: datetime) -> Preview:
        """Say what it comes to; ``limits`` are those in force, not those of the change."""
        share = self.at_once / self.records if self.records else 0.0
        old, new = self.old.schedule, self.new.schedule
        order = {row.id: place for place, row in enumerate(new.file.rules)}
        return Preview(
            schedule=new.version,
            sha=new.sha,
            against=old.version,
            against_sha=old.sha,
            at=at,
            starts=self.starts,
            records=self.records,
            at_once=self.at_once,
            held=self.held,
            share=round(share, 6),
            needs=limits.approvers_above if share > limits.share else limits.approvers,
            changes=tuple(
                RuleChange(
                    rule=rule,
                    action=sums.action,
                    change=change,
                    records=sums.records,
                    held=sums.held,
                    first=sums.first,
                    last=sums.last,
                    months=dict(sorted(sums.months.items())),
                    samples=tuple(sums.samples),
                )
                for (rule, change), sums in sorted(
                    self.sums.items(), key=lambda one: (order.get(one[0][0], len(order)), one[0])
                )
            ),
        )


def _moved(before: Sequence[Ripe], after: Sequence[Ripe], starts: datetime) -> Iterable[Moved]:
    old = {one.rule: one for one in before}
    for new in after:
        was = old.pop(new.rule, None)
        when = was.when if was else None
        if new.when == when and (was is None or was.action == new.action):
            continue
        change = _change(when, new.when, starts)
        if change is not None:
            yield Moved(new.rule, new.action, change, when, new.when, new.started)
    for gone in old.values():
        if gone.when is not None:
            yield Moved(gone.rule, gone.action, "later", gone.when, None, gone.started)


def _change(before: datetime | None, after: datetime | None, starts: datetime) -> Change | None:
    if after is None or (before is not None and before < after):
        return "later" if before is not None else None
    if after <= starts:
        # What is due by the version in force is due whatever becomes of the change.
        return None if before is not None and before <= starts else "at-once"
    return "sooner"


def _add(sums: Sums, one: Moved, kind: str, record: str, holds: Sequence[str]) -> None:
    sums.records += 1
    sums.held += bool(holds)
    after = one.after
    month = f"{after:%Y-%m}" if after else "never"
    if month in sums.months or len(sums.months) < MOST_MONTHS:
        sums.months[month] = sums.months.get(month, 0) + 1
    if after is not None:
        sums.first = after if sums.first is None or after < sums.first else sums.first
        sums.last = after if sums.last is None or after > sums.last else sums.last
    if len(sums.samples) < SAMPLES:
        sums.samples.append(
            Sample(kind=kind, record=record, before=one.before, after=after, holds=tuple(holds))
        )
