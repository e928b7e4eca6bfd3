"""What a deposit says is what is read, whatever it says: read(write(work)) == work."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.demo.deposit_xml import PLAIN_SCHEMA, Head, deposit
from deploy.demo.deposit_xml.resources import resource_deposit
from services.deposits.crossref.faults import Problem, Unreadable
from services.deposits.crossref.reader import DepositReader, read_deposit
from services.deposits.crossref.schemas import NO_SCHEMAS, Schemas, load_schemas
from services.deposits.crossref.submission import Record
from tests.conftest import SAMPLES
from tests.strategies import deposits

HEAD = Head("batch-1", "20260101000000")


# Without shrinking: these works are wide, and a test is ended before it would be done.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def law(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=list(HealthCheck),
    )


def failures(record: Record) -> list[str]:
    return [p.message for p in record.problems if p.severity == "failure"]


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """Return the schemas beside this checkout; without them nothing is validated."""
    folder = SAMPLES / "crossref" / "xsd"
    return load_schemas(folder) if folder.is_dir() else NO_SCHEMAS


def reads_back(works: list[deposits.Work], schemas: Schemas = NO_SCHEMAS) -> None:
    """Write, validate where there is a schema, read, compare."""
    xml = deposit(works, HEAD)
    read = read_deposit([xml], schemas=schemas)
    assert [failures(record) for record in read.records] == [[] for _ in works]
    assert [record.work for record in read.records] == works
    if schemas.names() and f'version="{PLAIN_SCHEMA}"'.encode() in xml[:200]:
        assert read.schema == f"crossref{PLAIN_SCHEMA}.xsd"


def test_every_row_has_values() -> None:
    assert deposits.kinds_without_values() == set()


def holds_for(body: str, schemas: Schemas, *, examples: int) -> None:
    @law(examples)
    @given(works=deposits.SUBMISSIONS[body])
    def holds(works: list[deposits.Work]) -> None:
        reads_back(works, schemas)

    holds()


EXAMPLES = {"journal": 16, "book": 16, "conference": 12}  # others 8; the soak has 1500 of each


@pytest.mark.clause("CRR-1")
@pytest.mark.parametrize("body", deposits.SUBMISSIONS)
def test_a_submission_of_each_kind_is_valid_and_reads_back_as_it_was_written(
    body: str, schemas: Schemas
) -> None:
    holds_for(body, schemas, examples=EXAMPLES.get(body, 8))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.clause("CRR-1")
@pytest.mark.parametrize("body", deposits.SUBMISSIONS)
def test_many_submissions_of_each_kind_are_valid_and_read_back_as_they_were_written(
    body: str, schemas: Schemas
) -> None:
    holds_for(body, schemas, examples=1500)


@law(10)
@given(works=deposits.with_components(deposits.PARENTS))
def test_components_inside_a_record_are_records_after_it(works: list[deposits.Work]) -> None:
    reads_back(works)


@pytest.mark.clause("CRR-1")
@pytest.mark.clause("CRR-11")
@law(25)
@given(changes=st.lists(deposits.changes, min_size=1, max_size=3))
def test_a_resource_only_deposit_says_what_it_sets_and_nothing_else(
    changes: list[deposits.Work],
) -> None:
    read = read_deposit([resource_deposit(changes, batch_id="batch-1")])
    assert [failures(record) for record in read.records] == [[] for _ in changes]
    for record, change in zip(read.records, changes, strict=True):
        said = {key: value for key, value in change.items() if key != "DOI"}
        assert (record.effect, record.doi, record.work) == ("part", change["DOI"], said)


@pytest.mark.clause("CRR-1")
@law(10)
@given(references=deposits.references(deposits.CITATION), work=deposits.articles())
def test_no_reference_is_lost_or_altered(
    references: list[deposits.Work], work: deposits.Work
) -> None:
    whole = {**work, "reference": references}
    read = read_deposit([deposit([whole], HEAD)])
    assert read.records[0].work["reference"] == references
    assert read.records[0].work["references-count"] == len(references)


@law(10)
@given(work=deposits.articles(), size=st.integers(1, 4000))
def test_it_does_not_matter_in_what_pieces_a_file_arrives(work: deposits.Work, size: int) -> None:
    xml = deposit([work], HEAD)
    reader = DepositReader()
    found = [
        item for at in range(0, len(xml), size) for item in reader.feed(xml[at : at + size])
    ] + reader.close()
    assert [item.work for item in found if isinstance(item, Record)] == [work]


@law(60)
@given(
    works=st.one_of(*deposits.SUBMISSIONS.values()),
    where=st.floats(0, 1),
    length=st.integers(0, 40),
    put=st.binary(max_size=12) | st.sampled_from((b"<", b"&", b"\x00", b"</body>", b"<doi_data/>")),
)
def test_a_damaged_file_is_read_or_refused_and_never_crashes(
    works: list[deposits.Work], where: float, length: int, put: bytes
) -> None:
    xml = deposit(works, HEAD)
    at = int(where * len(xml))
    told: list[Problem | Unreadable] = []
    try:
        found = read_deposit([xml[:at] + put + xml[at + length :]])
        told += [problem for record in found.records for problem in record.problems]
    except Unreadable as refused:
        told.append(refused)
    assert all(finding.message and finding.remedy for finding in told)
