"""By when people are answered: month ends, days off, pauses, the extension, reminders."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.retention.model.calendar import WorkingDays
from services.retention.model.clocks import clocks
from services.retention.model.facts import History
from services.retention.model.mapping import of_request
from services.retention.model.requests import deadlines, handling
from services.retention.model.requests.deadlines import Telling, limits, tellings
from services.retention.model.requests.state import KeptRequest
from tests.unit.retention.given_requests import (
    NOW,
    OFFICER,
    POLICY,
    REQUEST,
    SCHEDULE,
    STANDING,
    after,
    assessed,
    by,
    confirmed,
    events,
    note,
    policy_of,
    received,
    same,
    utc,
    why,
)


@pytest.mark.clause("DOAJ-9a9")
@pytest.mark.parametrize(
    ("came", "law", "notice"),
    [
        # Mondays to Fridays; a limit on a Saturday or Sunday comes on the Friday before.
        ("2026-11-02T09:00", "2026-12-02T09:00", "2026-12-12T09:00"),
        ("2026-11-05T09:00", "2026-12-04T09:00", "2026-12-15T09:00"),
        ("2026-11-06T09:00", "2026-12-04T09:00", "2026-12-16T09:00"),
        # Month ends: thirty days are no month.
        ("2027-01-30T23:59", "2027-03-01T23:59", "2027-03-11T23:59"),
        ("2027-01-31T12:00", "2027-03-02T12:00", "2027-03-12T12:00"),
        ("2028-01-30T12:00", "2028-02-29T12:00", "2028-03-10T12:00"),
        ("2026-12-31T00:00", "2027-01-29T00:00", "2027-02-09T00:00"),
    ],
)
def test_an_answer_is_due_in_forty_days_by_the_notice_and_thirty_by_the_law(
    came: str, law: str, notice: str
) -> None:
    state = received(received=came)
    found = {one.rule: one.due for one in limits(state, POLICY, utc(came))}
    assert found == {"answer-by-the-law": utc(law), "answer-by-the-notice": utc(notice)}
    assert by_the_clocks(state) == found


def by_the_clocks(state: KeptRequest) -> dict[str, datetime | None]:
    """Return when the clocks that ask for reviews are due, by the facts that others are told."""
    history = History("request", REQUEST, of_request(state))
    return {one.rule: one.due for one in clocks(history, SCHEDULE)}


@pytest.mark.clause("DOAJ-9a9")
def test_a_limit_on_a_holiday_comes_on_the_working_day_before() -> None:
    policy = policy_of(schedule="holidays = [2026-12-02, 2026-12-01]")
    state = received(policy=policy)
    nearest = limits(state, policy, utc(NOW))[0]
    assert nearest.due == utc("2026-11-30T09:00")
    days = WorkingDays.of(policy.schedule.file.days)
    assert days.include(nearest.due.date())


@pytest.mark.clause("DOAJ-9a9")
def test_a_pause_moves_limits_by_as_long_as_it_lasts_and_keeps_what_remains() -> None:
    state = received()
    first = deadlines.due_at(state, POLICY, utc(NOW))
    paused = after(handling.pause(state, by(NOW), reason="identity", policy=POLICY))
    for later in ("2026-11-05T12:00", "2026-11-10T12:00"):
        nearest = limits(paused, POLICY, utc(later))[0]
        assert (nearest.paused, nearest.due - first) == (True, utc(later) - utc(NOW))
        assert nearest.due - utc(later) == first - utc(NOW)
    assert same(handling.pause(paused, by(NOW), reason="identity", policy=POLICY))
    other = handling.pause(paused, by(NOW), reason="clarification", policy=POLICY)
    assert why(other) == "paused-otherwise"
    resumed = after(handling.resume(paused, by("2026-11-05T12:00")))
    assert same(handling.resume(resumed, by("2026-11-06T12:00")))
    again = after(
        handling.pause(resumed, by("2026-11-09T00:00"), reason="clarification", policy=POLICY)
    )
    twice = after(handling.resume(again, by("2026-11-09T06:00")))
    waited = timedelta(days=2, hours=6)
    assert deadlines.due_at(twice, POLICY, utc("2026-12-01T00:00")) == first + waited
    found = {one.rule: one.due for one in limits(twice, POLICY, utc("2026-12-01T00:00"))}
    assert by_the_clocks(twice) == found
    notice = limits(twice, POLICY, utc(NOW))[1]
    assert notice.due == utc("2026-12-12T09:00") + waited
    # Friday 4 December and two days is a Sunday: the day off is looked at after the pause.
    moved = received(received="2026-11-04T09:00")
    moved = after(handling.pause(moved, by("2026-11-05T00:00"), reason="identity", policy=POLICY))
    moved = after(handling.resume(moved, by("2026-11-07T00:00")))
    assert deadlines.due_at(moved, POLICY, utc(NOW)) == utc("2026-12-04T09:00")


def test_a_pause_has_a_reason_of_the_policy_and_ends_with_the_request() -> None:
    state = assessed()
    wrong = handling.pause(state, by(NOW), reason="holidays", policy=POLICY)
    assert why(wrong) == "reason-unknown"
    assert why(handling.resume(state, by(NOW))) == "not-paused"
    paused = after(handling.pause(state, by(NOW), reason="clarification", policy=POLICY))
    ended = after(handling.take_back(paused, by("2026-11-05T12:00")))
    assert ended.pauses[-1].until == ended.ended_at == utc("2026-11-05T12:00")


@pytest.mark.clause("DOAJ-9a9")
def test_an_extension_counts_once_and_only_within_the_first_period() -> None:
    def extend(state: KeptRequest, when: str, **said: Any) -> Any:
        more: dict[str, Any] = {"reason": "complexity", "by_letter": False, "notes": {}}
        return handling.extend(state, by(when), policy=POLICY, **(more | said))

    state = confirmed()
    assert why(extend(state, "2026-12-02T09:00")) == "too-late-to-extend"
    step = extend(state, "2026-12-02T08:59:59", notes=note("extension"))
    extended = after(step)
    assert "extended" in extended.owed
    assert events(step) == ["RetentionRecordKept", "RequestExtended"]
    law, notice = sorted(limits(extended, POLICY, utc(NOW)), key=lambda one: one.rule)
    assert law.extended
    # Thirty days and two months; the notice promised forty days and names no extension.
    assert law.due == utc("2027-02-01T09:00")
    assert (notice.due, notice.extended) == (utc("2026-12-12T09:00"), False)
    assert deadlines.due_at(extended, POLICY, utc(NOW)) == notice.due
    assert by_the_clocks(extended) == {one.rule: one.due for one in (law, notice)}
    assert same(extend(extended, "2026-12-10T09:00"))
    assert why(extend(state, NOW, reason="holidays")) == "reason-unknown"
    # What waited for the person makes the first period longer, too.
    paused = after(handling.pause(state, by(NOW), reason="identity", policy=POLICY))
    resumed = after(handling.resume(paused, by("2026-11-04T12:00")))
    assert after(extend(resumed, "2026-12-03T08:59"))
    assert why(extend(resumed, "2026-12-03T09:00")) == "too-late-to-extend"


@pytest.mark.clause("DOAJ-9a9")
def test_reminders_come_fourteen_seven_and_one_day_before_on_a_working_day_once_each() -> None:
    state, told = received(), []
    at, end = utc("2026-11-02T09:00"), utc("2027-01-04T09:00")
    while at <= end:
        for telling in tellings(state, POLICY, at):
            told.append((at.strftime("%m-%d %H"), telling.what, telling.about, telling.to))
            state = after(handling.remind(state, by(at.isoformat()[:16]), telling))
            assert same(handling.remind(state, by(at.isoformat()[:16]), telling))
        at += timedelta(hours=1)
    weeks = [f"12-{day:02} 09" for day in (2, 9, 16, 23, 30)]
    assert told == [
        ("11-18 09", "reminded", "fourteen-days", OFFICER),
        ("11-25 09", "reminded", "seven-days", OFFICER),
        ("12-01 09", "reminded", "one-day", OFFICER),
        *((week, "escalated", "overdue", "management") for week in weeks),
    ]


def test_a_reminder_for_a_day_off_comes_on_the_working_day_before() -> None:
    state = received(received="2026-11-07T09:00")  # due on Monday 7 December
    told = every_telling(state, "2026-12-02T09:00", "2026-12-07T08:00")
    assert [(at, one.about) for at, one in told] == [("2026-12-04T09:00", "one-day")]


def every_telling(state: KeptRequest, since: str, until: str) -> list[tuple[str, Telling]]:
    """Tell what is to be told, hour by hour, beside what was told before."""
    before = tellings(state, POLICY, utc(since))
    found = []
    for telling in before:
        state = after(handling.remind(state, by(since), telling))
    at = utc(since)
    while at <= utc(until):
        for telling in tellings(state, POLICY, at):
            found.append((at.isoformat()[:16], telling))
            state = after(handling.remind(state, by(at.isoformat()[:16]), telling))
        at += timedelta(hours=1)
    return found


def test_who_was_away_hears_the_last_reminder_alone_and_nobody_hears_of_what_waits() -> None:
    state = received()
    late = tellings(state, POLICY, utc("2026-12-01T12:00"))
    assert [one.about for one in late] == ["one-day"]
    told = after(handling.remind(state, by("2026-12-01T12:00"), late[0]))
    assert not tellings(told, POLICY, utc("2026-12-01T13:00"))
    paused = after(handling.pause(state, by("2026-11-04T12:00"), reason="identity", policy=POLICY))
    assert not tellings(paused, POLICY, utc("2027-11-01T12:00"))
    for ended in ("answered", "refused", "taken-back"):
        assert not tellings(STANDING[ended](), POLICY, utc("2027-11-01T12:00"))


def test_a_limit_that_moved_is_told_of_anew() -> None:
    state = received()
    first = tellings(state, POLICY, utc("2026-11-18T09:00"))[0]
    state = after(handling.remind(state, by("2026-11-18T09:00"), first))
    state = after(handling.pause(state, by("2026-11-18T10:00"), reason="identity", policy=POLICY))
    state = after(handling.resume(state, by("2026-11-23T10:00")))
    assert not tellings(state, POLICY, utc("2026-11-23T10:00"))[1:]
    again = tellings(state, POLICY, utc("2026-11-24T10:00"))
    assert [(one.about, one.due) for one in again] == [("fourteen-days", utc("2026-12-07T09:00"))]
