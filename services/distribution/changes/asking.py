"""The parameters of the feed of changes, checked as all others are. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.distribution.rest.failure import Failure, not_allowed, not_an_integer

NAMES: Final = ("since", "rows", "wait", "mailto")
ROWS, MOST_ROWS = 100, 1_000
LONGEST_WAIT: Final = 30  # seconds
BEGINNING, PRESENT = "*", "now"


@dataclass(frozen=True, slots=True)
class Asked:
    """From where (``*``, ``now``, a time in milliseconds, or a token), how many, how long."""

    since: str | int = PRESENT
    rows: int = ROWS
    wait: int = 0


def parse(pairs: Iterable[tuple[str, str]]) -> Asked | list[Failure]:
    """Read the parameters; returns all failures where there are any."""
    given = dict(pairs)
    failures = [not_allowed(name) for name in given if name not in NAMES]
    rows = _number(given.get("rows"), ROWS, MOST_ROWS, failures)
    wait = _number(given.get("wait"), 0, LONGEST_WAIT, failures)
    return failures or Asked(_since(given.get("since", PRESENT)), rows, wait)


def _number(text: str | None, default: int, most: int, failures: list[Failure]) -> int:
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most:  # noqa: PLR2004
        return int(text)
    failures.append(not_an_integer(text, most=most))
    return default


def _since(text: str) -> str | int:
    """Return a date or time as milliseconds of the epoch, anything else as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0, int(when.timestamp() * 1000))
