"""Sort keys order works as their dates do, far back and however little of a date is known."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.search.keys import (
    UNKNOWN_LAST_ASCENDING,
    date_bounds,
    first_second,
    key_span,
    seconds_of,
    sort_key,
)

DOIS = st.text(min_size=1).map(lambda suffix: f"10.5555/{suffix}")
DAYS = st.dates()
MOMENTS = st.datetimes(timezones=st.just(dt.UTC))


@given(DAYS, DAYS, DOIS, DOIS)
def test_keys_order_by_day_before_anything_else(
    one: dt.date, other: dt.date, doi: str, another: str
) -> None:
    keys = [
        sort_key(first_second([day.year, day.month, day.day]) or 0, name)
        for day, name in ((one, doi), (other, another))
    ]
    if one != other:
        assert (keys[0] < keys[1]) == (one < other)


@given(MOMENTS, MOMENTS)
def test_moments_order_as_they_happened_also_before_1970(
    one: dt.datetime, other: dt.datetime
) -> None:
    if one.replace(microsecond=0) < other.replace(microsecond=0):
        assert seconds_of(one) < seconds_of(other)
    assert seconds_of(one) == seconds_of(one.isoformat())


@given(DAYS, DOIS)
def test_every_key_fits_64_bits_and_unknown_dates_are_outside_all_of_them(
    day: dt.date, doi: str
) -> None:
    key = sort_key(first_second([day.year, day.month, day.day]) or 0, doi)
    low, high = key_span(None, None)
    assert low <= key <= high < 2**64
    assert sort_key(0, doi) < low
    assert sort_key(UNKNOWN_LAST_ASCENDING, doi) > high


@given(st.integers(1, 9999), st.integers(1, 12))
def test_a_partial_date_sorts_as_its_first_day(year: int, month: int) -> None:
    assert first_second([year]) == first_second([year, 1, 1])
    assert first_second([year, month]) == first_second([year, month, 1])


@pytest.mark.parametrize(
    ("parts", "read_as"),
    [([2019, 13], [2019]), ([2019, 2, 30], [2019, 2]), ([2019, 4, 5, 6], [2019, 4, 5])],
)
def test_a_slip_in_a_date_does_not_stop_the_index(parts: list[int], read_as: list[int]) -> None:
    assert first_second(parts) == first_second(read_as)


@pytest.mark.parametrize("parts", [[], [None], [0], [-5], [10_000_000], ["2019"]])
def test_what_is_no_date_is_unknown(parts: list[object]) -> None:
    assert first_second(parts) is None


@given(DAYS)
def test_the_bounds_of_a_date_hold_exactly_its_days(day: dt.date) -> None:
    for text, same in (
        (day.isoformat(), lambda d: d == day),
        (day.isoformat()[:7], lambda d: (d.year, d.month) == (day.year, day.month)),
        (day.isoformat()[:4], lambda d: d.year == day.year),
    ):
        bounds = date_bounds(text)
        assert bounds is not None
        for edge, inside in ((bounds[0], True), (bounds[1], True)):
            assert same(dt.date.fromordinal(edge // 86_400)) is inside
        before, after = bounds[0] // 86_400 - 1, bounds[1] // 86_400 + 1
        for ordinal in (before, after):
            if 1 <= ordinal <= dt.date.max.toordinal():
                assert not same(dt.date.fromordinal(ordinal))


@pytest.mark.parametrize("text", ["2019-02-30", "2019-00", "0000", "2019-1", "19", "", "2019-13"])
def test_a_date_no_calendar_has_bounds_nothing(text: str) -> None:
    assert date_bounds(text) is None
