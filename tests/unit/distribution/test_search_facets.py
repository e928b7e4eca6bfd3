"""Counts are exact: over many segments, thousands of values, deletions, and past every limit."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.distribution.search import (
    Facet,
    Flagged,
    SearchIndex,
    SearchRequest,
    decode_profile,
    open_index,
)
from tests.unit.distribution.search_samples import doc, put


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path / "i", schema_version="1")
    yield opened
    opened.close()


@pytest.mark.clause("CRR-12")
@pytest.mark.law("L4")
def test_wide_facets_over_many_segments_with_deletions_are_exact(index: SearchIndex) -> None:
    expected: Counter[str] = Counter()
    owners = 3_000
    for batch in range(12):
        put(
            index,
            [
                doc(
                    f"10.5555/{n}",
                    version=batch + 1,
                    owner=f"10.{10_000 + (n * n) % owners}",
                    references=(n + batch) % 3,
                )
                for n in range(batch * 350, batch * 350 + 700)  # half of it again: deletions
            ],
        )
    last = {n: batch for batch in range(12) for n in range(batch * 350, batch * 350 + 700)}
    for n, batch in last.items():
        if (n + batch) % 3:
            expected[f"10.{10_000 + (n * n) % owners}"] += 1
    assert index._index.searcher().num_segments > 3
    request = SearchRequest(
        clauses=(Flagged("references", present=True),), facets=(Facet.OWNER,), rows=0
    )
    page = index.search(request)
    assert page.facets[Facet.OWNER] == expected
    assert sum(expected.values()) == page.total
    assert page.hits == ()


@pytest.mark.parametrize("removed", [0, 500])
def test_more_values_than_the_engine_counts_are_counted_all_the_same(
    index: SearchIndex, removed: int
) -> None:
    values = 70_000  # the engine's own aggregation refuses more than 65,000
    per_work = 100
    works = values // per_work
    put(
        index,
        (
            doc(
                f"10.5555/{n}",
                ISSN=[f"{v:08d}" for v in range(n * per_work, (n + 1) * per_work)] + ["shared"],
            )
            for n in range(works)
        ),
    )
    put(index, (doc(f"10.5555/{n}", version=2, ISSN=["shared"]) for n in range(removed)))
    counted = index.count((), Facet.ISSN)
    assert len(counted) == values - removed * per_work + 1
    assert counted["shared"] == works
    assert set(counted.values()) == {1, works}


def test_more_values_than_the_engine_counts_are_counted_of_the_works_asked_for(
    index: SearchIndex,
) -> None:
    for part, name in enumerate(("a", "b")):
        put(
            index,
            (
                doc(
                    f"10.5555/{name}.{n}",
                    references=part + n % 2,
                    ISSN=[f"{v:08d}" for v in range(n * 100, n * 100 + 100)],
                )
                for n in range(700)
            ),
        )
    counted = index.count((Flagged("references", present=True),), Facet.ISSN)
    assert len(counted) == 70_000
    assert all(counted[f"{v:08d}"] == 1 + (v // 100) % 2 for v in range(0, 70_000, 50))


def test_a_work_counts_once_for_each_value_and_years_are_years(index: SearchIndex) -> None:
    put(
        index,
        [
            doc("10.5555/a", published=[1665], ISSN=["1234-5678", "1234-5678", "8765-4321"]),
            doc("10.5555/b", published=[2024, 2], type="posted-content"),
            doc("10.5555/c", published=[2024, 9]),
        ],
    )
    page = index.search(SearchRequest(facets=(Facet.YEAR, Facet.ISSN, Facet.TYPE)))
    assert page.facets[Facet.YEAR] == {"1665": 1, "2024": 2}
    assert page.facets[Facet.ISSN] == {"1234-5678": 1, "8765-4321": 1}
    assert page.facets[Facet.TYPE] == {"journal-article": 2, "posted-content": 1}


def test_a_profile_says_type_year_and_what_the_work_has(index: SearchIndex) -> None:
    put(index, [doc("10.5555/a", published=[2020], abstract="x", references=2)])
    (value,) = index.count((), Facet.PROFILE)
    profile = decode_profile(value)
    assert (profile.type, profile.year) == ("journal-article", 2020)
    assert profile.has == {"abstracts", "references"}
