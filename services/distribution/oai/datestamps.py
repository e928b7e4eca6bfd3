"""Datestamps: when a record last changed, to the second, and the spans that harvesters ask for.

The granularity is that of seconds; as the protocol demands of such a repository, days are
understood too (OAI-PMH 3.3.1). A record's datestamp is the second in which its newest deposit was
accepted. What others decide of it, its owner or who may see its references, does not move it.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from services.distribution.oai.faults import Fault
from services.distribution.search.keys import SECONDS_PER_DAY, seconds_of

GRANULARITY: Final = "YYYY-MM-DDThh:mm:ssZ"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECOND: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """First and last second since year one that is asked for; None for an open end."""

    first: int | None = None
    last: int | None = None

    def holds(self, second: int) -> bool:
        """Whether a datestamp lies within it."""
        after = self.first is None or self.first <= second
        return after and (self.last is None or second <= self.last)


def written(seconds: int) -> str:
    """Return a second since year one as a datestamp."""
    day, rest = divmod(seconds, SECONDS_PER_DAY)
    date = dt.date.fromordinal(day)
    return f"{date.isoformat()}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def span_of(from_: str | None, until: str | None) -> Span:
    """Return the span that two arguments ask for, both inclusive; raises ``Fault``."""
    first = None if from_ is None else _bounds("from", from_)[0]
    last = None if until is None else _bounds("until", until)[1]
    if from_ is not None and until is not None and len(from_) != len(until):
        raise Fault("badArgument", "from and until are of one granularity.")
    if first is not None and last is not None and first > last:
        raise Fault("badArgument", "from is later than until.")
    return Span(first, last)


def _bounds(name: str, text: str) -> tuple[int, int]:
    """Return the first and last second of what an argument names."""
    try:
        if _DAY.fullmatch(text):
            first = dt.date.fromisoformat(text).toordinal() * SECONDS_PER_DAY
            return first, first + SECONDS_PER_DAY - 1
        if _SECOND.fullmatch(text):
            second = seconds_of(text[:-1] + "+00:00")
            return second, second
    except ValueError:
        pass
    raise Fault("badArgument", f"{name} is YYYY-MM-DD or {GRANULARITY}.")
