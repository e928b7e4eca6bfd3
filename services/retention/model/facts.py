"""Dated facts: all that clocks know of a record.

The same facts give the same clocks in whatever order and however often they were heard, and a late
one gives what it would have given in time. Facts of one moment are told apart in favour of keeping:
what cancels comes last, and what keeps a record outlasts what frees it.

A fact without a date comes before all dated ones, and is forgotten once its date is known. A clock
that rests on one is never due; people look at it (DOAJ-6b3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened to a record, and when; ``about`` tells things apart that hang on it.

    ``at`` is None where nobody knows any more, as of accounts that were migrated.
    """

    what: str
    at: datetime | None
    about: str = ""

    def __post_init__(self) -> None:
        if self.at is not None:
            if self.at.tzinfo is None:
                raise ValueError(f"fact {self.what!r}: give its time an offset from UTC")
            object.__setattr__(self, "at", self.at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class History:
    """One record: its kind, a row of the schedule, its name there, and its facts in any order."""

    kind: str
    record: str
    facts: tuple[Fact, ...]


def told(facts: Iterable[Fact]) -> list[Fact]:
    """Return each fact once, by date; without those of no date whose date is known too."""
    every = set(facts)
    dated = {(fact.what, fact.about) for fact in every if fact.at is not None}
    left = (fact for fact in every if fact.at or (fact.what, fact.about) not in dated)
    return sorted(left, key=by_date)


def by_date(fact: Fact) -> tuple[datetime, str, str]:
    """Return the place of a fact among others; those without a date come first."""
    return (fact.at or EVER, fact.what, fact.about)
