"""Periods of the calendar: ISO 8601 durations whose years and months stay years and months.

A ``timedelta`` has no months: it would make 2,555 days of seven years and end them too early.
"""

import re
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

from pydantic import PlainValidator

_DAYS: Final = (
    r"(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?"
    r"(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
)
_TIMES: Final = r"(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?"
_FORM: Final = re.compile(rf"P{_DAYS}(?:T(?=\d){_TIMES})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """So many years, months, weeks and days of the calendar, and so much time beside them."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0

    @property
    def timed(self) -> bool:
        """Whether hours, minutes or seconds belong to it."""
        return bool(self.hours or self.minutes or self.seconds)

    def __str__(self) -> str:
        day = _said(Y=self.years, M=self.months, W=self.weeks, D=self.days)
        time = _said(H=self.hours, M=self.minutes, S=self.seconds)
        return f"P{day}T{time}" if time else f"P{day or '0D'}"

    def plus(self, other: "Period") -> "Period":
        """Return both together, part by part."""
        return Period(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def times(self, number: int) -> "Period":
        """Return the period ``number`` times over."""
        return Period(
            self.years * number,
            self.months * number,
            self.weeks * number,
            self.days * number,
            self.hours * number,
            self.minutes * number,
            self.seconds * number,
        )


def read_period(said: Any) -> Period:
    """Read an ISO 8601 duration of whole numbers; raises ``ValueError``."""
    found = _FORM.fullmatch(said) if isinstance(said, str) else None
    parts = {name: int(number) for name, number in found.groupdict("0").items()} if found else {}
    if not any(parts.values()):
        raise ValueError(
            "not a period; write an ISO 8601 duration of whole numbers above nothing, as P7Y or P2M"
        )
    return Period(**parts)


CalendarPeriod = Annotated[Period, PlainValidator(read_period)]


def _said(**parts: int) -> str:
    return "".join(f"{number}{letter}" for letter, number in parts.items() if number)
