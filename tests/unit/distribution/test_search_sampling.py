"""Samples: drawn by chance, of what is asked for, each work as likely as any other."""

from collections import Counter
from collections.abc import Iterator

import pytest

from services.distribution.search import (
    Flagged,
    Sampled,
    SearchIndex,
    SearchRequest,
    open_index,
    sampling,
)
from tests.unit.distribution.search_samples import doc, put

WORKS = 600


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    for part in range(3):
        numbers = range(part, WORKS, 3)
        put(opened, [doc(f"10.5555/{n}", references=n % 2) for n in numbers])
    yield opened
    opened.close()


def drawn(index: SearchIndex, seed: int, rows: int = 10) -> list[str]:
    asked = SearchRequest(
        clauses=(Flagged("references", present=True),), start=Sampled(seed), rows=rows
    )
    page = index.search(asked)
    assert page.total == len(page.hits)
    return [hit.doi for hit in page.hits]


@pytest.mark.parametrize("few", [0, WORKS])
def test_a_sample_has_as_many_different_works_of_the_question_as_are_asked_for(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(sampling, "FEW", few)
    for seed in range(20):
        works = drawn(index, seed)
        assert len(set(works)) == 10
        assert all(int(doi.partition("/")[2]) % 2 for doi in works)
        assert drawn(index, seed) == works
    assert drawn(index, 1) != drawn(index, 2)


@pytest.mark.parametrize("few", [0, WORKS])
def test_no_work_is_drawn_more_often_than_chance_has_it(
    index: SearchIndex, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(sampling, "FEW", few)
    seen = Counter(doi for seed in range(300) for doi in drawn(index, seed))
    assert len(seen) == WORKS // 2  # of 10 expected draws each, none has no draw at all
    assert max(seen.values()) < 30


def test_fewer_works_than_asked_for_are_all_there_is(index: SearchIndex) -> None:
    assert len(drawn(index, 1, rows=WORKS)) == WORKS // 2
