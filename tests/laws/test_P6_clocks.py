"""P6: nothing is ordered before it is due, or more than a tick after; whatever was heard when.

The same facts give the same clocks in any order and however often they came. Ten years of records
are lived through beside an oracle that reads the notices by itself.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from services.retention.model.calendar import after, due_at
from services.retention.model.clocks import Hold, clocks, due, judge, reports
from services.retention.model.facts import Fact, History
from shared.policy.periods import Period
from shared.policy.retention import parse_retention
from tests.laws.clock_world import BEGIN, END, KINDS, a_record, executed, expected
from tests.unit.retention.given_clocks import SCHEDULE, TEXT

pytestmark = [
    pytest.mark.law("P6"),
    pytest.mark.clause("DOAJ-6a1"),
    pytest.mark.clause("DOAJ-6a2"),
    pytest.mark.clause("DOAJ-6a3"),
    pytest.mark.clause("DOAJ-6b2"),
    pytest.mark.clause("DOAJ-6c3"),
    pytest.mark.clause("DOAJ-9a9"),
]

ZONES = ("UTC", "Europe/London", "America/Sao_Paulo", "Pacific/Auckland")
RECORDS = 4_000
FACTS = {row.id: row.facts for row in SCHEDULE.file.kinds}
# Few moments, so that facts meet on one; month ends and 29 February among them.
MOMENTS = [
    datetime(2016, 2, 29, 23, 59, tzinfo=UTC),
    datetime(2016, 12, 31, tzinfo=UTC),
    datetime(2019, 2, 28, 12, tzinfo=UTC),
    datetime(2020, 2, 29, tzinfo=UTC),
    datetime(2021, 8, 31, 8, 30, tzinfo=UTC),
    datetime(2024, 2, 29, 1, tzinfo=UTC),
]
HOLDS = st.lists(
    st.builds(Hold, st.sampled_from(["a", "b", "c"]), st.none() | st.sampled_from(MOMENTS)),
    max_size=3,
    unique_by=lambda hold: hold.hold,
)
NOW = st.datetimes(datetime(2016, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def histories(draw: st.DrawFn) -> History:
    kind = draw(st.sampled_from(KINDS))
    fact = st.builds(
        Fact,
        st.sampled_from(FACTS[kind]),
        st.none() | st.sampled_from(MOMENTS),
        st.sampled_from(["", "journal:1"] if kind == "account" else [""]),
    )
    return History(kind, "r1", tuple(draw(st.lists(fact, max_size=8))))


@given(histories(), st.data())
def test_order_and_repetition_of_facts_change_nothing(
    history: History, data: st.DataObject
) -> None:
    facts = history.facts
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    shuffled = data.draw(st.permutations([*facts, *repeated]))
    again = History(history.kind, history.record, tuple(shuffled))
    assert clocks(again, SCHEDULE) == clocks(history, SCHEDULE)


@given(histories(), st.data())
def test_a_fact_that_comes_late_gives_what_it_would_have_given_in_time(
    history: History, data: st.DataObject
) -> None:
    """What was folded before a fact came is no part of the answer: facts alone are kept."""
    heard = data.draw(st.permutations(history.facts))
    kept: tuple[Fact, ...] = ()
    found = clocks(History(history.kind, history.record, kept), SCHEDULE)
    for fact in heard:
        kept = (*kept, fact)
        found = clocks(History(history.kind, history.record, kept), SCHEDULE)
    in_time = sorted(history.facts, key=lambda fact: (fact.at or MOMENTS[0], fact.at is not None))
    assert found == clocks(History(history.kind, history.record, tuple(in_time)), SCHEDULE)


@given(histories(), NOW, HOLDS)
def test_what_is_due_rests_on_facts_whose_period_is_over_by_the_dates_alone(
    history: History, now: datetime, holds: list[Hold]
) -> None:
    for found in due(clocks(history, SCHEDULE), now, holds):
        note(found)
        clock = found.clock
        starts = [fact.at for fact in clock.because]
        assert starts
        assert None not in starts
        began = max(at for at in starts if at is not None)
        rule = SCHEDULE.rule(clock.rule)
        if rule.period.years:
            years = rule.period.years
            assert (now.year - began.year, now.month, now.day) > (
                years,
                began.month,
                began.day,
            ) or (now.year - began.year > years)
        elif rule.period == Period(months=2):
            assert now - began > timedelta(days=59)
        else:
            # 30 days may have moved to the Friday before.
            assert now - began >= timedelta(days=rule.period.days - (2 if rule.moved else 0))
        if clock.action == "delete":
            assert not any(hold.released is None or hold.released > now for hold in holds)


@given(histories(), NOW, st.timedeltas(timedelta(0), timedelta(days=9000)), HOLDS)
def test_what_is_due_stays_due_and_a_hold_more_never_hastens_anything(
    history: History, now: datetime, passing: timedelta, holds: list[Hold]
) -> None:
    every = clocks(history, SCHEDULE)
    rules = {found.clock.rule for found in due(every, now, holds)}
    assert rules <= {found.clock.rule for found in due(every, now + passing, holds)}
    more = [*holds, Hold("another")]
    held = {found.clock.rule for found in due(every, now, more)}
    assert held <= rules
    assert not any(SCHEDULE.rule(rule).action == "delete" for rule in held)


@given(histories(), NOW, HOLDS)
def test_every_clock_is_judged_once_and_due_since_no_later_than_now(
    history: History, now: datetime, holds: list[Hold]
) -> None:
    every = clocks(history, SCHEDULE)
    found = judge(every, now, holds)
    assert [one.clock for one in found] == list(every)
    for one in found:
        assert (one.since is not None) == (one.verdict == "due")
        if one.since is not None:
            assert one.clock.due is not None
            assert one.clock.due <= one.since <= now


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 60),
    st.integers(0, 400),
    st.sampled_from(ZONES),
)
def test_a_period_ends_on_the_day_that_is_counted_by_hand_and_never_before(
    start: datetime, months: int, days: int, name: str
) -> None:
    zone = ZoneInfo(name)
    first = start.astimezone(zone).date()
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = first.day
    while True:
        try:
            last = date(year, month + 1, day) + timedelta(days=days)
            break
        except ValueError:
            day -= 1
    found = after(start, Period(months=months, days=days), zone)
    assert found >= start
    # A time that summer time skips moves on by an hour: over midnight, if it is the last one.
    assert found.astimezone(zone).date() - last <= timedelta(days=1)
    assert (found - timedelta(hours=1)).astimezone(zone).date() <= last
    over = due_at(start, Period(months=months, days=days), "end-of-day", zone)
    assert over > found
    assert (over - timedelta(microseconds=1)).astimezone(zone).date() >= last


@pytest.mark.parametrize("zone", ZONES)
def test_in_ten_years_nothing_is_done_early_and_nothing_late_by_more_than_a_tick(zone: str) -> None:
    schedule = parse_retention(TEXT.replace('zone = "UTC"', f'zone = "{zone}"').encode())
    random = Random(f"ten years in {zone}")
    done = dict.fromkeys(("deleted", "stale-account", "answer-by-the-notice"), 0)
    for number in range(RECORDS // len(ZONES)):
        record = a_record(number, random)
        found = executed(record, schedule)
        assert found == expected(record, schedule.zone), record
        for name in found:
            done[name] = done.get(name, 0) + 1
    # It was a world in which things happen.
    assert all(count > RECORDS // len(ZONES) // 50 for count in done.values()), done


def test_in_ten_years_the_list_of_old_accounts_is_made_ten_times_and_holds_exactly_those() -> None:
    random = Random("ten lists")
    accounts = [a_record(number, random) for number in range(2, 1_500, len(KINDS))]
    assert {record.kind for record in accounts} == {"account"}
    made = reports(SCHEDULE, BEGIN, END)
    assert [one.at.year for one in made] == list(range(2024, 2034))
    listed = 0
    for one in made:
        for record in accounts:
            facts = tuple(record.known(one.at))
            every = clocks(History("account", record.name, facts), SCHEDULE)
            old = [fact for fact in facts if fact.what in {"registered", "invited"}]
            empty = {fact.about for fact in facts if fact.about} == {
                about
                for about in {fact.about for fact in facts if fact.about}
                if max(fact for fact in _dated(facts, about))[1] == "record-released"
            }
            open_ = not any(fact.what == "closed" for fact in facts)
            aged = any(fact.at and _older(fact.at.date(), one.at.date()) for fact in old)
            assert bool(due(every, one.at)) == (empty and open_ and aged)
            listed += bool(due(every, one.at))
    assert listed > 100


def _dated(facts: tuple[Fact, ...], about: str) -> list[tuple[datetime, str]]:
    return [(fact.at, fact.what) for fact in facts if fact.at and fact.about == about]


def _older(began: date, today: date) -> bool:
    return (today.year - 7, today.month, today.day) > (began.year, began.month, began.day)
