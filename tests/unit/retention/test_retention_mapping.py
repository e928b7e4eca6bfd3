"""From events to dated facts of records, whatever of them was missed, late or repeated."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.retention.model.clocks import Clock, clocks
from services.retention.model.dues import Looked, look
from services.retention.model.mapping import TOPICS, hear, record_of
from services.retention.model.records import KeptRecord, next_due
from shared.events import REGISTRY, Event
from shared.events.orders import KeptUnits
from shared.events.people import PersonState
from shared.events.requests import (
    RequestAnswered,
    RequestExtended,
    RequestFact,
    RequestPaused,
    RequestReceived,
    RequestResumed,
    RequestState,
)
from shared.events.volunteers import VolunteerState
from tests.retaining import (
    application,
    applied,
    archived,
    closed,
    moment,
    owning,
    pseudonym,
    registered,
    with_roles,
)
from tests.unit.retention.given_clocks import SCHEDULE

HOUR = timedelta(hours=1)
VOLUNTEERS = {"associate-editor", "ambassador"}


def heard(*events: Event | tuple[Event, str], known: KeptRecord | None = None) -> KeptRecord:
    for one in events:
        event, at = one if isinstance(one, tuple) else (one, "2026-01-01")
        known = hear(known, event, moment(at), VOLUNTEERS).state
    assert known is not None
    return known


def facts(record: KeptRecord) -> list[tuple[str, datetime | None, str]]:
    return [(one.what, one.at, one.about) for one in record.facts]


def rules(record: KeptRecord) -> dict[str, Clock]:
    return {one.rule: one for one in clocks(record.history, SCHEDULE)}


def test_every_event_about_people_and_volunteers_names_its_record() -> None:
    about = [
        one
        for one in REGISTRY.values()
        if issubclass(one, PersonState | VolunteerState | RequestState)
        or one.topic == "deposits.owners.v1"
    ]
    assert {one.topic for one in about} == set(TOPICS)
    assert record_of(registered(1, "2020-01-01")) == f"account:{pseudonym(1)}"
    assert record_of(owning(1)) == f"account:{pseudonym(1)}"
    assert record_of(applied(1, "2020-01-01")) is not None


def test_every_fact_that_is_mapped_is_one_of_its_kind_in_the_schedule() -> None:
    first = registered(1, "2020-01-01", roles=("ambassador",))
    account = heard(
        first, owning(1, "1234-5678"), owning(1, version=2), closed(first, "2021-01-01")
    )
    volunteer = heard(applied(1, "2020-01-01"), archived(1, "2020-06-01"))
    kinds = {row.id: set(row.facts) for row in SCHEDULE.file.kinds}
    for record in (account, volunteer):
        assert {one.what for one in record.facts} <= kinds[record.kind]


@pytest.mark.clause("DOAJ-6c1", "DOAJ-6c3")
def test_an_archived_application_is_due_two_months_after_archiving_with_its_referees() -> None:
    record = heard(applied(7, "2024-01-15"), archived(7, "2024-12-31"))
    clock = rules(record)["archived-volunteer-application"]
    assert clock.due == moment("2025-03-01")
    assert next_due(record, SCHEDULE) == clock.ripe == clock.due
    assert record.service == "accounts"
    applicant, referee = record.keys
    assert applicant.keys_id == f"{pseudonym(7)}.volunteer-application"
    assert referee != applicant
    assert applicant.units == referee.units == (record.record,)


@pytest.mark.clause("DOAJ-6b2")
def test_an_account_is_kept_as_long_as_a_journal_hangs_on_it() -> None:
    first = registered(3, "2010-01-01")
    linked = heard(first, (owning(3, "1234-5678"), "2015-05-05"))
    assert [one.keep for one in rules(linked)["stale-account"].kept] == ["account-with-records"]
    free = heard((owning(3, version=2), "2019-01-01"), known=linked)
    assert rules(free)["stale-account"].kept == ()
    assert ("record-linked", moment("2015-05-05"), "1234-5678") in facts(free)
    assert ("record-released", moment("2019-01-01"), "1234-5678") in facts(free)
    again = heard((owning(3, "1234-5678", version=3), "2020-01-01"), known=free)
    assert rules(again)["stale-account"].kept != ()


def test_a_journal_that_came_and_went_unheard_leaves_nothing() -> None:
    record = heard(registered(3, "2010-01-01"), (owning(3, version=9), "2019-01-01"))
    assert [one[0] for one in facts(record)] == ["registered"]


@pytest.mark.clause("DOAJ-1b5")
def test_a_volunteers_account_is_kept_as_long_as_the_role_lasts() -> None:
    first = registered(4, "2010-01-01")
    begun = heard(first, with_roles(first, "2012-02-02", "associate-editor", "account-holder"))
    assert ("volunteer-begun", moment("2012-02-02"), "associate-editor") in facts(begun)
    ended = heard(with_roles(first, "2014-04-04", version=3), known=begun)
    assert ("volunteer-ended", moment("2014-04-04"), "associate-editor") in facts(ended)
    assert len(ended.facts) == 3


def test_a_closed_account_has_no_clock_and_no_role() -> None:
    first = registered(5, "2010-01-01", roles=("ambassador",))
    record = heard(first, closed(first, "2020-02-02"))
    assert rules(record)["stale-account"].standing == "cancelled"
    assert ("volunteer-ended", moment("2020-02-02"), "ambassador") in facts(record)
    assert record.keys == (KeptUnits(keys_id=f"{pseudonym(5)}.account"),)


def test_what_is_older_than_what_was_heard_says_nothing_and_a_repetition_neither() -> None:
    first = registered(6, "2010-01-01")
    second = with_roles(first, "2012-02-02", "ambassador")
    record = heard(first, second)
    for late in (first, second):
        assert heard(late, known=record) is record


def test_what_came_first_does_not_matter_across_topics() -> None:
    first = registered(8, "2010-01-01")
    owner: Any = (owning(8, "1234-5678"), "2015-05-05")
    one, other = heard(first, owner), heard(owner, first)
    assert (one.facts, one.keys, one.seen) == (other.facts, other.keys, other.seen)


def test_only_the_newest_event_of_a_compacted_topic_gives_the_same_dates() -> None:
    whole = heard(applied(9, "2024-01-15"), archived(9, "2024-12-31"))
    newest = heard(archived(9, "2024-12-31"))
    assert rules(whole)["archived-volunteer-application"].due == (
        rules(newest)["archived-volunteer-application"].due
    )


ASKED: dict[str, Any] = {
    "request": application(1),
    "kinds": ("access",),
    "channel": "letter",
    "person": pseudonym(1),
    "received_at": moment("2026-03-02"),
    "registered_at": moment("2026-03-04"),
    "handler": "privacy-officer",
    "policy": "1",
}


def said(**at: str) -> tuple[RequestFact, ...]:
    return tuple(
        RequestFact(at=moment(on), what=what.replace("_", "-"), actor="operator")
        for what, on in at.items()
    )


@pytest.mark.clause("DOAJ-9a9")
def test_a_request_runs_until_its_answer_whatever_else_is_done_for_it() -> None:
    began = said(received="2026-03-02", assigned="2026-03-04")
    record = heard(RequestReceived(**ASKED, facts=began, version=1))
    assert {rule: one.due for rule, one in rules(record).items()} == {
        "answer-by-the-notice": moment("2026-04-11"),
        "answer-by-the-law": moment("2026-04-01"),
    }
    assert record.keys == (KeptUnits(keys_id=f"{pseudonym(1)}.support", units=(record.record,)),)
    ended = (*began, *said(answered="2026-03-20"))
    answered = heard(RequestAnswered(**ASKED, facts=ended, version=2), known=record)
    found = rules(answered)
    kept = found.pop("answered-request")
    assert {one.standing for one in found.values()} == {"cancelled"}
    # What shows the answer is looked at three years later, and by nobody before.
    assert (kept.action, kept.due) == ("review", moment("2029-03-21"))
    assert next_due(answered, SCHEDULE) == kept.due


@pytest.mark.law("P6")
@pytest.mark.clause("DOAJ-9a9")
def test_a_pause_and_an_extension_move_the_clock_that_asks_for_a_review() -> None:
    began = said(received="2026-03-02", paused="2026-03-10")
    record = heard(RequestPaused(**ASKED, facts=began, version=2))
    # While it waits for the person it never comes due, whatever day it is.
    assert next_due(record, SCHEDULE) is None
    assert look(record, SCHEDULE, moment("2027-01-01"), (), every=HOUR) == Looked(None, None)
    assert [one.keep for one in rules(record)["answer-by-the-law"].kept] == ["answer-by-the-law"]
    went_on = (*began, *said(resumed="2026-03-13"))
    record = heard(RequestResumed(**ASKED, facts=went_on, version=3), known=record)
    # Thirty days from 2 March and the three that it waited: 4 April is a Saturday.
    assert due(record) == {"by-the-law": "2026-04-03", "by-the-notice": "2026-04-14"}
    longer = (*went_on, *said(extended="2026-04-01"))
    record = heard(RequestExtended(**ASKED, facts=longer, version=4), known=record)
    assert due(record) == {"by-the-law": "2026-06-04", "by-the-notice": "2026-04-14"}
    settled = look(record, SCHEDULE, moment("2026-06-03"), (), every=HOUR).settled
    assert settled is not None
    assert [one.rule for one in settled.settled] == ["answer-by-the-notice"]


def due(record: KeptRecord) -> dict[str, str]:
    found = {rule.removeprefix("answer-"): one.due for rule, one in rules(record).items()}
    return {rule: f"{at:%Y-%m-%d}" for rule, at in found.items() if at}
