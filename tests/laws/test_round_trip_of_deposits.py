"""What a deposit says is what is read, whatever it says: read(write(work)) == work."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.demo.deposit_xml import Head, deposit
from services.deposits.crossref.faults import Problem, Unreadable
from services.deposits.crossref.reader import DepositReader, read_deposit
from services.deposits.crossref.submission import Record
from tests.strategies import deposits

HEAD = Head("batch-1", "20260101000000")
LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def failures(record: Record) -> list[str]:
    return [p.message for p in record.problems if p.severity == "failure"]


def test_every_row_has_values() -> None:
    assert deposits.kinds_without_values() == set()


@pytest.mark.clause("CRR-1")
@LAW
@given(works=st.lists(deposits.articles(), min_size=1, max_size=3))
def test_an_article_reads_back_as_it_was_written(works: list[deposits.Work]) -> None:
    read = read_deposit([deposit(works, HEAD)])
    assert [failures(record) for record in read.records] == [[] for _ in works]
    assert [record.work for record in read.records] == works


@pytest.mark.clause("CRR-1")
@LAW
@given(works=st.lists(deposits.posted(), min_size=1, max_size=3))
def test_posted_content_reads_back_as_it_was_written(works: list[deposits.Work]) -> None:
    read = read_deposit([deposit(works, HEAD)])
    assert [failures(record) for record in read.records] == [[] for _ in works]
    assert [record.work for record in read.records] == works


@pytest.mark.clause("CRR-1")
@LAW
@given(
    references=deposits.references(deposits.ARTICLE.rows[-2].inside or deposits.ARTICLE),
    work=deposits.articles(),
)
def test_no_reference_is_lost_or_altered(
    references: list[deposits.Work], work: deposits.Work
) -> None:
    whole = {**work, "reference": references}
    read = read_deposit([deposit([whole], HEAD)])
    assert read.records[0].work["reference"] == references
    assert read.records[0].work["references-count"] == len(references)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(work=deposits.articles(), size=st.integers(1, 4000))
def test_it_does_not_matter_in_what_pieces_a_file_arrives(work: deposits.Work, size: int) -> None:
    xml = deposit([work], HEAD)
    reader = DepositReader()
    found = [
        item for at in range(0, len(xml), size) for item in reader.feed(xml[at : at + size])
    ] + reader.close()
    assert [item.work for item in found if isinstance(item, Record)] == [work]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    work=deposits.articles(),
    where=st.floats(0, 1),
    length=st.integers(0, 40),
    put=st.binary(max_size=12) | st.sampled_from((b"<", b"&", b"\x00", b"</body>", b"<doi_data/>")),
)
def test_a_damaged_file_is_read_or_refused_and_never_crashes(
    work: deposits.Work, where: float, length: int, put: bytes
) -> None:
    xml = deposit([work], HEAD)
    at = int(where * len(xml))
    told: list[Problem | Unreadable] = []
    try:
        found = read_deposit([xml[:at] + put + xml[at + length :]])
        told += [problem for record in found.records for problem in record.problems]
    except Unreadable as refused:
        told.append(refused)
    assert all(finding.message and finding.remedy for finding in told)
