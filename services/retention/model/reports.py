"""Lists that a rule asks for: what is old enough, and apart from it what nobody can date. Pure.

The yearly one is of accounts without records that are older than seven years (DOAJ-6b2, 6b3). It
is made as of a moment: of facts up to then, by the schedule in force then.
"""

from datetime import datetime
from typing import Literal

from services.retention.model.clocks import Clock, clocks
from services.retention.model.facts import EVER, Fact, History
from services.retention.model.records import KeptRecord
from shared.events.base import Instant, State
from shared.policy.retention import RuleRow, Schedule

Section = Literal["listed", "undated"]


class Item(State):
    """A record in a list: its first day, where that is known, and since when it is old enough."""

    section: Section
    kind: str
    record: str
    started: Instant | None
    since: Instant | None
    holds: tuple[str, ...] = ()


def rule_of(schedule: Schedule, kind: str) -> RuleRow | None:
    """Return the rule that lists records of a kind."""
    return next((row for row in schedule.rules.get(kind, ()) if row.action == "report"), None)


def until(record: KeptRecord, at: datetime) -> History:
    """Return a record as its facts were at a moment; those without a date came before all."""
    facts: tuple[Fact, ...] = record.history.facts
    return History(
        record.kind, record.record, tuple(one for one in facts if (one.at or EVER) <= at)
    )


def item(record: KeptRecord, rule: RuleRow, schedule: Schedule, at: datetime) -> Item | None:
    """Return how a record stands in the list of a rule at a moment, or None.

    What anything keeps, such as a record that hangs on an account, is in neither section.
    """
    every = clocks(until(record, at), schedule)
    clock: Clock | None = next((one for one in every if one.rule == rule.id), None)
    if clock is None or clock.kept:
        return None
    said = {"kind": record.kind, "record": record.record}
    if clock.standing == "undated":
        return Item(section="undated", started=clock.started, since=None, **said)
    if clock.ripe is None or clock.ripe > at:
        return None
    return Item(section="listed", started=clock.started, since=clock.ripe, **said)
