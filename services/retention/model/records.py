"""Records that have clocks: one row each of the fact table, which clocks and previews read. Pure.

A row holds what was heard of a record, not what follows from it: clocks are folded from its facts
by whatever schedule is asked about. Nothing in it is personal; people stand as pseudonyms.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from pydantic import Field

from services.retention.model.clocks import Clock, clocks
from services.retention.model.facts import Fact, History, told
from shared.events.base import Instant, State, Version
from shared.events.orders import KeptUnits, Uuid, Word
from shared.policy.retention import Action, Schedule

ROUNDS: Final = uuid.UUID("6f1d6d3e-5a3c-5d0e-9b57-2f5a6b1c9d40")  # of ids of rounds (RFC 9562, v5)


class KeptFact(State):
    """A dated fact; without a date where nobody knows it any more."""

    what: Word
    at: Instant | None = None
    about: str = Field(default="", description="What hangs on the record, where it is about that.")


class Settled(State):
    """What was decided of one round of a clock: that it is due, and since when others know it."""

    clock: Uuid = Field(description="The round.")
    rule: Word
    clause: str
    schedule: str = Field(description="Version of the schedule that it was judged by.")
    action: Action
    classes: tuple[Word, ...] = Field(default=(), description="What goes; none: all.")
    due: Instant
    at: Instant
    told_at: Instant | None = Field(
        default=None, description="When the erasure was begun, or the review asked for."
    )
    erasure: str | None = None


class KeptRecord(State):
    """One record: its dated facts, whose keys open it, and what was decided by its clocks."""

    kind: Word
    record: str
    service: Word = Field(description="Who keeps the record itself.")
    facts: tuple[KeptFact, ...] = ()
    keys: tuple[KeptUnits, ...] = Field(default=(), description="What would go with it.")
    seen: Mapping[str, Version] = Field(
        default={}, description="By topic, the version that was heard last."
    )
    settled: tuple[Settled, ...] = ()
    version: Version

    @property
    def name(self) -> str:
        """Its key in the fact table."""
        return name_of(self.kind, self.record)

    @property
    def history(self) -> History:
        """What clocks are folded from."""
        return History(self.kind, self.record, tuple(map(fact_of, self.facts)))


def name_of(kind: str, record: str) -> str:
    """Return the key of a record in the fact table."""
    return f"{kind}:{record}"


def fact_of(kept: KeptFact) -> Fact:
    """Return a fact as clocks read it."""
    return Fact(kept.what, kept.at, kept.about)


def kept_facts(facts: Iterable[Fact]) -> tuple[KeptFact, ...]:
    """Return facts as they are kept: each once, by date."""
    return tuple(KeptFact(what=one.what, at=one.at, about=one.about) for one in told(facts))


def round_of(clock: Clock) -> str:
    """Return the id of this round of a clock: another where it began at another time.

    The version of the schedule is no part of it: what was acted upon is not due anew by a change.
    """
    return round_by(clock.kind, clock.record, clock.rule, clock.started)


def round_by(kind: str, record: str, rule: str, started: datetime | None) -> str:
    """Return the id of a round by what it follows from."""
    began = started.isoformat() if started else ""
    return str(uuid.uuid5(ROUNDS, f"{kind}:{record}:{rule}:{began}"))


def open_clocks(record: KeptRecord, schedule: Schedule) -> tuple[Clock, ...]:
    """Return the clocks of a record that nothing was decided by yet."""
    done = {one.clock for one in record.settled}
    return tuple(clock for clock in clocks(record.history, schedule) if round_of(clock) not in done)


def next_due(record: KeptRecord, schedule: Schedule) -> datetime | None:
    """Return when a record is to be looked at next: as soon as a clock of it is ripe.

    At once where something was decided and not told to whoever carries it out.
    """
    untold = [one.at for one in record.settled if one.told_at is None]
    ripe = [clock.ripe for clock in open_clocks(record, schedule) if clock.ripe]
    return min([*untold, *ripe], default=None)
