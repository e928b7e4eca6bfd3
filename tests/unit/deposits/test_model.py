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
    Refused,
    Registration,
    Standing,
    Verdict,
    citation_statuses,
    completed,
    judge,
    judge_alone,
    received,
)
from services.deposits.permissions import Bound
from shared.events import (
    OwnershipState,
    SubmissionCompleted,
    TitleState,
    WorkRegistered,
    WorkState,
    WorkUpdated,
)

NOW = datetime(2026, 2, 3, tzinfo=UTC)
GRANTED = Permission(78, "10.5555", {"10.5555"})
REFUSED = Permission(78, "10.5555", {"10.4444"})


def record(doi: str = "10.5555/AbC", timestamp: str = "7", **more: object) -> Record:
    said = {"kind": "journal_article", "work": {"DOI": doi}, "line": 3} | more
    return Record(index=0, doi=doi, timestamp=timestamp, **said)  # type: ignore[arg-type]


def on(work: WorkState | None, **more: object) -> Standing:
    return Standing(work, work.version if work else 0, **more)  # type: ignore[arg-type]


def registered(timestamp: str, version: int = 1, **more: object) -> WorkState:
    said = {"work": {}} | more
    return WorkState(
        doi="10.5555/abc",
        prefix="10.5555",
        timestamp=timestamp,
        created=NOW - timedelta(days=1),
        deposited=NOW - timedelta(days=1),
        submission="1#0",
        version=version,
        **said,  # type: ignore[arg-type]
    )


def test_a_new_doi_is_added_under_its_lower_cased_key_and_shown_as_deposited() -> None:
    decided = judge(record(), GRANTED, on(None), name="2#0", now=NOW)
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
    assert decided.verdict == Verdict(
        "Success", "10.5555/AbC", "Successfully added", details={"work_version": 1}
    )
    assert decided.event.model_dump() == state.model_dump()


def test_a_redeposit_keeps_when_the_doi_was_registered() -> None:
    decided = judge(record(), GRANTED, on(registered("6")), name="2#0", now=NOW)
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
    decided = judge(
        record(timestamp=said), GRANTED, on(registered(str(before))), name="2#0", now=NOW
    )
    assert isinstance(decided, Registration) == (int(said) > before)
    if isinstance(decided, Verdict):
        assert decided.msg == (
            f"Record not processed because submitted version: {said} is less or equal to "
            "previously submitted version (DOI match)"
        )
        assert decided.details["winning"] == {"version": str(before), "record": "1#0"}


def test_without_permission_a_new_doi_and_an_existing_one_are_refused_in_their_own_words() -> None:
    new = judge(record(), REFUSED, on(None), name="2#0", now=NOW)
    held = judge(record(), REFUSED, on(registered("1")), name="2#0", now=NOW)
    assert isinstance(new, Refused)
    assert isinstance(held, Refused)
    assert new.verdict.msg == "User not allowed to add records for prefix: 10.5555"
    assert held.verdict.msg == (
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
    decided = judge(said, GRANTED, on(None), name="2#0", now=NOW)
    assert isinstance(decided, Registration)
    assert decided.verdict.details["advice"][0]["rule"] == "issn-checksum"


def test_a_work_that_no_document_can_hold_fails_alone() -> None:
    verdict = judge_alone(record(work={"abstract": "x" * LARGEST_WORK}), GRANTED)
    assert verdict is not None
    assert verdict.rule == "too-large"


@pytest.mark.parametrize(
    ("prefixes", "age", "said"),
    [
        ({"10.5555"}, 1, "granted"),  # owned: no need to know more
        ({"10.6666"}, -1, "refused"),  # known as of after the deposit: not owned
        ({"10.6666"}, 1, "unsure"),  # known as of before it: an assignment may be on its way
    ],
)
def test_a_refusal_waits_for_knowledge_as_new_as_the_deposit(
    prefixes: set[str], age: int, said: str
) -> None:
    bound = Bound(NOW - timedelta(seconds=age), prefixes)
    permission = bound.permission("10.5555", organisation=78, received_at=NOW)
    match judge(record(), permission, on(None), name="2#0", now=NOW):
        case Registration():
            assert said == "granted"
        case Refused(_, final=final):
            assert said == ("refused" if final else "unsure")


# -- owners ----------------------------------------------------------------------------------------

THEIRS = TitleState(
    subject="journal:2167-8359", name="J", issns=("2167-8359",), owner_prefix="10.6666", version=1
)
OWN = OwnershipState(subject="10.5555/abc", owner_prefix="10.6666", version=1)
NEW_OWNER = Permission(99, "10.5555", {"10.6666"})


@pytest.mark.parametrize(
    "standing",
    [
        on(registered("1"), owner=OWN),
        on(registered("1", title=THEIRS.subject), title=THEIRS),
        on(registered("1", title="journal:x"), owner=OWN),
    ],
)
def test_a_transferred_work_is_its_new_owner_s_and_refused_to_the_former(
    standing: Standing,
) -> None:
    former = judge(record(), GRANTED, standing, name="2#0", now=NOW)
    assert isinstance(former, Refused)
    assert former.verdict.rule == "handle-not-yours"
    later = judge(record(), NEW_OWNER, standing, name="2#0", now=NOW)
    assert isinstance(later, Registration)
    assert (later.state.prefix, later.state.version) == ("10.5555", 2)
    assert later.state.title == (standing.work.title if standing.work else None)


def test_an_owner_of_its_own_goes_before_the_owner_of_the_title() -> None:
    back = OWN.model_copy(update={"owner_prefix": "10.5555", "version": 2})
    standing = on(registered("1", title=THEIRS.subject), owner=back, title=THEIRS)
    assert isinstance(judge(record(), GRANTED, standing, name="2#0", now=NOW), Registration)
    assert isinstance(judge(record(), NEW_OWNER, standing, name="2#0", now=NOW), Refused)


def test_a_new_doi_needs_its_own_prefix_whoever_owns_what() -> None:
    decided = judge(record(), NEW_OWNER, on(None), name="2#0", now=NOW)
    assert isinstance(decided, Refused)
    assert decided.verdict.rule == "prefix-not-yours"


def test_a_refusal_that_stands_beside_a_work_moves_its_version_on() -> None:
    decided = judge(record(), GRANTED, Standing(None, 1), name="2#0", now=NOW)
    assert isinstance(decided, Registration)
    assert isinstance(decided.event, WorkRegistered)
    assert decided.state.version == 2


# -- parts -----------------------------------------------------------------------------------------

REFERENCES = {
    "title": ["T"],
    "reference": [{"key": "a", "DOI": "10.1/x"}, {"key": "b", "unstructured": "B"}],
    "reference-count": 2,
    "references-count": 2,
    "resource": {"primary": {"URL": "https://example.org"}},
}


def part(work: dict[str, object], timestamp: str | None = None) -> Record:
    return record(work=work, effect="part", timestamp=timestamp)  # type: ignore[arg-type]


def applied(said: Record, work: WorkState) -> Registration:
    decided = judge(said, GRANTED, on(work), name="2#1", now=NOW)
    assert isinstance(decided, Registration)
    assert isinstance(decided.event, WorkUpdated)
    assert decided.verdict.msg == "Successfully updated"
    return decided


@pytest.mark.clause("CRR-10")
def test_a_part_replaces_the_references_and_leaves_the_rest_and_the_timestamp() -> None:
    work = registered("6", work=REFERENCES)
    decided = applied(part({"reference": [{"key": "new"}]}), work)
    assert decided.state.work == REFERENCES | {
        "reference": [{"key": "new"}],
        "reference-count": 1,
        "references-count": 1,
    }
    assert (decided.state.timestamp, decided.state.version) == ("6", 2)
    assert (decided.state.created, decided.state.submission) == (work.created, "2#1")
    assert decided.verdict.details["citations"] == {"total": 1, "with-doi": 0}


@pytest.mark.clause("CRR-11")
def test_a_part_with_no_references_takes_them_away() -> None:
    decided = applied(part({"reference": []}), registered("6", work=REFERENCES))
    assert "reference" not in decided.state.work
    assert decided.state.work["reference-count"] == decided.state.work["references-count"] == 0
    assert decided.state.work["title"] == ["T"]
    assert "citations" not in decided.verdict.details


@pytest.mark.clause("CRR-11")
def test_a_whole_record_without_references_takes_them_away() -> None:
    decided = judge(
        record(work={"title": ["T"]}),
        GRANTED,
        on(registered("6", work=REFERENCES)),
        name="2#0",
        now=NOW,
    )
    assert isinstance(decided, Registration)
    assert decided.state.work == {"title": ["T"]}


def test_a_part_s_secondary_resources_leave_the_primary_one() -> None:
    said = {"resource": {"secondary": [{"label": "x"}]}, "funder": [{"name": "F"}]}
    decided = applied(part(said), registered("6", work=REFERENCES))
    assert decided.state.work["resource"] == {
        "primary": {"URL": "https://example.org"},
        "secondary": [{"label": "x"}],
    }
    assert decided.state.work["funder"] == [{"name": "F"}]


def test_a_part_with_a_timestamp_must_be_newer_and_sets_it() -> None:
    decided = applied(part({"reference": []}, "7"), registered("6"))
    assert decided.state.timestamp == "7"
    late = judge(part({"reference": []}, "6"), GRANTED, on(registered("6")), name="2#1", now=NOW)
    assert isinstance(late, Verdict)
    assert late.rule == "version"


def test_a_part_of_a_doi_that_is_not_registered_is_refused_and_says_what_to_do() -> None:
    decided = judge(part({"reference": []}), GRANTED, on(None), name="2#1", now=NOW)
    assert isinstance(decided, Refused)
    assert (decided.verdict.rule, decided.final) == ("doi-unknown", True)
    assert decided.verdict.msg == "DOI not registered, its resources cannot be updated: 10.5555/AbC"
    assert decided.verdict.remedy


def test_each_reference_has_its_status() -> None:
    assert citation_statuses(REFERENCES) == [("a", "resolved_reference"), ("b", "stored_query")]
    assert citation_statuses({}) == []


def test_a_submission_ends_once_with_its_counts() -> None:
    state, event = received("1", organisation=78, now=NOW)
    assert event.model_dump() == state.model_dump()
    ended = completed(state, Counts(2, 0, 1), now=NOW)
    assert ended is not None
    assert isinstance(ended[1], SubmissionCompleted)
    assert (ended[0].record_count, ended[0].failure_count, ended[0].version) == (3, 1, 2)
    assert completed(ended[0], Counts(9), now=NOW) is None
