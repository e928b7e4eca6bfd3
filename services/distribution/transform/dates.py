"""Since when a work is what it is shown as: Last-Modified, which moves with what is shown. Pure.

A date has whole seconds, and a host learns of a change up to `lag` after it was made. A date is
therefore told only when both have passed: what was read before the change never bears its date.
"""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime


def settled(changes: list[datetime], now: datetime, *, lag: timedelta) -> datetime | None:
    """Return the date of the newest of ``changes``, None while it may not be told yet.

    The date is later than the change by ``lag``, rounded up to the second.
    """
    at = max(changes) + lag
    date = datetime.fromtimestamp(math.ceil(at.timestamp()), UTC)
    return date if date < now else None


def unmodified(since: str | None, date: datetime | None) -> bool:
    """Whether an If-Modified-Since header spares an answer of a date; one without is never."""
    if since is None or date is None:
        return False
    try:
        known = parsedate_to_datetime(since)
    except ValueError:
        return False
    return known.tzinfo is not None and known >= date


def header(date: datetime) -> str:
    """Return a date as headers have it."""
    return format_datetime(date, usegmt=True)
