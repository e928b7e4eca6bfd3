"""The submission log has the real system's form, and is written as a stream."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deposits.crossref import diagnostics
from services.deposits.crossref.diagnostics import BatchDiagnostic, Counts, Diagnostic
from services.deposits.crossref.faults import Place, Unreadable
from tests.unit.deposits.crossref_examples import DOI_DATA, article, journal, read_one

_texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=20
)
_records = st.builds(
    Diagnostic,
    status=st.sampled_from(("Success", "Warning", "Failure")),
    doi=_texts,
    message=_texts,
    msg_id=st.none() | st.integers(1, 99),
    conflict_id=st.none() | st.from_regex(r"\A[0-9]{1,6}\Z"),
    dois_in_conflict=st.lists(_texts.filter(bool), max_size=2).map(tuple),
    citations_deferred=st.none() | st.from_regex(r"\A[0-9]{1,6}\Z"),
    citations=st.lists(
        st.tuples(_texts, st.sampled_from(("resolved_reference", "stored_query"))), max_size=2
    ).map(tuple),
)


def test_a_completed_log_word_for_word() -> None:
    records = [
        Diagnostic("Success", "10.5555/a&b", "Successfully added"),
        Diagnostic("Failure", "DOI not found", "ORCID has invalid checksum", 45),
        Diagnostic(
            "Warning", "10.5555/c", "Added with conflict", None, "77", ("10.5555/d",), "1390"
        ),
    ]
    log = diagnostics.render(
        "completed",
        records,
        submission_id="1390675109",
        batch_id="batch-1",
        server="ds3",
        counts=diagnostics.count(records),
    )
    assert b"".join(log).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<doi_batch_diagnostic status="completed" sp="ds3">\n'
        "   <submission_id>1390675109</submission_id>\n"
        "   <batch_id>batch-1</batch_id>\n"
        '   <record_diagnostic status="Success">\n'
        "      <doi>10.5555/a&amp;b</doi>\n"
        "      <msg>Successfully added</msg>\n"
        "   </record_diagnostic>\n"
        '   <record_diagnostic status="Failure" msg_id="45">\n'
        "      <doi>DOI not found</doi>\n"
        "      <msg>ORCID has invalid checksum</msg>\n"
        "   </record_diagnostic>\n"
        '   <record_diagnostic status="Warning">\n'
        "      <doi>10.5555/c</doi>\n"
        "      <msg>Added with conflict</msg>\n"
        '      <citations_diagnostic deferred="1390"/>\n'
        "      <conflict_id>77</conflict_id>\n"
        "      <dois_in_conflict><doi>10.5555/d</doi></dois_in_conflict>\n"
        "   </record_diagnostic>\n"
        "   <batch_data>\n"
        "      <record_count>3</record_count>\n"
        "      <success_count>1</success_count>\n"
        "      <warning_count>1</warning_count>\n"
        "      <failure_count>1</failure_count>\n"
        "   </batch_data>\n"
        "</doi_batch_diagnostic>\n"
    )


@pytest.mark.parametrize("status", ["queued", "in_process", "unknown_submission"])
def test_a_submission_on_its_way_or_unknown(status: diagnostics.BatchStatus) -> None:
    found = diagnostics.parse(b"".join(diagnostics.render(status, server="s")))
    assert found == BatchDiagnostic(status, "0", "", "s")


@given(records=st.lists(_records, max_size=4), batch_id=_texts)
def test_a_log_reads_back_as_it_was_written(records: list[Diagnostic], batch_id: str) -> None:
    counts = diagnostics.count(records)
    log = b"".join(
        diagnostics.render(
            "completed", records, submission_id="1", batch_id=batch_id, counts=counts
        )
    )
    assert diagnostics.parse(log) == BatchDiagnostic(
        "completed", "1", batch_id, "colophon", tuple(records), counts
    )


def test_a_log_is_written_while_its_records_come() -> None:
    def endless() -> object:
        while True:
            yield Diagnostic("Success", "10.5555/a", "Successfully added")

    log = diagnostics.render("completed", endless(), counts=Counts())  # type: ignore[arg-type]
    assert len(list(islice(log, 1000))) == 1000


@given(message=st.text(max_size=30))
def test_no_message_breaks_a_log(message: str) -> None:
    record = Diagnostic("Failure", "10.5555/a", message.encode(errors="ignore").decode())
    log = b"".join(diagnostics.render("completed", [record]))
    assert diagnostics.parse(log).records[0].status == "Failure"


def test_the_verdicts_on_records_and_files() -> None:
    sound = read_one(journal(article()))
    assert diagnostics.failure(sound) is None
    nameless = diagnostics.failure(read_one(journal(article(doi_data=""))))
    assert nameless is not None
    assert nameless.doi == "DOI not found"
    bad = article(doi_data=DOI_DATA.replace("https:", "x:"))
    faulty = diagnostics.failure(read_one(journal(bad)))
    assert faulty is not None
    assert faulty.doi == "10.5555/A1"
    refused = diagnostics.refusal(Unreadable("unsupported-schema", Place("/x")))
    assert (refused.status, refused.msg_id, refused.doi) == ("Failure", 4, "DOI not found")


@pytest.mark.parametrize("log", [b"", b"<html/>", b"<doi_batch_diagnostic status='x'/>"])
def test_anything_else_is_no_log(log: bytes) -> None:
    with pytest.raises(Unreadable):
        diagnostics.parse(log)
