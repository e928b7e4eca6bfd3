"""Pages: one total order, and a walk that meets every unchanged work exactly once."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.distribution.search import (
    RELEVANCE,
    FromStart,
    Moment,
    Offset,
    OneOf,
    Order,
    SearchIndex,
    SearchRequest,
    Sort,
    Start,
    Tally,
    Term,
    Text,
    Words,
    open_index,
)
from tests.unit.distribution.search_samples import colliding_dois, doc, put

ORDERS = st.builds(Order, st.sampled_from([*Moment, *Tally]), st.booleans())
_CASES = iter(range(10**6))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    yield opened
    opened.close()


def corner() -> tuple[str, tuple[OneOf, ...]]:
    """Return an owner of this example's own, so that examples can share one index."""
    owner = f"10.{10_000 + next(_CASES)}"
    return owner, (OneOf(Term.OWNER, frozenset({owner})),)


def found(index: SearchIndex, **request: object) -> list[str]:
    return [hit.doi for hit in index.search(SearchRequest(**request)).hits]  # type: ignore[arg-type]


# Few values, so that many works share a date, and few rows, so that pages end anywhere.
_WORKS = st.lists(st.integers(0, 3), min_size=1, max_size=12)
_CHANGES = st.lists(
    st.lists(st.tuples(st.sampled_from(["add", "change"]), st.integers(0, 20), st.integers(0, 5))),
    max_size=4,
)


@settings(max_examples=30, deadline=None)
@given(dates=_WORKS, changes=_CHANGES, order=ORDERS, rows=st.integers(1, 4))
def test_a_work_unchanged_since_page_one_appears_exactly_once(
    index: SearchIndex,
    dates: list[int],
    changes: list[list[tuple[str, int, int]]],
    order: Order,
    rows: int,
) -> None:
    owner, clauses = corner()
    dois = [doi.replace("10.5555", owner) for doi in (f"10.5555/{n}" for n in range(len(dates)))]
    put(
        index,
        (
            doc(doi, owner=owner, deposited=at, created=at, published=[2000 + at])
            for doi, at in zip(dois, dates, strict=True)
        ),
    )
    touched: set[str] = set()
    met: Counter[str] = Counter()
    position: Start | None = FromStart()
    versions: Counter[str] = Counter(dois)
    pending = iter(changes)
    while True:
        assert position is not None
        page = index.search(SearchRequest(clauses=clauses, order=order, start=position, rows=rows))
        met.update(hit.doi for hit in page.hits)
        assert met.total() <= 100, "the walk does not end"
        position = page.position
        if len(page.hits) < rows:
            break
        for what, number, at in next(pending, []):
            doi = f"{owner}/new.{number}" if what == "add" else dois[number % len(dois)]
            versions[doi] += 1
            touched.add(doi)
            put(
                index,
                [
                    doc(
                        doi,
                        owner=owner,
                        version=versions[doi],
                        deposited=at,
                        created=at,
                        published=[2000 + at],
                    )
                ],
            )
    untouched = [doi for doi in dois if doi not in touched]
    assert [met[doi] for doi in untouched] == [1] * len(untouched)


@settings(max_examples=30, deadline=None)
@given(dates=_WORKS, order=ORDERS, rows=st.integers(1, 5))
def test_pages_by_offset_and_by_cursor_are_slices_of_one_order(
    index: SearchIndex, dates: list[int], order: Order, rows: int
) -> None:
    owner, clauses = corner()
    put(
        index,
        (
            doc(f"{owner}/{n}", owner=owner, deposited=at, published=[2000 + at] if at else [])
            for n, at in enumerate(dates)
        ),
    )
    whole = found(index, clauses=clauses, order=order, rows=100)
    assert len(set(whole)) == len(whole) == len(dates)
    by_offset = [
        doi
        for skip in range(0, len(dates), rows)
        for doi in found(index, clauses=clauses, order=order, rows=rows, start=Offset(skip))
    ]
    assert by_offset == whole
    by_cursor: list[str] = []
    start: Start | None = FromStart()
    while start is not None:
        assert len(by_cursor) <= len(whole), "the walk does not end"
        request = SearchRequest(clauses=clauses, order=order, rows=rows, start=start)
        page = index.search(request)
        by_cursor += [hit.doi for hit in page.hits]
        start = page.position if page.hits else None
    assert by_cursor == whole


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("by", [Moment.DEPOSITED, Moment.PUBLISHED_PRINT, Tally.REFERENCES])
@pytest.mark.parametrize(("rows", "usual"), [(1, 16), (2, 1), (3, 2)])
def test_works_of_one_key_are_ordered_by_doi_over_page_edges(
    index: SearchIndex,
    monkeypatch: pytest.MonkeyPatch,
    *,
    by: Moment | Tally,
    descending: bool,
    rows: int,
    usual: int,
) -> None:
    monkeypatch.setattr("services.distribution.search.paging.USUAL_TIES", usual)
    owner, clauses = corner()
    ties = colliding_dois(3)
    others = [f"10.5555/x.{n}.{owner}" for n in range(4)]
    # One commit each, in an order that is not theirs: the engine's own order of ties is by segment.
    for version, doi in enumerate([ties[2], others[0], ties[0], others[1], ties[1], *others[2:]]):
        put(index, [doc(doi, owner=owner, version=10**6 + next(_CASES) + version)])
    order = Order(by, descending)
    whole = found(index, clauses=clauses, order=order, rows=100)
    at = whole.index(min(ties))
    assert whole[at : at + 3] == sorted(ties)
    pages = [
        found(index, clauses=clauses, order=order, rows=rows, start=Offset(skip))
        for skip in range(0, len(whole), rows)
    ]
    assert [doi for page in pages for doi in page] == whole
    for first in range(1, len(whole)):  # so that a page ends at each work of the key
        walked: list[str] = []
        start: Start | None = FromStart()
        while start is not None:
            assert len(walked) <= len(whole), "the walk does not end"
            size = rows if walked else first
            page = index.search(SearchRequest(clauses=clauses, order=order, rows=size, start=start))
            walked += [hit.doi for hit in page.hits]
            start = page.position if page.hits else None
        assert walked == whole


@pytest.mark.parametrize("descending", [True, False])
def test_dates_before_1970_come_in_their_place_and_unknown_ones_last(
    index: SearchIndex, *, descending: bool
) -> None:
    owner, clauses = corner()
    dates = {"a": [1665, 3, 6], "b": [1969, 12, 31], "c": [1970], "d": [2024, 5], "e": []}
    put(
        index,
        (doc(f"{owner}/{name}", owner=owner, published=date) for name, date in dates.items()),
    )
    order = Order(Moment.PUBLISHED, descending)
    names = [doi[-1] for doi in found(index, clauses=clauses, order=order)]
    assert names == (["d", "c", "b", "a", "e"] if descending else ["a", "b", "c", "d", "e"])


@pytest.mark.parametrize("descending", [True, False])
def test_relevance_ranks_works_that_hold_more_of_the_words(
    index: SearchIndex, *, descending: bool
) -> None:
    owner, clauses = corner()
    titles = {"a": "gull", "b": "gull heron", "c": "gull heron stork", "d": "none of them"}
    put(
        index,
        (doc(f"{owner}/{name}", owner=owner, title=[title]) for name, title in titles.items()),
    )
    sort: Sort = RELEVANCE
    request = SearchRequest(
        clauses=clauses,
        texts=(Words(Text.TITLE, "gull heron stork"),),
        order=Order(sort, descending),
    )
    page = index.search(request)
    assert [hit.doi[-1] for hit in page.hits] == (
        ["c", "b", "a"] if descending else ["a", "b", "c"]
    )
    assert all(hit.score for hit in page.hits)
    assert page.total == 3


def test_a_walk_without_rows_stays_where_it_is(index: SearchIndex) -> None:
    owner, clauses = corner()
    put(index, [doc(f"{owner}/a", owner=owner)])
    page = index.search(SearchRequest(clauses=clauses, start=FromStart(), rows=0))
    assert (page.total, page.hits, page.position) == (1, (), FromStart())
