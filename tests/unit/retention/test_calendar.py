"""Periods by the calendar: month ends, 29 February, summer time, working days."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from services.retention.model.calendar import (
    WorkingDays,
    after,
    due_at,
    end_of_day,
    moved,
    rounds,
    start_of_day,
)
from shared.policy.periods import Period, read_period
from shared.policy.retention import DaysRow

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
HAVANA = ZoneInfo("America/Havana")
APIA = ZoneInfo("Pacific/Apia")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        # 29 February, and the years that have none (seven years are not 2,555 days).
        ("2024-02-29T12:00", "P7Y", "2031-02-28T12:00"),
        ("2024-02-29T12:00", "P4Y", "2028-02-29T12:00"),
        ("2024-02-29T12:00", "P1Y", "2025-02-28T12:00"),
        ("2024-02-29T12:00", "P12M", "2025-02-28T12:00"),
        ("2021-02-28T12:00", "P7Y", "2028-02-28T12:00"),
        ("2021-03-01T00:00", "P7Y", "2028-03-01T00:00"),
        ("1896-02-29T12:00", "P4Y", "1900-02-28T12:00"),
        ("1996-02-29T12:00", "P4Y", "2000-02-29T12:00"),
        # Month ends.
        ("2026-01-30T00:00", "P1M", "2026-02-28T00:00"),
        ("2026-01-31T00:00", "P1M", "2026-02-28T00:00"),
        ("2026-08-31T00:00", "P1M", "2026-09-30T00:00"),
        ("2025-12-31T23:59", "P2M", "2026-02-28T23:59"),
        ("2027-12-31T23:59", "P2M", "2028-02-29T23:59"),
        ("2026-11-30T00:00", "P3M", "2027-02-28T00:00"),
        ("2026-04-30T00:00", "P1M", "2026-05-30T00:00"),
        ("2026-10-15T00:00", "P14M", "2027-12-15T00:00"),
        ("2026-12-15T00:00", "P12M", "2027-12-15T00:00"),
        # Months come before days.
        ("2026-01-31T00:00", "P1M1D", "2026-03-01T00:00"),
        ("2026-01-31T00:00", "P1Y1M1W1D", "2027-03-08T00:00"),
        # 40 days over month ends and 29 February.
        ("2026-11-22T04:30", "P40D", "2027-01-01T04:30"),
        ("2026-02-01T08:00", "P40D", "2026-03-13T08:00"),
        ("2028-02-01T08:00", "P40D", "2028-03-12T08:00"),
        ("2026-11-22T04:30", "P6W", "2027-01-03T04:30"),
        # Parts of days.
        ("2026-12-31T23:30", "PT45M", "2027-01-01T00:15"),
        ("2026-12-31T23:30", "P1MT24H", "2027-02-01T23:30"),
    ],
)
@pytest.mark.clause("DOAJ-9a9")
def test_a_period_ends_on_the_same_day_or_the_months_last(
    start: str, period: str, end: str
) -> None:
    assert after(utc(start), read_period(period), UTC) == utc(end)


@pytest.mark.parametrize(
    ("zone", "start", "period", "end"),
    [
        # Over the change to summer time and back the hour of the day stays.
        (LONDON, "2026-03-01T12:00+00:00", "P1M", "2026-04-01T12:00+01:00"),
        (LONDON, "2026-10-01T12:00+01:00", "P40D", "2026-11-10T12:00+00:00"),
        # A time that is skipped moves on by as much; of one that comes twice it is the first.
        (LONDON, "2026-02-28T01:30+00:00", "P29D", "2026-03-29T02:30+01:00"),
        (LONDON, "2026-09-25T01:30+01:00", "P1M", "2026-10-25T01:30+01:00"),
        (NEW_YORK, "2026-02-08T02:30-05:00", "P1M", "2026-03-08T03:30-04:00"),
        (NEW_YORK, "2025-11-01T01:30-04:00", "P1Y", "2026-11-01T01:30-04:00"),
        # Hours pass as they pass, over a change too, and from the second of two.
        (LONDON, "2026-03-29T00:30+00:00", "PT1H", "2026-03-29T02:30+01:00"),
        (LONDON, "2026-10-25T01:30+00:00", "PT1H", "2026-10-25T02:30+00:00"),
        # The day is the zone's, not that of UTC.
        (KIRITIMATI, "2024-02-28T23:00+00:00", "P1Y", "2025-02-27T23:00+00:00"),
        (NEW_YORK, "2026-03-01T02:00+00:00", "P1M", "2026-03-29T01:00+00:00"),
        # A day that an island left out: it counts as the next one.
        (APIA, "2011-12-28T12:00-10:00", "P2D", "2011-12-31T12:00+14:00"),
    ],
)
@pytest.mark.clause("DOAJ-9a9")
def test_a_period_is_counted_by_the_calendar_of_the_zone(
    zone: tzinfo, start: str, period: str, end: str
) -> None:
    found = after(datetime.fromisoformat(start), read_period(period), zone)
    assert found == datetime.fromisoformat(end)
    assert found.tzinfo is UTC


def test_the_same_moment_ends_at_the_same_moment_however_it_is_written() -> None:
    written = datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    month = Period(months=1)
    assert after(written, month, UTC) == after(written.astimezone(UTC), month, UTC)
    assert after(written, month, UTC) == utc("2026-03-01T04:30")


@pytest.mark.parametrize(
    ("zone", "at", "end"),
    [
        (UTC, "2031-02-28T12:00+00:00", "2031-03-01T00:00+00:00"),
        (UTC, "2031-02-28T00:00+00:00", "2031-03-01T00:00+00:00"),
        (UTC, "2031-02-28T23:59:59.999+00:00", "2031-03-01T00:00+00:00"),
        (LONDON, "2026-07-01T12:00+01:00", "2026-07-02T00:00+01:00"),
        # Summer time began and ended at midnight there: a day begins at one, another has it twice.
        (SAO_PAULO, "2018-11-03T12:00-03:00", "2018-11-04T01:00-02:00"),
        (SAO_PAULO, "2018-02-17T12:00-02:00", "2018-02-18T00:00-03:00"),
        (HAVANA, "2026-10-31T12:00-04:00", "2026-11-01T00:00-04:00"),
    ],
)
def test_a_day_ends_with_the_first_moment_of_the_next(zone: tzinfo, at: str, end: str) -> None:
    assert end_of_day(datetime.fromisoformat(at), zone) == datetime.fromisoformat(end)


@pytest.mark.clause("DOAJ-6a2")
def test_a_period_falls_on_its_last_moment_or_the_end_of_its_last_day() -> None:
    start, years = utc("2024-02-29T12:00"), Period(years=7)
    assert due_at(start, years, "same-time", UTC) == utc("2031-02-28T12:00")
    assert due_at(start, years, "end-of-day", UTC) == utc("2031-03-01T00:00")


def test_a_start_without_an_offset_and_an_end_beyond_the_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="offset from UTC"):
        after(datetime(2026, 1, 1), Period(days=1), UTC)  # noqa: DTZ001
    for period in (Period(years=7), Period(months=7), Period(weeks=60), Period(hours=9_999)):
        with pytest.raises(ValueError, match="beyond the calendar"):
            after(utc("9999-06-01T00:00"), period, UTC)


@pytest.mark.parametrize(
    ("at", "before", "later"),
    [
        ("2026-12-18T09:00", "2026-12-18T09:00", "2026-12-18T09:00"),  # a Friday
        ("2026-12-19T09:00", "2026-12-18T09:00", "2026-12-21T09:00"),
        ("2026-12-20T09:00", "2026-12-18T09:00", "2026-12-21T09:00"),
        ("2026-12-25T09:00", "2026-12-24T09:00", "2026-12-29T09:00"),
        ("2026-12-28T09:00", "2026-12-24T09:00", "2026-12-29T09:00"),
    ],
)
@pytest.mark.clause("DOAJ-9a9")
def test_a_date_on_a_day_off_moves_to_the_working_day_before_or_after(
    at: str, before: str, later: str
) -> None:
    days = WorkingDays(frozenset({5, 6}), frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
    assert moved(utc(at), None, days, UTC) == utc(at)
    assert moved(utc(at), "working-day-before", days, UTC) == utc(before)
    assert moved(utc(at), "working-day-after", days, UTC) == utc(later)


def test_days_off_are_those_of_the_zone_and_of_the_row() -> None:
    row = DaysRow.model_validate(
        {
            "id": "days-off",
            "clause": "DOAJ-9a9",
            "since": date(2026, 1, 1),
            "says": "Fridays.",
            "weekend": ["friday"],
            "holidays": [date(2026, 12, 25)],
        }
    )
    days = WorkingDays.of(row)
    assert days == WorkingDays(frozenset({4}), frozenset({date(2026, 12, 25)}))
    # Thursday evening in New York is Friday in UTC.
    evening = utc("2026-12-18T02:00")
    assert moved(evening, "working-day-after", days, NEW_YORK) == evening
    assert moved(evening, "working-day-after", days, UTC) == utc("2026-12-19T02:00")


def test_a_year_of_days_off_is_refused() -> None:
    always = WorkingDays(frozenset(range(7)))
    with pytest.raises(ValueError, match="days off"):
        moved(utc("2026-12-18T02:00"), "working-day-after", always, UTC)


def test_rounds_are_counted_from_the_first_and_come_back_to_29_february() -> None:
    first = utc("2024-02-29T00:00")
    found = rounds(first, Period(years=1), UTC, first, utc("2029-01-01T00:00"))
    days = ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert [one.date().isoformat() for one in found] == days
    assert list(rounds(first, Period(years=1), UTC, utc("2026-02-28"), utc("2027-02-28"))) == [
        utc("2027-02-28")
    ]
    assert list(rounds(first, Period(years=1), UTC, first, first)) == []


def test_the_first_day_of_all_begins_with_time() -> None:
    assert start_of_day(date.min, LONDON) == datetime.min.replace(tzinfo=UTC)
    assert start_of_day(date(2026, 7, 1), LONDON) == utc("2026-06-30T23:00")
