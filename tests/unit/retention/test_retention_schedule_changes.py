"""Changes of the schedule: what a preview says, who must approve, which version counts when."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.retention.model import schedules
from services.retention.model.clocks import clocks, due
from services.retention.model.courses import told_of
from services.retention.model.facts import EVER, Fact, History
from services.retention.model.folding import Folding
from services.retention.model.holds import Signed
from services.retention.model.previews import Preview, Previewing
from services.retention.model.records import KeptRecord, kept_facts
from services.retention.model.schedules import KeptSchedule
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.policy.retention import Schedule, parse_retention
from tests.laws.test_P6_clocks import histories
from tests.unit.retention.given_clocks import SCHEDULE, TEXT, fact

pytestmark = pytest.mark.law("P6")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def changed(label: str, *changes: tuple[str, str, str]) -> str:
    text = TEXT.replace(f'version = "{SCHEDULE.version}"', f'version = "{label}"')
    for row, old, new in changes:
        before, found = text.split(f'id = "{row}"', 1)
        assert old in found
        text = f'{before}id = "{row}"{found.replace(old, new, 1)}'
    return text


@cache
def parsed(label: str, *changes: tuple[str, str, str]) -> Schedule:
    return parse_retention(changed(label, *changes).encode())


def kept(label: str, *, by: str = "operator-1", **more: Any) -> KeptSchedule:
    schedule = parsed(label)
    return KeptSchedule(
        schedule=label,
        text=changed(label),
        sha=schedule.sha,
        published_by=by,
        published_at=NOW,
        **({"starts": NOW, "version": 1} | more),
    )


def preview(records: Iterable[History], new: Schedule, *, starts: datetime = NOW) -> Preview:
    run = Previewing(Folding.of(SCHEDULE), Folding.of(new), starts)
    for one in records:
        run.records += 1
        row = KeptRecord(
            kind=one.kind,
            record=one.record,
            service="accounts",
            facts=kept_facts(one.facts),
            version=1,
        )
        facts = told_of(orjson.loads(row.model_dump_json())["facts"])
        if not run.untouched(one.kind):
            run.count(one.kind, one.record, run.moved(one.kind, facts), ())
    return run.done(SCHEDULE.file.limits, at=NOW)


def rejected(record: str, on: str) -> History:
    return History("application", record, (fact("rejected", on),))


def accepted(decided: Any) -> Any:
    assert isinstance(decided, Accepted), decided
    return decided.state


def slug(decided: Any) -> str:
    assert isinstance(decided, Refused), decided
    return decided.reason.slug


@pytest.mark.clause("DOAJ-6a2")
def test_a_preview_says_who_becomes_due_at_once_who_sooner_and_who_later() -> None:
    shorter = parsed("s", ("rejected-application", "P7Y", "P6Y"))
    found = preview(
        [
            rejected("long-due", "2010-01-01"),  # by the version in force already
            rejected("at-once", "2020-11-21"),  # six years and a day ago
            rejected("tomorrow", "2020-11-22"),  # over with the end of today
            rejected("young", "2026-01-01"),
            History("journal", "j1", (fact("withdrawn", "2020-01-01"),)),
        ],
        shorter,
    )
    said = {one.change: one for one in found.changes}
    assert (found.records, found.at_once, found.share) == (5, 1, 0.2)
    assert [one.record for one in said["at-once"].samples] == ["at-once"]
    assert [one.record for one in said["sooner"].samples] == ["tomorrow", "young"]
    assert said["sooner"].months == {"2026-11": 1, "2032-01": 1}
    assert said["sooner"].first == datetime(2026, 11, 23, tzinfo=UTC)
    longer = preview(
        [rejected("young", "2026-01-01")], parsed("l", ("rejected-application", "P7Y", "P8Y"))
    )
    assert [(one.change, one.records) for one in longer.changes] == [("later", 1)]
    assert (longer.at_once, longer.needs) == (0, 1)


def test_a_rule_that_is_gone_is_said_to_come_never_and_a_new_one_comes_at_once() -> None:
    keeps_all = parsed("k", ("rejected-application", 'any = ["rejected"]', 'any = ["applied"]'))
    lives = [
        rejected("r", "2019-01-01"),
        History("application", "a", (fact("applied", "2010-01-01"),)),
    ]
    said = {one.change: one for one in preview(lives, keeps_all).changes}
    assert said["later"].months == {"never": 1}
    assert [one.record for one in said["at-once"].samples] == ["a"]


def test_a_change_of_more_than_the_share_needs_two_and_of_less_one() -> None:
    limits = SCHEDULE.file.limits
    shorter = parsed("s", ("rejected-application", "P7Y", "P6Y"))
    for young, needs in ((98, limits.approvers_above), (99, limits.approvers)):
        lives = [rejected(f"y{n}", "2026-01-01") for n in range(young)]
        found = preview([*lives, rejected("o", "2020-01-01")], shorter)
        assert (found.at_once, found.needs) == (1, needs), found.share


def test_what_a_change_does_not_touch_is_counted_and_not_folded() -> None:
    shorter = parsed("s", ("rejected-application", "P7Y", "P6Y"))
    run = Previewing(Folding.of(SCHEDULE), Folding.of(shorter), NOW)
    assert run.untouched("journal")
    assert not run.untouched("application")
    elsewhere = parsed("z", ("changes", "burst = 500", "burst = 5"))
    assert Folding.of(SCHEDULE).same(Folding.of(elsewhere), "application")


def approving(found: Preview, version: KeptSchedule, *, now: datetime = NOW) -> KeptSchedule:
    """Preview a version and have as many approve it as it needs."""
    state = accepted(schedules.previewed(version, found))
    for number in range(found.needs):
        state = accepted(schedules.approve(state, f"operator-{number + 2}", SCHEDULE, now=now))
    result: KeptSchedule = state
    return result


def test_a_version_counts_when_as_many_others_approved_it_as_its_preview_asks_for() -> None:
    shorter = parsed("s", ("rejected-application", "P7Y", "P6Y"))
    found = preview([rejected("o", "2020-01-01")], shorter)
    assert found.needs == 2
    new = kept("s")
    assert slug(schedules.approve(new, "operator-2", SCHEDULE, now=NOW)) == "schedule-not-previewed"
    state = accepted(schedules.previewed(new, found))
    assert slug(schedules.approve(state, "operator-1", SCHEDULE, now=NOW)) == "approver-asked"
    one = accepted(schedules.approve(state, "operator-2", SCHEDULE, now=NOW))
    assert one.stage == "previewed"
    assert isinstance(schedules.approve(one, "operator-2", SCHEDULE, now=NOW), Unchanged)
    assert accepted(schedules.previewed(one, found)).approvals == ()  # another preview, anew
    later = NOW + timedelta(hours=1)
    both = accepted(schedules.approve(one, "operator-3", SCHEDULE, now=later))
    assert (both.stage, both.in_force_from) == ("approved", later)  # never before it was decided
    assert slug(schedules.previewed(both, found)) == "schedule-in-force"


def test_a_preview_that_is_old_or_against_another_version_approves_nothing() -> None:
    state = accepted(schedules.previewed(kept("s"), preview([], parsed("s"))))
    old = NOW + timedelta(days=1, seconds=1)
    assert slug(schedules.approve(state, "operator-2", SCHEDULE, now=old)) == (
        "schedule-not-previewed"
    )
    other = parsed("t")
    assert slug(schedules.approve(state, "operator-2", other, now=NOW)) == "schedule-not-previewed"


def test_what_was_in_force_at_a_moment_is_never_changed_afterwards() -> None:
    first = schedules.first(SCHEDULE, TEXT, now=NOW)
    assert schedules.in_force([first], EVER) is first
    ahead = NOW + timedelta(days=3)
    second = approving(preview([], parsed("s")), kept("s", starts=ahead))
    third = approving(preview([], parsed("t")), kept("t"))
    every = [first, second, third]
    assert [
        one.schedule
        for at in (NOW - timedelta(seconds=1), NOW, ahead)
        if (one := schedules.in_force(every, at)) is not None
    ] == [SCHEDULE.version, "t", "s"]
    signed = Signed(by="operator-9", at=NOW + timedelta(days=1), why="mistake")
    assert slug(schedules.withdraw(third, signed)) == "schedule-in-force"
    gone = accepted(schedules.withdraw(second, signed))
    found = schedules.in_force([first, gone, third], ahead)
    assert found is not None
    assert found.schedule == "t"
    past = kept("p", starts=NOW - timedelta(days=1))
    assert slug(schedules.publish(None, past, now=NOW)) == "schedule-past"
    same = kept("s")
    assert isinstance(schedules.publish(same, same, now=NOW), Unchanged)
    other = same.model_copy(update={"sha": "0" * 64})
    assert slug(schedules.publish(same, other, now=NOW)) == "schedule-label-reused"


@settings(deadline=None)
@given(
    histories(),
    st.lists(st.sampled_from(["P1Y", "P5Y", "P6Y", "P8Y", "P20Y"]), min_size=1, max_size=4),
    st.data(),
)
def test_no_change_of_the_schedule_deletes_before_the_version_in_force_says_so(
    history: History, periods: list[str], data: st.DataObject
) -> None:
    """Whatever is published and approved when: what is due is due by the version that counts."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    every = [schedules.first(SCHEDULE, TEXT, now=now)]
    known = {SCHEDULE.version: SCHEDULE}
    for number, period in enumerate(periods):
        label = f"v{number}-{period}"
        rows = [
            (row, "P7Y", period)
            for row in ("rejected-application", "removed-journal", "stale-account")
        ]
        known[label] = parsed(label, *rows)
        approved = now + timedelta(days=data.draw(st.integers(0, 400)))
        starts = now + timedelta(days=data.draw(st.integers(0, 400)))
        stage = data.draw(st.sampled_from(["proposed", "approved", "withdrawn"]))
        new = kept(label, starts=starts)
        if stage != "proposed":
            new = new.model_copy(update={"in_force_from": max(starts, approved)})
        if stage == "withdrawn":
            signed = Signed(by="operator-9", at=now, why="mistake")
            new = accepted(schedules.withdraw(new, signed)) if approved > now else new
        every.append(new)
    for day in range(0, 500, 50):
        at = now + timedelta(days=day)
        counts = schedules.in_force(every, at)
        assert counts is not None
        assert counts.in_force_from is not None
        assert counts.in_force_from <= at
        assert counts.withdrawn is None
        for one in due(clocks(history, known[counts.schedule]), at):
            assert one.clock.due is not None
            assert one.clock.due <= at
            assert one.clock.version == counts.schedule
        later = [
            one for one in every if (one.in_force_from or at) > at or one.in_force_from is None
        ]
        assert counts not in later


def test_samples_and_months_do_not_grow_with_the_table() -> None:
    shorter = parsed("s", ("rejected-application", "P7Y", "P6Y"))
    facts = [
        History("application", f"r{n}", (Fact("rejected", NOW - timedelta(days=n)),))
        for n in range(3_000)
    ]
    found = preview(facts, shorter)
    assert all(len(one.samples) <= 10 for one in found.changes)
    assert sum(one.records for one in found.changes) <= 3_000
    assert all(sum(one.months.values()) == one.records for one in found.changes)
