"""Arithmetic of the calendar: when a period that began at some moment is over.

Months and years count by the calendar of the schedule's time zone, not as so many days: seven years
from 29 February end with 28 February, a month from 31 August ends with 30 September.
"""

import calendar
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, get_args

from shared.policy.periods import Period
from shared.policy.retention import DaysRow, Falls, Moved, RuleRow, Weekday

_WEEK: Final[tuple[Weekday, ...]] = get_args(Weekday)
_DAY: Final = timedelta(days=1)
_STEP: Final = {"working-day-before": -_DAY, "working-day-after": _DAY}
SHORTEST: Final = 28  # days of a month: every one has as many
_MOST_STEPS: Final = 366  # days off in a row: a year of them is a file that nobody meant


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which days are none: days of the week, Monday being 0, and single days."""

    weekend: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, row: DaysRow) -> "WorkingDays":
        """Make them of the schedule's row."""
        return cls(frozenset(map(_WEEK.index, row.weekend)), frozenset(row.holidays))

    def include(self, day: date) -> bool:
        """Say whether a day is a working day."""
        return day.weekday() not in self.weekend and day not in self.holidays


def after(start: datetime, period: Period, zone: tzinfo) -> datetime:
    """Return the moment ``period`` after ``start``, by the calendar of ``zone``, in UTC.

    First years and months, to the same day or the month's last, then weeks and days: at the same
    time of day. A time that summer time skips moves on by as much; of one that comes twice it is
    the first. Then hours, minutes and seconds as they pass. Raises ``ValueError`` for a start
    without an offset, and for an end after the year 9999.
    """
    if start.tzinfo is None:
        raise ValueError("a period starts at a moment; give it an offset from UTC")
    local = start.astimezone(zone)
    try:
        day = _days_on(local.date(), period)
        moment = local
        if day != local.date():
            # Where no day passes, a second 02:30 stays the second.
            moment = datetime.combine(day, local.time().replace(fold=0), zone)
        passing = timedelta(hours=period.hours, minutes=period.minutes, seconds=period.seconds)
        return moment.astimezone(UTC) + passing
    except OverflowError:
        raise ValueError(f"{period} after {start.date()} is beyond the calendar") from None


def last_day(first: date, period: Period) -> date:
    """Return the day on which a period of whole days is over that begins on ``first``.

    Raises ``ValueError`` for an end after the year 9999.
    """
    try:
        return _days_on(first, period)
    except OverflowError:
        raise ValueError(f"{period} after {first} is beyond the calendar") from None


def end_of_day(at: datetime, zone: tzinfo) -> datetime:
    """Return the first moment after the day of ``at`` in ``zone``, in UTC."""
    tomorrow = at.astimezone(zone).date() + _DAY
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day in ``zone``, in UTC; the beginning of time for its day."""
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day, time(), zone).astimezone(UTC)


def moved(at: datetime, how: Moved | None, days: WorkingDays, zone: tzinfo) -> datetime:
    """Return ``at``, or the same time on the nearest working day before or after it."""
    local = at.astimezone(zone)
    if how is None or days.include(local.date()):
        return at.astimezone(UTC)
    day = local.date()
    for _ in range(_MOST_STEPS):
        day += _STEP[how]
        if days.include(day):
            return datetime.combine(day, local.time().replace(fold=0), zone).astimezone(UTC)
    raise ValueError(f"no working day within a year of {local.date()}; mend the days off")


def due_at(
    start: datetime,
    period: Period,
    falls: Falls,
    zone: tzinfo,
    stood: timedelta = timedelta(0),
) -> datetime:
    """Return when a period is over: at its last moment, or with the end of its last day.

    As long as its clock stood still is added to the second.
    """
    at = after(start, period, zone) + stood
    return end_of_day(at, zone) if falls == "end-of-day" else at


def over(
    row: RuleRow,
    started: datetime,
    days: WorkingDays,
    zone: tzinfo,
    *,
    stood: timedelta = timedelta(0),
    extended: bool = False,
) -> datetime:
    """Return when a rule's period is over: never before it began, or the rule was in force.

    First its period, with the extension; then as long as its clock stood still; the working day is
    found last.
    """
    period = row.period.plus(row.extension) if extended and row.extension else row.period
    at = due_at(started, period, row.falls, zone, stood)
    return max(moved(at, row.moved, days, zone), started, start_of_day(row.since, zone))


def rounds(
    first: datetime, every: Period, zone: tzinfo, since: datetime, until: datetime
) -> Collection[datetime]:
    """Return the moments every so often after ``first`` that lie after ``since``, up to ``until``.

    Each is counted from ``first``, so that a round of 29 February comes back to that day.
    """
    found: list[datetime] = []
    number = 1
    while (moment := after(first, every.times(number), zone)) <= until:
        if moment > since:
            found.append(moment)
        number += 1
    return found


def _days_on(day: date, period: Period) -> date:
    months, days = 12 * period.years + period.months, 7 * period.weeks + period.days
    if months:
        day = _months_on(day, months)
    return day + timedelta(days) if days else day


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        raise OverflowError
    if day.day <= SHORTEST:
        return day.replace(year=year, month=month + 1)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
