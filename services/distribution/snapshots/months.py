"""Months: which one a snapshot is of, when it ends, how long its snapshot is kept. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_FORM: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar, in UTC; written 2026-11."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        following = self.plus(1)
        return datetime(following.year, following.month, 1, tzinfo=UTC)

    def plus(self, months: int) -> "Month":
        """Return the month so many months later; a negative number goes back."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def kept_until(self, quarters: int) -> datetime:
        """Return the end of the quarter that lies so many quarters after its own."""
        last_of_quarter = self.plus(-((self.month - 1) % 3) + 2)
        return last_of_quarter.plus(3 * quarters).ends


def month_of(at: datetime) -> Month:
    """Return the month that a moment lies in."""
    at = at.astimezone(UTC)
    return Month(at.year, at.month)


def read_month(text: str) -> Month | None:
    """Read a month as it is written, None for what is none."""
    found = _FORM.fullmatch(text)
    if found is None or found[1] == "0000":
        return None
    return Month(int(found[1]), int(found[2]))
