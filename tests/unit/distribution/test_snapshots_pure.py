"""The parts of snapshots that decide and do nothing else: months, ranges, variants, marks, tar."""

import gzip
import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.snapshots.catalogue import Catalogue, Entered, Listed
from services.distribution.snapshots.choosing import Member, Piece, Served, served
from services.distribution.snapshots.months import Month, month_of, read_month
from services.distribution.snapshots.ranges import Span, wanted
from services.distribution.snapshots.references import lacks, remembered
from services.distribution.snapshots.shelf import Shelf, due
from services.distribution.snapshots.tarring import ending, member, packed

ETAG = '"e"'
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("month", "until"),
    [("2026-01", "2026-07-01"), ("2026-03", "2026-07-01"), ("2026-11", "2027-04-01")],
)
def test_a_snapshot_is_kept_until_the_end_of_the_quarter_that_follows(
    month: str, until: str
) -> None:
    found = read_month(month)
    assert found is not None
    assert str(found) == month
    assert found.kept_until(1).date().isoformat() == until


def test_a_month_ends_where_the_next_begins_and_what_is_none_is_not_read() -> None:
    assert Month(2026, 12).ends == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_of(datetime(2026, 3, 1, tzinfo=UTC)).plus(-3) == Month(2025, 12)
    for text in ("2026-13", "2026-1", "0000-01", "latest-all", "٢٠٢٦-01"):
        assert read_month(text) is None


@given(st.binary(max_size=2_000), st.integers(1, 9))
def test_members_put_one_behind_another_are_one_archive_of_whole_files(
    content: bytes, count: int
) -> None:
    names = [f"{n}.json.gz" for n in range(count)]
    parts = [member(name, packed([content, b"."]), at=1_700_000_000) for name in names]
    with tarfile.open(fileobj=io.BytesIO(b"".join([*parts, ending()])), mode="r:gz") as tar:
        read = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    assert {name: gzip.decompress(body) for name, body in read.items()} == dict.fromkeys(
        names, content + b"."
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Span(0, 100)),
        ({"Range": "bytes=0-0"}, Span(0, 1, part=True)),
        ({"Range": "bytes=10-"}, Span(10, 100, part=True)),
        ({"Range": "bytes=90-500"}, Span(90, 100, part=True)),
        ({"Range": "bytes=-7"}, Span(93, 100, part=True)),
        ({"Range": "bytes=-700"}, Span(0, 100, part=True)),
        ({"Range": "bytes=100-"}, None),
        ({"Range": "bytes=-0"}, None),
        ({"Range": "bytes=9-3"}, Span(0, 100)),
        ({"Range": "bytes=0-1,5-6"}, Span(0, 100)),
        ({"Range": "lines=0-1"}, Span(0, 100)),
        ({"Range": "bytes=5-", "If-Range": ETAG}, Span(5, 100, part=True)),
        ({"Range": "bytes=5-", "If-Range": '"other"'}, Span(0, 100)),
        ({"Range": "bytes=5-", "If-Range": 'W/"e"'}, Span(0, 100)),
        ({"Range": "bytes=5-", "If-Range": "Wed, 21 Oct 2026 07:28:00 GMT"}, Span(0, 100)),
    ],
)
def test_one_range_of_the_file_that_was_begun_is_sent_and_else_all_of_it(
    headers: dict[str, str], expected: Span | None
) -> None:
    assert wanted(headers, length=100, etag=ETAG) == expected


def _members(lengths: list[tuple[int, int]]) -> list[Member]:
    found, full_at, bare_at = [], 0, 0
    for number, (full, bare) in enumerate(lengths):
        pieces = Piece(full_at, full, f"f{number}"), Piece(bare_at, bare, f"b{number}")
        found.append(Member(number, f"10.{number % 3}", 1, *pieces))
        full_at, bare_at = full_at + full, bare_at + bare
    return found


def _bytes(file: Served, start: int, end: int, store: dict[str, bytes]) -> bytes:
    return b"".join(
        store[one.variant][one.at : one.at + one.length] for one in file.slices(start, end)
    )


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=8),
    st.sets(st.sampled_from(["10.0", "10.1", "10.2"])),
    st.data(),
)
def test_any_range_is_that_part_of_the_chosen_members_one_behind_another(
    lengths: list[tuple[int, int]], shown: set[str], data: st.DataObject
) -> None:
    members = _members(lengths)
    store = {"full": bytes(range(100)), "bare": bytes(range(100, 200))}
    file = served(members, lambda one: one.owner in shown, of=("id", "json"))
    whole = _bytes(file, 0, file.length, store)
    expected = b"".join(
        store[variant][one.piece(variant).at : one.piece(variant).at + one.piece(variant).length]
        for one, variant in zip(file.members, file.variants, strict=True)
    )
    assert whole == expected
    start = data.draw(st.integers(0, file.length))
    end = data.draw(st.integers(start, file.length))
    assert _bytes(file, start, end, store) == whole[start:end]


@pytest.mark.law("L3")
@given(
    st.lists(st.booleans(), min_size=4, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4)
)
def test_the_tag_differs_exactly_where_the_choice_of_variants_does(
    one: list[bool], other: list[bool]
) -> None:
    members = _members([(5, 5)] * 4)  # of the same lengths: nothing else would tell
    tags = [
        served(members, lambda m, may=may: may[m.number], of=("id", "json")).etag  # type: ignore[misc]
        for may in (one, other)
    ]
    assert (tags[0] == tags[1]) is (one == other)
    assert served(members, lambda _: True, of=("id", "xml")).etag not in tags


def _work(*references: Any, cites: tuple[str, ...] = ()) -> dict[str, Any]:
    related = {"relation": {"cites": [{"id": one} for one in cites]}} if cites else {}
    return {"reference": list(references), **related}


@pytest.mark.clause("CRR-11")
@pytest.mark.parametrize(
    ("newer", "taken"),
    [
        (_work({"key": "a", "unstructured": "one"}, {"key": "b", "DOI": "10.1/X"}), False),
        (_work({"key": "z", "unstructured": "one", "DOI": "10.9/found"}, {"DOI": "10.1/x"}), False),
        (
            _work({"unstructured": "one"}, {"DOI": "10.1/x"}, {"unstructured": "a third"}),
            False,
        ),
        (_work({"unstructured": "one"}), True),
        (_work({"unstructured": "another"}, {"DOI": "10.1/x"}), True),
        (_work(), True),
        ({}, True),
    ],
)
def test_a_reference_that_is_no_longer_said_is_missed_and_one_more_is_not(
    newer: dict[str, Any], *, taken: bool
) -> None:
    older = _work({"key": "a", "unstructured": "one"}, {"key": "b", "DOI": "10.1/x"})
    assert lacks(newer, remembered(older)) is taken


@pytest.mark.clause("CRR-11")
def test_a_cited_relation_that_is_no_longer_said_is_missed_too() -> None:
    older = _work(cites=("10.1/a", "10.1/b"))
    assert not lacks(_work(cites=("10.1/B", "10.1/a")), remembered(older))
    assert lacks(_work(cites=("10.1/a",)), remembered(older))
    assert remembered({}) == b""
    assert not lacks({}, b"")


def test_the_catalogue_lists_a_work_once_in_its_newest_version_and_pages_by_owner(
    tmp_path: Path,
) -> None:
    catalogue = Catalogue(tmp_path)
    catalogue.enlist([Listed("10.1/a", "10.1", "", 2), Listed("10.1/b", "10.1", "t", 1)], read=[])
    catalogue.enlist([Listed("10.1/a", "10.2", "", 1), Listed("10.1/b", "10.2", "t", 3)], read=[1])
    assert (catalogue.count(), catalogue.owners_due()) == (2, ["10.1", "10.2"])
    assert catalogue.page_due("10.2", ("", ""), 9) == [Listed("10.1/b", "10.2", "t", 3)]
    catalogue.regive([("10.1/b", "10.1")])
    page = catalogue.page_due("10.1", ("", ""), 9)
    assert [one.doi for one in page] == ["10.1/a", "10.1/b"]
    pieces = {("json", v): Piece(0, 5, "s") for v in ("full", "bare")}
    entered = [Entered("10.1/a", "10.1", "", 2, b"1234", 0)]
    catalogue.enter(0, "10.1", entered, pieces)
    assert (catalogue.due(), catalogue.next_number(), catalogue.size("json", "full")) == (1, 1, 5)
    assert catalogue.entered(["10.1/a", "10.1/b"]) == entered
    assert [one.number for one in catalogue.members("json")] == [0]
    catalogue.close()
    again = Catalogue(tmp_path)
    assert (again.fact("read"), again.due()) == ([1], 1)
    again.close()


def test_a_shelf_keeps_the_newest_of_each_month_until_its_time_is_over(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.ready() == []
    for built, month in (("1", Month(2026, 1)), ("2", Month(2026, 1)), ("1", Month(2025, 6))):
        folder = shelf.begun(month)
        assert shelf.begun(month) == folder  # one that was begun is gone on with
        shelf.finish(folder, {"built": built, "complete": True})
    assert [(str(one.month), one.built) for one in shelf.ready()] == [
        ("2026-01", "2"),
        ("2025-06", "1"),
    ]
    assert len(shelf.tidy(datetime(2026, 2, 1, tzinfo=UTC), 1)) == 2
    assert [str(one.month) for one in shelf.ready()] == ["2026-01"]
    # The newest stays whatever its time: somebody has to have one.
    assert shelf.tidy(datetime(2030, 1, 1, tzinfo=UTC), 1) == []
    assert shelf.identity == shelf.identity


@pytest.mark.clause("CRP-12d")
def test_a_snapshot_made_under_other_terms_is_not_served_nor_gone_on_with(tmp_path: Path) -> None:
    before, after = Shelf(tmp_path, "old"), Shelf(tmp_path, "new")
    before.finish(before.begun(Month(2026, 1)), {"built": "1", "complete": True})
    half = before.begun(Month(2026, 2))
    assert [str(one.month) for one in before.ready()] == ["2026-01"]
    assert after.ready() == []
    assert after.begun(Month(2026, 2)) != half
    assert not half.exists()
    assert after.tidy(datetime(2026, 2, 1, tzinfo=UTC), 1), "what may not be delivered is removed"


def test_a_months_snapshot_is_due_when_it_has_ended_and_none_is_there_that_is_complete(
    tmp_path: Path,
) -> None:
    shelf, now = Shelf(tmp_path), datetime(2026, 2, 1, 2, tzinfo=UTC)
    assert due(shelf, now, HOUR) == Month(2026, 1)
    assert due(shelf, datetime(2026, 2, 1, 0, 30, tzinfo=UTC), HOUR) == Month(2025, 12)
    shelf.finish(shelf.begun(Month(2026, 1)), {"built": "1", "complete": False})
    assert due(shelf, now, HOUR) == Month(2026, 1)
    shelf.finish(shelf.begun(Month(2026, 1)), {"built": "2", "complete": True})
    assert due(shelf, now, HOUR) is None
