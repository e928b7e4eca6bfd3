"""The ledger is the fold of its topic: any order, any repetition, any page size."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.distribution.products.ledger import Ledger, Row, Stretch

ROWS = st.lists(
    st.builds(
        Row,
        doi=st.sampled_from([f"10.5555/{n}" for n in range(6)]),
        version=st.integers(1, 9),
        title=st.sampled_from(["", "journal:1234-5679", "book:9780000000002"]),
        owner=st.sampled_from(["", "10.5555", "10.6666"]),
        standing=st.sampled_from(["open", "closed"]),
        position=st.integers(0, 99),
    ),
    max_size=30,
    unique_by=lambda row: row.position,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "products" / "3.sqlite"


@pytest.mark.law("L2")
@settings(deadline=None, max_examples=60)
@given(rows=ROWS, data=st.data())
def test_a_ledger_holds_the_newest_record_of_each_work_in_whatever_order_it_reads(
    rows: list[Row], data: st.DataObject
) -> None:
    newest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda one: one.position):
        newest[row.doi] = row
    told = data.draw(st.permutations([*rows, *data.draw(st.permutations(rows))]))
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "0.sqlite")
        for row in told:
            ledger.fold([row], row.position + 1)
        assert ledger.rows(list(newest)) == newest
        assert ledger.position() == max((row.position + 1 for row in rows), default=0)
        for column in ("owner", "title"):
            walked: list[Row] = []
            for stretch in ledger.stretches(column):
                page = walk(ledger, stretch, data.draw(st.integers(1, 4)))
                assert ledger.count(stretch) == len(page)
                walked += page
            assert {row.doi: row for row in walked} == newest
            assert len(walked) == len(newest)
        ledger.close()


def test_any_number_of_works_is_looked_up(path: Path) -> None:
    ledger = Ledger(path)
    row = Row("10.5555/299999", 1, "", "10.5555", "open", 7)
    ledger.fold([row], 8)
    assert ledger.rows([f"10.5555/{number}" for number in range(300_000)]) == {row.doi: row}
    ledger.close()


def walk(ledger: Ledger, stretch: Stretch, most: int) -> list[Row]:
    found: list[Row] = []
    while page := ledger.page(stretch, after=found[-1].doi if found else "", most=most):
        found += page
    return found


def test_a_ledger_is_there_after_a_restart(path: Path) -> None:
    row = Row("10.5555/1", 1, "", "10.5555", "open", 7)
    first = Ledger(path)
    first.fold([row], 8)
    first.close()
    second = Ledger(path)
    assert second.rows(["10.5555/1"]) == {"10.5555/1": row}
    assert second.position() == 8
    second.close()


@pytest.mark.parametrize(
    "content", [b"no database at all" * 300, b"SQLite format 3\x00" + b"x" * 99]
)
def test_a_ledger_that_cannot_be_read_is_begun_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    ledger = Ledger(path)
    assert ledger.position() == 0
    ledger.fold([Row("10.5555/1", 1, "", "", "open", 0)], 1)
    assert list(ledger.rows(["10.5555/1"])) == ["10.5555/1"]
    ledger.close()
