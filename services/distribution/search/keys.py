"""Sort keys: one unsigned number per work and sort, so that every list has one total order.

The upper 40 bits are the sorted value (seconds since year one for moments, the number itself for
counts), the lower 24 a hash of the DOI. The hash spreads the works of one day or one count over
many keys; works that still share a key are ordered by DOI (paging.py). Seconds begin in year one,
so dates before 1970 order rightly.
"""

import calendar
import datetime as dt
import hashlib
import re
import zlib
from collections.abc import Sequence
from typing import Final

HASH_BITS: Final = 24
HASH_MASK: Final = (1 << HASH_BITS) - 1
DRAW_BITS: Final = 32
SECONDS_PER_DAY: Final = 86_400
UNKNOWN_LAST_DESCENDING: Final = 0
UNKNOWN_LAST_ASCENDING: Final = (1 << 39) - 1  # past the last second of year 9999 (2**38.2)

_FILTER_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def sort_key(value: int, doi: str) -> int:
    """Join a value below 2**40 and the DOI's hash into the key that lists are ordered by."""
    return (value << HASH_BITS) | (zlib.crc32(doi.encode()) >> (32 - HASH_BITS))


def draw_key(doi: str) -> int:
    """Return 32 bits that say nothing of a work: samples are drawn from their whole range."""
    return int.from_bytes(hashlib.blake2b(doi.encode(), digest_size=DRAW_BITS // 8).digest(), "big")


def key_span(first: int | None, last: int | None) -> tuple[int, int]:
    """Return the lowest and highest key of the values first..last; unknown values are outside."""
    low = UNKNOWN_LAST_DESCENDING + 1 if first is None else first
    high = UNKNOWN_LAST_ASCENDING - 1 if last is None else last
    return low << HASH_BITS, (high << HASH_BITS) | HASH_MASK


def seconds_of(moment: dt.datetime | str) -> int:
    """Return the seconds from year one to an aware moment, or to its RFC 3339 form."""
    when = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    when = when.astimezone(dt.UTC)
    return when.toordinal() * SECONDS_PER_DAY + when.hour * 3600 + when.minute * 60 + when.second


def first_second(parts: Sequence[object]) -> int | None:
    """Return the first second of a partial date [year, month?, day?], None if there is no year.

    Parts that no calendar has are read as missing: a publisher's slip must not stop the index.
    """
    numbers = [part for part in parts if isinstance(part, int)]
    for known in range(min(len(numbers), 3), 0, -1):
        year, month, day = [*numbers[:known], 1, 1][:3]
        try:
            return dt.date(year, month, day).toordinal() * SECONDS_PER_DAY
        except (ValueError, OverflowError):
            continue
    return None


def date_bounds(text: str) -> tuple[int, int] | None:
    """Return first and last second of YYYY, YYYY-MM or YYYY-MM-DD; None if no such date exists."""
    match = _FILTER_DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        first = dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    last_month = first.month if month else 12
    last_day = first.day if day else calendar.monthrange(first.year, last_month)[1]
    last = dt.date(first.year, last_month, last_day)
    return first.toordinal() * SECONDS_PER_DAY, (last.toordinal() + 1) * SECONDS_PER_DAY - 1
