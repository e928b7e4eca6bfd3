"""Clocks: the edges of every rule, what ends and restarts them, holds, and dates nobody knows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.retention.model.clocks import Hold, Round, clocks, due, judge, kept, reports
from services.retention.model.facts import Fact, History
from shared.policy import PolicyError
from tests.unit.retention.given_clocks import (
    SCHEDULE,
    at,
    fact,
    history,
    one,
    rule,
    schedule_of,
    verdict,
)

# Rule, the facts that start it, the last day of its period, and what is done then. Whatever the
# hour it began at, the last day belongs to the period.
EDGES = {
    "rejected": (
        "rejected-application",
        "application",
        [("rejected", "2020-03-15T13:00")],
        "2027-03-15",
    ),
    "rejected on 29 February": (
        "rejected-application",
        "application",
        [("applied", "2024-01-10"), ("rejected", "2024-02-29T23:59:59")],
        "2031-02-28",
    ),
    "application of a removed journal": (
        "application-of-removed-journal",
        "application",
        [
            ("accepted", "2019-01-01"),
            ("journal-indexed", "2019-01-02"),
            ("journal-withdrawn", "2021-02-28"),
        ],
        "2028-02-28",
    ),
    "removed": (
        "removed-journal",
        "journal",
        [("indexed", "2015-05-05"), ("withdrawn", "2020-12-31T00:00:00")],
        "2027-12-31",
    ),
    "archived": (
        "archived-volunteer-application",
        "volunteer-application",
        [("applied", "2025-10-01"), ("rejected", "2025-11-01"), ("archived", "2025-12-31T09:00")],
        "2026-02-28",
    ),
    "archived before 29 February": (
        "archived-volunteer-application",
        "volunteer-application",
        [("applied", "2027-10-01"), ("accepted", "2027-11-01"), ("archived", "2027-12-30T09:00")],
        "2028-02-29",
    ),
    "an account": ("stale-account", "account", [("registered", "2019-06-30T18:00")], "2026-06-30"),
    "an account by invitation": (
        "stale-account",
        "account",
        [("invited", "2020-02-29")],
        "2027-02-28",
    ),
}


@pytest.mark.clause("DOAJ-6a2")
@pytest.mark.clause("DOAJ-6a3")
@pytest.mark.clause("DOAJ-6b2")
@pytest.mark.clause("DOAJ-6c3")
@pytest.mark.law("P6")
@pytest.mark.parametrize(("name", "kind", "facts", "last"), EDGES.values(), ids=list(EDGES))
def test_a_period_is_over_with_its_last_day_and_not_a_moment_before(
    name: str, kind: str, facts: list[tuple[str, str]], last: str
) -> None:
    of = history(kind, *facts)
    over = at(last) + timedelta(days=1)
    assert one(of, name).due == over
    for early in (
        over - timedelta(days=2),
        over - timedelta(days=1),
        over - timedelta(microseconds=1),
    ):
        assert due(clocks(of, SCHEDULE), early) == ()
    for late in (over, over + timedelta(days=1), over + timedelta(days=3650)):
        (found,) = due(clocks(of, SCHEDULE), late)
        assert (found.clock.rule, found.since) == (name, over)


@pytest.mark.clause("DOAJ-9a9")
@pytest.mark.parametrize(
    ("received", "by_notice", "by_law"),
    [
        # 40 days to the moment; 30 days, or the working day before.
        ("2026-01-30T10:15", "2026-03-11T10:15", "2026-02-27T10:15"),  # a Sunday, so the Friday
        ("2026-03-10T10:15", "2026-04-19T10:15", "2026-04-09T10:15"),
        ("2028-01-31T23:59", "2028-03-11T23:59", "2028-03-01T23:59"),
        ("2026-11-22T04:30", "2027-01-01T04:30", "2026-12-22T04:30"),
    ],
)
def test_an_answer_is_due_40_days_after_receipt_and_by_the_law_earlier(
    received: str, by_notice: str, by_law: str
) -> None:
    of = history("request", ("received", received))
    assert one(of, "answer-by-the-notice").due == at(by_notice)
    assert one(of, "answer-by-the-law").due == at(by_law)
    assert {found.clock.action for found in due(clocks(of, SCHEDULE), at(by_notice))} == {"review"}
    answered = history("request", ("received", received), ("answered", by_law))
    (left,) = due(clocks(answered, SCHEDULE), at("2100-01-01"))
    assert left.clock.rule == "answered-request"


@pytest.mark.clause("DOAJ-6a2")
def test_a_rejection_that_was_taken_back_has_no_clock_and_another_one_has_its_own() -> None:
    back = [("applied", "2019-12-01"), ("rejected", "2020-01-01"), ("reopened", "2021-01-01")]
    clock = one(history("application", *back), "rejected-application")
    assert (clock.standing, clock.due) == ("cancelled", None)
    assert clock.because == (fact("rejected", "2020-01-01"),)
    assert clock.cancelled_by == fact("reopened", "2021-01-01")
    again = one(history("application", *back, ("rejected", "2022-01-01")), "rejected-application")
    assert (again.standing, again.due) == ("running", at("2029-01-02"))
    assert again.because == (fact("rejected", "2022-01-01"),)


@pytest.mark.clause("DOAJ-6a3")
def test_a_journal_that_came_back_has_no_clock_and_one_removed_again_begins_anew() -> None:
    facts = [("indexed", "2010-01-01"), ("withdrawn", "2015-01-01"), ("reinstated", "2016-01-01")]
    back = history("journal", *facts)
    assert one(back, "removed-journal").standing == "cancelled"
    assert verdict(back, "removed-journal", "2099-01-01") == "cancelled"
    gone = one(history("journal", *facts, ("withdrawn", "2020-01-01")), "removed-journal")
    assert gone.due == at("2027-01-02")


@pytest.mark.clause("DOAJ-6a3")
def test_the_years_count_from_the_last_removal_on_record() -> None:
    facts = [("indexed", "2010-01-01"), ("withdrawn", "2015-01-01"), ("withdrawn", "2018-06-01")]
    clock = one(history("journal", *facts), "removed-journal")
    assert clock.due == at("2025-06-02")
    assert clock.restarted_by == fact("withdrawn", "2018-06-01")
    assert clock.because == (fact("withdrawn", "2015-01-01"), fact("withdrawn", "2018-06-01"))


@pytest.mark.clause("DOAJ-6a1")
def test_nothing_of_an_indexed_journal_goes_whatever_its_clocks_say() -> None:
    # Rejected first, indexed in the end by another way: nobody took the rejection back.
    of = history("application", ("rejected", "2010-01-01"), ("journal-indexed", "2011-01-01"))
    assert verdict(of, "rejected-application", "2030-01-01") == "kept"
    (reason,) = one(of, "rejected-application").kept
    assert (reason.keep, reason.clause) == ("indexed-application", "DOAJ-6a1")
    assert reason.because == (fact("journal-indexed", "2011-01-01"),)
    assert (
        kept(history("journal", ("indexed", "2011-01-01")), SCHEDULE)[0].keep == "indexed-journal"
    )


def test_of_two_rules_that_delete_the_same_the_longer_wins() -> None:
    of = history(
        "application",
        ("rejected", "2018-01-01"),
        ("journal-indexed", "2019-01-01"),
        ("journal-withdrawn", "2022-01-01"),
    )
    first, second = judge(clocks(of, SCHEDULE), at("2026-01-01"))
    assert (first.verdict, first.waits_for) == ("waiting", ("application-of-removed-journal",))
    assert second.verdict == "early"
    both = due(clocks(of, SCHEDULE), at("2029-01-02"))
    assert [(found.clock.rule, found.since) for found in both] == [
        ("rejected-application", at("2029-01-02")),
        ("application-of-removed-journal", at("2029-01-02")),
    ]


def test_rules_for_different_classes_do_not_wait_for_each_other() -> None:
    rows = [
        rule("short", 'any = ["a"]\nperiod = "P1D"\nclasses = ["x", "y"]'),
        rule("long", 'any = ["a"]\nperiod = "P9D"\nclasses = ["z"]'),
        rule("seen", 'any = ["a"]\nperiod = "P9D"\naction = "review"\nreview = "team"'),
    ]
    of = History("thing", "r1", (fact("a", "2026-01-01"),))
    every = clocks(of, schedule_of(*rows))
    assert [found.clock.rule for found in due(every, at("2026-01-05"))] == ["short"]
    same = clocks(of, schedule_of(*rows, rule("all", 'any = ["a"]\nperiod = "P7D"')))
    assert [found.clock.rule for found in due(same, at("2026-01-05"))] == []


@pytest.mark.clause("DOAJ-1b5")
def test_a_volunteers_account_is_kept_while_the_role_lasts() -> None:
    began = [("registered", "2010-01-01"), ("volunteer-begun", "2011-01-01")]
    (reason,) = kept(history("account", *began), SCHEDULE)
    assert (reason.keep, reason.clause) == ("active-volunteer", "DOAJ-1b5")
    ended = [*began, ("volunteer-ended", "2020-01-01")]
    assert kept(history("account", *ended), SCHEDULE) == ()
    again = [*ended, ("volunteer-begun", "2021-01-01")]
    assert kept(history("account", *again), SCHEDULE)
    # To be listed is not to be deleted: the role keeps nobody out of the report.
    assert verdict(history("account", *again), "stale-account", "2026-01-01") == "due"


@pytest.mark.clause("DOAJ-6b2")
@pytest.mark.parametrize("about", ["journal:1", "application:7", "upload:3"])
@pytest.mark.parametrize(
    ("now", "old"), [("2026-06-30", False), ("2026-07-01", True), ("2026-07-02", True)]
)
def test_an_account_is_reported_when_it_is_older_than_seven_years_and_nothing_hangs_on_it(
    about: str, now: str, *, old: bool
) -> None:
    def reported(*facts: tuple[str, str, str]) -> bool:
        of = history("account", ("registered", "2019-06-30T18:00"), *facts)
        return bool(due(clocks(of, SCHEDULE), at(now)))

    linked = ("record-linked", "2020-01-01", about)
    assert reported() == old
    assert not reported(linked)
    assert reported(linked, ("record-released", "2021-01-01", about)) == old
    assert not reported(linked, ("record-released", "2021-01-01", "journal:other"))
    # One of two is enough.
    assert not reported(
        linked,
        ("record-linked", "2020-01-02", "journal:2"),
        ("record-released", "2021-01-01", about),
    )


@pytest.mark.clause("DOAJ-6b2")
def test_an_old_account_is_reported_from_when_its_last_record_went() -> None:
    of = history(
        "account",
        ("registered", "2010-01-01"),
        ("record-linked", "2011-01-01", "journal:1"),
        ("record-released", "2026-05-05T10:00", "journal:1"),
    )
    assert one(of, "stale-account").due == at("2023-11-01")  # not before the rule itself
    assert due(clocks(of, SCHEDULE), at("2026-05-05T09:59")) == ()
    (found,) = due(clocks(of, SCHEDULE), at("2026-06-01"))
    assert found.since == at("2026-05-05T10:00")
    gone = replace(of, facts=(*of.facts, fact("closed", "2026-05-06")))
    assert due(clocks(gone, SCHEDULE), at("2026-06-01")) == ()


@pytest.mark.clause("DOAJ-6b3")
def test_accounts_whose_age_nobody_knows_stand_apart_and_are_never_due() -> None:
    of = history("account", ("registered", None), ("record-released", "2015-01-01", "journal:1"))
    clock = one(of, "stale-account")
    assert (clock.standing, clock.started, clock.due) == ("undated", None, None)
    assert clock.because == (fact("registered", None),)
    assert verdict(of, "stale-account", "2999-01-01") == "undated"
    # What is known to have gone is gone.
    assert one(history("account", ("registered", None), ("closed", "2020-01-01")), "stale-account")
    closed = history("account", ("registered", None), ("closed", "2020-01-01"))
    assert verdict(closed, "stale-account", "2999-01-01") == "cancelled"


@pytest.mark.clause("DOAJ-6b3")
def test_a_date_that_is_found_takes_the_place_of_the_unknown_one() -> None:
    of = history("account", ("registered", None), ("registered", "2012-12-31"))
    assert one(of, "stale-account").due == at("2023-11-01")
    assert one(of, "stale-account").because == (fact("registered", "2012-12-31"),)


def test_an_end_that_nobody_can_date_never_hastens_anything() -> None:
    doubtful = history("journal", ("withdrawn", "2010-01-01"), ("reinstated", None))
    assert verdict(doubtful, "removed-journal", "2099-01-01") == "undated"
    held = history("account", ("registered", "2010-01-01"), ("record-linked", "2011-01-01", "j"))
    freed = replace(held, facts=(*held.facts, fact("record-released", None, "j")))
    assert verdict(freed, "stale-account", "2099-01-01") == "kept"
    began = history("account", ("registered", "2010-01-01"), ("record-linked", None, "j"))
    assert verdict(began, "stale-account", "2099-01-01") == "kept"
    ended = replace(began, facts=(*began.facts, fact("record-released", "2015-01-01", "j")))
    assert verdict(ended, "stale-account", "2099-01-01") == "due"


@pytest.mark.clause("DOAJ-6c1")
@pytest.mark.clause("DOAJ-6c3")
def test_two_months_count_from_archiving_and_not_from_the_verdict() -> None:
    decided = history(
        "volunteer-application", ("applied", "2026-01-01"), ("rejected", "2026-01-02")
    )
    assert clocks(decided, SCHEDULE) == ()
    archived = replace(decided, facts=(*decided.facts, fact("archived", "2026-06-30T12:00")))
    clock = one(archived, "archived-volunteer-application")
    assert clock.due == at("2026-08-31")
    assert clock.classes == ("volunteer-application",)


@pytest.mark.clause("DOAJ-6a4")
@pytest.mark.law("P4")
def test_a_hold_stops_a_deletion_and_the_last_one_lifted_lets_it_go_at_once() -> None:
    of = history("journal", ("indexed", "2010-01-01"), ("withdrawn", "2018-01-01"))
    every = clocks(of, SCHEDULE)
    now = at("2026-01-01")
    (free,) = judge(every, now)
    assert (free.verdict, free.since) == ("due", at("2025-01-02"))
    (held,) = judge(every, now, [Hold("matter-2"), Hold("matter-1")])
    assert (held.verdict, held.since) == ("held", None)
    assert held.holds == ("matter-1", "matter-2")
    one_left = [Hold("matter-1", at("2025-06-01")), Hold("matter-2")]
    assert judge(every, now, one_left)[0].holds == ("matter-2",)
    assert due(every, now, one_left) == ()
    lifted = [Hold("matter-1", at("2025-06-01")), Hold("matter-2", now)]
    assert due(every, now - timedelta(microseconds=1), lifted) == ()
    (found,) = due(every, now, lifted)
    assert found.since == now


@pytest.mark.clause("DOAJ-6a4")
def test_a_hold_keeps_nobody_out_of_a_report_and_is_shown_there() -> None:
    of = history("account", ("registered", "2010-01-01"))
    (found,) = due(clocks(of, SCHEDULE), at("2026-01-01"), [Hold("history-1")])
    assert found.holds == ("history-1",)


@pytest.mark.clause("DOAJ-6b2")
def test_lists_are_made_once_a_year_from_when_the_rule_began() -> None:
    made = reports(SCHEDULE, at("2023-11-01"), at("2026-11-01"))
    assert [(found.rule, found.at.date().isoformat()) for found in made] == [
        ("stale-account", "2024-11-01"),
        ("stale-account", "2025-11-01"),
        ("stale-account", "2026-11-01"),
    ]
    assert made[0] == Round("stale-account", SCHEDULE.version, at("2024-11-01"))
    assert reports(SCHEDULE, at("2026-11-01"), at("2027-10-31T23:59")) == ()


def test_every_clock_names_its_rule_its_clause_and_the_version_of_the_schedule() -> None:
    (clock,) = clocks(history("journal", ("withdrawn", "2018-01-01")), SCHEDULE)
    assert (clock.kind, clock.record, clock.rule) == ("journal", "r1", "removed-journal")
    assert (clock.clause, clock.version) == ("DOAJ-6a3", SCHEDULE.version)
    assert clock.started == at("2018-01-01")


def test_a_record_without_facts_and_facts_without_a_rule_start_nothing() -> None:
    assert clocks(history("journal"), SCHEDULE) == ()
    assert clocks(history("account", ("name-changed", "2010-01-01")), SCHEDULE) == ()
    with pytest.raises(PolicyError, match="telepathy"):
        clocks(history("telepathy"), SCHEDULE)


def test_a_fact_without_an_offset_is_refused_and_one_of_another_offset_is_the_same() -> None:
    with pytest.raises(ValueError, match="offset"):
        Fact("a", at("2026-01-01").replace(tzinfo=None))


def test_all_facts_that_a_rule_asks_for_must_stand_in_any_order() -> None:
    both = schedule_of(rule("both", 'all = ["a", "b"]\ncancel = ["c"]\nperiod = "P1M"'))

    def found(*facts: tuple[str, str]) -> list[tuple[str, str | None]]:
        every = clocks(history("thing", *facts), both)
        return [(c.standing, c.due.date().isoformat() if c.due else None) for c in every]

    a, b, c = ("a", "2026-01-31"), ("b", "2026-03-15"), ("c", "2026-02-01")
    assert found(a) == found(b) == []
    assert found(a, b) == found(b, a) == [("running", "2026-04-16")]
    assert found(a, b, ("b", "2026-05-05")) == [("running", "2026-04-16")]
    # What stood before a cancelling fact has to happen again.
    assert found(a, c, b) == []
    assert found(a, c, b, ("a", "2026-03-20")) == [("running", "2026-04-21")]
    assert found(a, b, ("c", "2026-04-01")) == [("cancelled", None)]


def test_another_fact_may_restart_a_clock_that_runs_and_starts_none() -> None:
    used = schedule_of(rule("used", 'any = ["a"]\nrestart = ["b"]\ncancel = ["c"]\nperiod = "P1M"'))
    assert clocks(history("thing", ("b", "2026-01-01")), used) == ()
    before = history("thing", ("b", "2026-01-01"), ("a", "2026-01-02"))
    assert one(before, "used", used).due == at("2026-02-03")
    later = history("thing", ("a", "2026-01-02"), ("b", "2026-02-01"))
    clock = one(later, "used", used)
    assert (clock.due, clock.started) == (at("2026-03-02"), at("2026-02-01"))
    unknown = history("thing", ("a", "2026-01-02"), ("b", None))
    assert one(unknown, "used", used).standing == "undated"


def test_facts_of_one_moment_are_read_in_favour_of_keeping() -> None:
    moment = "2020-01-01T12:00"
    back = history("journal", ("reinstated", moment), ("withdrawn", moment))
    assert verdict(back, "removed-journal", "2099-01-01") == "cancelled"
    linked = [("record-linked", moment, "j"), ("record-released", moment, "j")]
    of = history("account", ("registered", "2010-01-01"), *linked)
    assert verdict(of, "stale-account", "2099-01-01") == "kept"


def test_no_rule_orders_anything_before_it_is_in_force() -> None:
    soon = schedule_of(rule("soon", 'any = ["a"]\nperiod = "P1M"', since="2027-01-01"))
    of = history("thing", ("a", "2001-01-01"))
    assert one(of, "soon", soon).due == at("2027-01-01")
    assert due(clocks(of, soon), at("2026-12-31T23:59")) == ()


def test_a_day_ends_where_the_schedule_says() -> None:
    here = schedule_of(rule("one", 'any = ["a"]\nperiod = "P1M"'), zone="Pacific/Auckland")
    # 31 January in UTC is 1 February there, in summer time.
    of = history("thing", ("a", "2026-01-31T12:00"))
    assert one(of, "one", here).due == at("2026-03-01T11:00")


def test_a_due_date_may_move_to_a_working_day() -> None:
    what = 'any = ["a"]\nperiod = "P1D"\nmoved = "working-day-after"'
    moved = schedule_of(rule("moved", what, falls="same-time"))
    of = history("thing", ("a", "2026-12-18T09:00"))  # a Friday
    assert one(of, "moved", moved).due == at("2026-12-21T09:00")
