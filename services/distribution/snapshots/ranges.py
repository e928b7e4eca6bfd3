"""Which bytes a request wants of a file (RFC 9110 section 14): all, one range, or none there are.

Several ranges at once are answered with the whole file, as the standard allows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"\s*bytes\s*=\s*(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to before ``end``; ``part`` where a range was asked for."""

    start: int
    end: int
    part: bool = False

    def stated(self, length: int) -> str:
        """Return the value of Content-Range."""
        return f"bytes {self.start}-{self.end - 1}/{length}"


def wanted(headers: Mapping[str, str], *, length: int, etag: str) -> Span | None:
    """Return what a request wants of a file of this length and tag; None: nothing there is.

    A range holds only for the file it was begun with: where If-Range names another tag, or a date,
    which proves nothing here, all of the file is sent anew.
    """
    whole = Span(0, length)
    begun_with = headers.get("If-Range")
    if begun_with is not None and begun_with.strip() != etag:
        return whole
    found = _ONE.fullmatch(headers.get("Range", ""))
    if found is None:
        return whole
    first, last, suffix = found.groups()
    if suffix is not None:
        size = min(int(suffix), length)
        return Span(length - size, length, part=True) if size else None
    start = int(first)
    end = min(int(last) + 1, length) if last is not None else length
    if last is not None and int(last) < start:
        return whole  # no range at all
    return Span(start, end, part=True) if start < length else None
