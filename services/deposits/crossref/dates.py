"""Dates of a deposit: partial ones (year, month, day as far as given) and stamps.

A work object has two shapes: `{"date-parts": [[2012, 5]]}` for what a publisher may know in part,
and the same with `date-time` and `timestamp` (milliseconds) for an instant.
"""

import calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

Parts = list[int]
Work = dict[str, Any]

OLDEST_YEAR, NEWEST_YEAR = 1400, 2200  # xrefYear
_MONTHS = range(1, 13)  # 21-24 and 31-34 are seasons and quarters: the wire shows the year alone


def partial(parts: Parts) -> Work:
    """Return the partial date of its parts."""
    return {"date-parts": [parts]}


def parts_of(year: str, *, month: str, day: str) -> Parts | None:
    """Return [year, month?, day?] of three texts ("" = not given), or None for an invalid year.

    A month that is a season or a quarter, and a day that its month does not have, are left out.
    """
    if not _number(year) or not OLDEST_YEAR <= int(year) <= NEWEST_YEAR:
        return None
    parts = [int(year)]
    if _number(month) and int(month) in _MONTHS:
        parts.append(int(month))
        if _number(day) and 1 <= int(day) <= calendar.monthrange(parts[0], parts[1])[1]:
            parts.append(int(day))
    return parts


def iso_parts(text: str) -> Parts | None:
    """Return the parts of an xs:date; some publishers write a whole time, whose date is taken."""
    found = text[:10].split("-")
    return parts_of(found[0], month=found[1], day=found[2]) if len(found) == 3 else None  # noqa: PLR2004 - year, month, day


def padded(parts: Parts) -> date:
    """Return the first day of a partial date."""
    year, month, day = (*parts, 1, 1)[:3]
    return date(year, month, day)


def earliest(dates: Iterable[Work]) -> Work | None:
    """Return the earliest of some partial dates; of two with one first day the less precise."""
    found = [d["date-parts"][0] for d in dates]
    return partial(list(min(found))) if found else None


def stamp(parts: Parts) -> Work:
    """Return the instant a partial date begins at."""
    day = padded(parts)
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        "date-parts": [[day.year, day.month, day.day]],
        "date-time": instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timestamp": int(instant.timestamp()) * 1000,
    }


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4  # noqa: PLR2004 - yyyy
