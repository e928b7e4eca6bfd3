"""The verdicts on records: what refuses, in which words, and what an acceptance makes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deposits.crossref.diagnostics import Counts
from services.deposits.crossref.faults import NO_DOI, Place, problem
from services.deposits.crossref.submission import Record
from services.deposits.model import (
    LARGEST_WORK,
    Permission,
    Registration,
    Verdict,
    completed,
    judge,
    judge_alone,
    received,
)
from services.deposits.permissions import Bound
from shared.events import SubmissionCompleted, WorkRegistered, WorkState, WorkUpdated

NOW = datetime(2026, 2, 3, tzinfo=UTC)
GRANTED = Permission(78, "10.5555", granted=True)
REFUSED = Permission(78, "10.5555", granted=False)


def record(doi: str = "10.5555/AbC", timestamp: str = "7", **more: object) -> Record:
    said = {"kind": "journal_article", "work": {"DOI": doi}, "line": 3} | more
    return Record(index=0, doi=doi, timestamp=timestamp, **said)  # type: ignore[arg-type]


def registered(timestamp: str, version: int = 1) -> WorkState:
    return WorkState(
        doi="10.5555/abc",
        prefix="10.5555",
        timestamp=timestamp,
        created=NOW - timedelta(days=1),
        deposited=NOW - timedelta(days=1),
        submission="1#0",
        work={},
        version=version,
    )


def test_a_new_doi_is_added_under_its_lower_cased_key_and_shown_as_deposited() -> None:
    decided = judge(None, record(), GRANTED, name="2#0", now=NOW)
    assert isinstance(decided, Registration)
    assert isinstance(decided.event, WorkRegistered)
    state = decided.state
    assert WorkState.model_validate(state.model_dump()) == state
    assert (state.doi, state.version, state.created, state.submission) == (
        "10.5555/abc",
        1,
        NOW,
        "2#0",
    )
    assert decided.verdict == Verdict("Success", "10.5555/AbC", "Successfully added")
    assert decided.event.model_dump() == state.model_dump()


def test_a_redeposit_keeps_when_the_doi_was_registered() -> None:
    decided = judge(registered("6"), record(), GRANTED, name="2#0", now=NOW)
    assert isinstance(decided, Registration)
    assert isinstance(decided.event, WorkUpdated)
    assert decided.state.created == NOW - timedelta(days=1)
    assert (decided.state.deposited, decided.state.version) == (NOW, 2)
    assert decided.verdict.msg == "Successfully updated"


@given(st.integers(0, 10**32 - 1), st.integers(0, 10**32 - 1), st.integers(0, 3))
def test_versions_compare_as_numbers_whatever_their_length_and_zeros(
    before: int, now: int, zeros: int
) -> None:
    said = ("0" * zeros + str(now))[-32:]
    decided = judge(registered(str(before)), record(timestamp=said), GRANTED, name="2#0", now=NOW)
    assert isinstance(decided, Registration) == (int(said) > before)
    if isinstance(decided, Verdict):
        assert decided.msg == (
            f"Record not processed because submitted version: {said} is less or equal to "
            "previously submitted version (DOI match)"
        )
        assert decided.details["winning"] == {"version": str(before), "record": "1#0"}


def test_without_permission_a_new_doi_and_an_existing_one_are_refused_in_their_own_words() -> None:
    new = judge(None, record(), REFUSED, name="2#0", now=NOW)
    held = judge(registered("1"), record(), REFUSED, name="2#0", now=NOW)
    assert isinstance(new, Verdict)
    assert isinstance(held, Verdict)
    assert new.msg == "User not allowed to add records for prefix: 10.5555"
    assert held.msg == (
        "User with ID: 78 can't submit into handle, please contact the Crossref admin"
    )


def test_a_record_of_another_prefix_is_refused_by_itself() -> None:
    verdict = judge_alone(record(doi="10.6666/x"), GRANTED)
    assert verdict is not None
    assert verdict.msg == "All prefixes in a submission must match (DOI[10.6666/x])"
    assert judge_alone(record(), GRANTED) is None


def test_a_record_that_the_reader_refuses_says_where_and_what_to_do() -> None:
    place = Place("/doi_batch/body/journal[1]/journal_article[2]", 12)
    hidden = problem("missing-doi", place, kind="Journal Article")
    verdict = judge_alone(record(doi="", problems=(hidden,)), None)
    assert verdict is not None
    assert (verdict.doi, verdict.rule, verdict.line) == (NO_DOI, "missing-doi", 12)
    assert verdict.at == place.path
    assert verdict.remedy


def test_advice_does_not_refuse_and_is_kept() -> None:
    advice = problem("issn-checksum", Place("/doi_batch", 4), issn="1234-5678")
    said = record(problems=(advice,))
    assert judge_alone(said, GRANTED) is None
    decided = judge(None, said, GRANTED, name="2#0", now=NOW)
    assert isinstance(decided, Registration)
    assert decided.verdict.details["advice"][0]["rule"] == "issn-checksum"


def test_a_work_that_no_document_can_hold_fails_alone() -> None:
    verdict = judge_alone(record(work={"abstract": "x" * LARGEST_WORK}), GRANTED)
    assert verdict is not None
    assert verdict.rule == "too-large"


@pytest.mark.parametrize(
    ("prefixes", "age", "answers"),
    [
        ({"10.5555"}, 1, [True]),  # owned: no need to know more
        ({"10.6666"}, -1, [False]),  # known as of after the deposit: not owned
        ({"10.6666"}, 1, []),  # known as of before it: an assignment may be on its way
    ],
)
def test_a_refusal_waits_for_knowledge_as_new_as_the_deposit(
    prefixes: set[str], age: int, answers: list[bool]
) -> None:
    bound = Bound(NOW - timedelta(seconds=age), prefixes)
    said = bound.permission("10.5555", organisation=78, received_at=NOW)
    assert ([said.granted] if said else []) == answers


def test_a_submission_ends_once_with_its_counts() -> None:
    state, event = received("1", organisation=78, now=NOW)
    assert event.model_dump() == state.model_dump()
    ended = completed(state, Counts(2, 0, 1), now=NOW)
    assert ended is not None
    assert isinstance(ended[1], SubmissionCompleted)
    assert (ended[0].record_count, ended[0].failure_count, ended[0].version) == (3, 1, 2)
    assert completed(ended[0], Counts(9), now=NOW) is None
