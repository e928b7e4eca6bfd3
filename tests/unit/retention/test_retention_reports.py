"""The yearly list of old accounts without records, and what is decided about those in it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.retention.model import reviews
from services.retention.model.clocks import reports
from services.retention.model.records import KeptRecord, kept_facts
from services.retention.model.reports import Section, item, rule_of
from services.retention.model.reviews import Deciding, KeptReview
from shared.events.decisions import Accepted, Refused, Unchanged
from tests.unit.retention.given_clocks import SCHEDULE, at, fact

pytestmark = pytest.mark.clause("DOAJ-6b2")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = rule_of(SCHEDULE, "account")
# Things that may hang on an account, one of each type that accounts and deposits tell of.
THINGS = ("journal:1", "application:1", "prefix:1", "title:1")


def account(*facts: tuple[str, str | None] | tuple[str, str | None, str]) -> KeptRecord:
    return KeptRecord(
        kind="account",
        record="a1",
        service="accounts",
        facts=kept_facts([fact(*one) for one in facts]),
        version=1,
    )


def section(record: KeptRecord, when: str) -> Section | None:
    assert RULE is not None
    found = item(record, RULE, SCHEDULE, at(when))
    return found.section if found else None


@pytest.mark.parametrize(
    ("when", "listed"),
    [
        ("2025-02-27", None),  # seven years less a day
        ("2025-02-28", None),  # seven years
        ("2025-02-28T23:59:59", None),
        ("2025-03-01", "listed"),  # seven years and a day: more than seven
    ],
)
def test_an_account_is_listed_when_it_is_more_than_seven_years_old(
    when: str, listed: Section | None
) -> None:
    assert section(account(("registered", "2018-02-28T15:00:00")), when) == listed


@pytest.mark.parametrize("thing", THINGS)
def test_one_record_of_any_type_keeps_an_account_out_and_its_release_brings_it_back(
    thing: str,
) -> None:
    old = ("registered", "2010-01-01")
    used = account(old, ("record-linked", "2020-01-01", thing))
    assert section(used, "2026-01-01") is None
    freed = account(
        old, ("record-linked", "2020-01-01", thing), ("record-released", "2025-06-01", thing)
    )
    assert section(freed, "2026-01-01") == "listed"
    assert section(freed, "2025-05-31") is None  # as of a day on which it still hung there
    both = account(
        old,
        ("record-linked", "2020-01-01", thing),
        ("record-linked", "2021-01-01", "journal:2"),
        ("record-released", "2025-06-01", thing),
    )
    assert section(both, "2026-01-01") is None


@pytest.mark.clause("DOAJ-6b3")
def test_accounts_of_unknown_age_stand_apart_and_those_with_records_nowhere() -> None:
    assert section(account(("registered", None)), "2026-01-01") == "undated"
    used = account(("registered", None), ("record-linked", "2012-01-01", "journal:1"))
    assert section(used, "2026-01-01") is None
    known = account(("registered", None), ("registered", "2025-01-01"))
    assert section(known, "2026-01-01") is None  # its day turned up, and it is young
    closed = account(("registered", "2010-01-01"), ("closed", "2020-01-01"))
    assert section(closed, "2026-01-01") is None


def test_the_list_is_made_once_a_year() -> None:
    found = reports(SCHEDULE, at("2026-11-22"), at("2030-11-22"))
    assert [one.at.date() for one in found] == [date(year, 11, 1) for year in range(2027, 2031)]
    assert reports(SCHEDULE, found[-1].at, found[-1].at + timedelta(days=364)) == ()


def review(**more: Any) -> KeptReview:
    said = {
        "review": "0190a0a0-0000-7000-8000-000000000001",
        "rule": "stale-account",
        "clause": "DOAJ-6b2",
        "schedule": SCHEDULE.version,
        "action": "report",
        "office": "team",
        "needs": 2,
        "kind": "account",
        "due": NOW,
        "asked_at": NOW,
        "version": 1,
        **more,
    }
    return KeptReview(**said)


def said(by: str, choice: str = "delete", **more: Any) -> Deciding:
    return Deciding.model_validate({"choice": choice, "by": by, "why": "unused"} | more)


def decided(known: KeptReview, *sayings: Deciding) -> KeptReview:
    for one in sayings:
        done = reviews.decide(known, one, SCHEDULE, now=NOW)
        assert isinstance(done, Accepted), done
        known = done.state
    return known


def slug(found: Any) -> str:
    assert isinstance(found, Refused), found
    return found.reason.slug


def test_that_a_listed_account_goes_is_decided_by_two_and_begun_once() -> None:
    one = decided(review(), said("operator-1", record="a1"))
    assert not reviews.agreed(one, "a1")
    again = reviews.decide(one, said("operator-1", record="a1"), SCHEDULE, now=NOW)
    assert isinstance(again, Unchanged)
    both = decided(one, said("operator-2", record="a1"))
    assert reviews.agreed(both, "a1")
    assert not reviews.agreed(both, "a2")
    begun = reviews.carried(both, "a1", "erasure-1")
    assert isinstance(begun, Accepted)
    assert not reviews.agreed(begun.state, "a1")
    assert begun.state.open  # others stand in the list
    late = reviews.decide(begun.state, said("operator-1", "keep", record="a1"), SCHEDULE, now=NOW)
    assert slug(late) == "review-date-invalid"
    late_keep = said("operator-1", "keep", record="a1", until=date(2027, 1, 1))
    assert slug(reviews.decide(begun.state, late_keep, SCHEDULE, now=NOW)) == "review-decided"


def test_two_who_disagree_delete_nothing_and_the_last_word_counts() -> None:
    until = date(2027, 1, 1)
    known = decided(
        review(),
        said("operator-1", record="a1"),
        said("operator-2", "keep", record="a1", until=until),
    )
    assert not reviews.agreed(known, "a1")
    alone = decided(known, said("operator-1", record="a1"))
    assert not reviews.agreed(alone, "a1")  # what was agreed before the other's word is void
    whole = said("operator-1")
    assert slug(reviews.decide(review(), whole, SCHEDULE, now=NOW)) == "review-needs-record"


def test_what_is_kept_comes_back_on_its_day() -> None:
    single = review(record="r1", needs=1, action="review")
    kept = decided(single, said("operator-1", "keep", until=date(2027, 1, 1)))
    assert not kept.open
    early = reviews.come_back(kept, SCHEDULE, now=at("2026-12-31T23:59:59"))
    assert isinstance(early, Unchanged)
    back = reviews.come_back(kept, SCHEDULE, now=at("2027-01-01"))
    assert isinstance(back, Accepted)
    assert back.state.open
    other = said("operator-1", "delete", record="r2")
    assert slug(reviews.decide(single, other, SCHEDULE, now=NOW)) == "review-not-of-record"
    gone = decided(single, said("operator-1"))
    assert reviews.agreed(gone, "")
