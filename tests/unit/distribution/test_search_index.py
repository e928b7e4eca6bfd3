"""The index keeps exactly what was committed, versions never go down, offsets travel with them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.distribution.search import (
    Facet,
    Held,
    IndexBusyError,
    OneOf,
    Order,
    SearchDoc,
    SearchIndex,
    SearchRequest,
    Tally,
    Term,
    Text,
    Words,
    open_index,
)
from tests.unit.distribution.search_samples import TOPIC, doc, put

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    index = open_index(tmp_path_factory.mktemp("index"), schema_version="1")
    yield index
    index.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    opened = open_index(tmp_path / "i", schema_version="1")
    yield opened
    opened.close()


def dois(index: SearchIndex, **request: object) -> list[str]:
    return [hit.doi for hit in index.search(SearchRequest(**request)).hits]  # type: ignore[arg-type]


def titled(index: SearchIndex, word: str, owner: str) -> list[str]:
    return dois(
        index,
        texts=(Words(Text.TITLE, word),),
        clauses=(OneOf(Term.OWNER, frozenset({owner})),),
    )


_CASES = iter(range(10**6))
_BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=6), min_size=1, max_size=4
)


@pytest.mark.law("L2")
@settings(max_examples=40, deadline=None)
@given(batches=_BATCHES, repeats=st.lists(st.integers(0, 3), max_size=2))
def test_whatever_the_order_and_repetition_the_highest_version_of_a_work_stays(
    shared: SearchIndex, batches: list[list[tuple[int, int]]], repeats: list[int]
) -> None:
    owner = f"10.{10_000 + next(_CASES)}"  # each example has its own corner of one index
    highest: dict[str, int] = {}

    def made(number: int, version: int) -> SearchDoc:
        title = [f"versioned v{version}"]
        return doc(f"{owner}/{number}", owner=owner, version=version, title=title)

    for batch in [*batches, *(batches[i] for i in repeats if i < len(batches))]:
        put(shared, (made(number, version) for number, version in batch))
        for number, version in batch:
            doi = f"{owner}/{number}"
            highest[doi] = max(version, highest.get(doi, 0))
        # Not only at the end: readers between two commits never see an older state either.
        for doi, version in highest.items():
            assert doi in titled(shared, f"v{version}", owner)
    assert sorted(titled(shared, "versioned", owner)) == sorted(highest)


def test_writing_counts_only_what_changed(index: SearchIndex) -> None:
    assert index.write([doc("10.5555/a"), doc("10.5555/b")], {}) == 2
    assert index.write([doc("10.5555/a"), doc("10.5555/b", version=2)], {}) == 1
    assert index.size == 2


def test_a_work_of_the_same_version_is_written_again_under_another_owner_and_never_an_older_one(
    index: SearchIndex,
) -> None:
    index.write([doc("10.5555/a", version=2)], {})
    assert index.write([doc("10.5555/a", version=2, owner="10.6666")], {}) == 1
    assert index.write([doc("10.5555/a", version=1, owner="10.7777")], {}) == 0
    assert index.held(["10.5555/a", "10.5555/none"]) == {"10.5555/a": Held(2, "10.6666")}


def test_the_index_knows_how_many_works_of_a_title_are_held_under_which_owner(
    index: SearchIndex,
) -> None:
    def standing_in(title: str | None, *dois: str, owner: str | None = None) -> list[SearchDoc]:
        return [replace(doc(doi, owner=owner), title=title) for doi in dois]

    index.write(standing_in("journal:a", "10.5555/1", "10.5555/2"), {})
    index.write(standing_in("journal:a", "10.5555/3", owner="10.6666"), {})
    index.write(standing_in("journal:a|10.1", "10.5555/4"), {})
    index.write(standing_in(None, "10.5555/5"), {})
    of_a = {("journal:a", "10.5555"): 2, ("journal:a", "10.6666"): 1}
    assert index.standings("journal:a") == of_a
    assert index.standings() == {**of_a, ("journal:a|10.1", "10.5555"): 1}
    index.write(standing_in("journal:a", "10.5555/1", "10.5555/2", owner="10.6666"), {})
    assert index.standings("journal:a") == {("journal:a", "10.6666"): 3}
    assert index.standings("journal:b") == {}


@pytest.mark.law("L5")
def test_offsets_survive_with_the_works_they_cover(tmp_path: Path) -> None:
    index = open_index(tmp_path, schema_version="1")
    assert index.offsets() == {}
    index.write([doc("10.5555/a")], {(TOPIC, 0): 7, (TOPIC, 3): 1})
    index.write([], {(TOPIC, 0): 9})
    index.close()
    again = open_index(tmp_path, schema_version="1")
    assert again.offsets() == {(TOPIC, 0): 9, (TOPIC, 3): 1}
    assert dois(again) == ["10.5555/a"]
    again.close()


def test_the_index_own_bookkeeping_is_no_work(index: SearchIndex) -> None:
    put(index, [], at=5)
    page = index.search(SearchRequest(facets=(Facet.OWNER, Facet.TYPE, Facet.YEAR)))
    assert (page.total, page.hits, index.size) == (0, (), 0)
    assert not any(page.facets.values())


@pytest.mark.law("L5")
@pytest.mark.parametrize("place", ["search.before-commit", "search.committed"])
def test_a_kill_around_the_commit_leaves_works_and_offsets_of_one_moment(
    tmp_path: Path, place: str
) -> None:
    script = (
        "from tests.unit.distribution.search_samples import *\n"
        "from services.distribution.search import open_index\n"
        f"index = open_index({str(tmp_path)!r}, schema_version='1')\n"
        "for n in range(1, 9): put(index, [doc(f'10.5555/{n}')], at=n)\n"
    )
    environment = {
        **os.environ,
        "COLOPHON_CRASH": f"{place}:4",
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    index = open_index(tmp_path, schema_version="1")
    kept = index.offsets()[TOPIC, 0]
    assert kept == {"search.before-commit": 3, "search.committed": 4}[place]
    assert sorted(dois(index)) == [f"10.5555/{n}" for n in range(1, kept + 1)]
    index.close()


def test_another_schema_is_set_aside_and_rebuilt_from_zero(tmp_path: Path) -> None:
    first = open_index(tmp_path, schema_version="1")
    put(first, [doc("10.5555/a")], at=4)
    first.close()
    second = open_index(tmp_path, schema_version="2")
    assert (second.offsets(), second.size) == ({}, 0)
    second.close()
    assert (tmp_path / "set-aside").is_dir()


@pytest.mark.parametrize("victim", ["meta.json", "*.store", "*.fast", "*.term"])
def test_an_unreadable_index_is_set_aside_and_rebuilt_from_zero(
    tmp_path: Path, victim: str
) -> None:
    first = open_index(tmp_path, schema_version="1")
    put(first, [doc("10.5555/a")], at=4)
    first.close()
    found = list((tmp_path / "index").glob(victim))
    assert found
    for file in found:
        file.write_bytes(b"not an index")
    second = open_index(tmp_path, schema_version="1")
    assert (second.offsets(), second.size) == ({}, 0)
    put(second, [doc("10.5555/b")], at=1)
    assert dois(second) == ["10.5555/b"]
    second.close()


def test_a_second_process_is_refused_and_nothing_is_set_aside(
    index: SearchIndex, tmp_path: Path
) -> None:
    put(index, [doc("10.5555/a")])
    folder = tmp_path / "i"
    with pytest.raises(IndexBusyError):
        open_index(folder, schema_version="2")
    assert dois(index) == ["10.5555/a"]


def test_words_are_found_folded_and_no_query_syntax_is_obeyed(index: SearchIndex) -> None:
    put(index, [doc("10.5555/a", title=["Ökologie der Straße"]), doc("10.5555/b", title=["Other"])])
    for text in ("okologie", "ÖKOLOGIE", "strasse nowhere"):
        assert dois(index, texts=(Words(Text.TITLE, text),)) == ["10.5555/a"]
    for text in ("*", 'title:"', "NOT other", "(((", "10.5555/* OR"):
        index.search(SearchRequest(texts=(Words(Text.FREE, text),)))
    assert dois(index, texts=(Words(Text.FREE, "* ~ !"),)) == []


def test_each_text_narrows_the_others(index: SearchIndex) -> None:
    put(
        index,
        [
            doc("10.5555/a", title=["Fish"], author=[{"family": "Boettiger", "given": "Carl"}]),
            doc("10.5555/b", title=["Fish"], author=[{"family": "Cooper"}]),
            doc("10.5555/c", title=["Fowl"], author=[{"family": "Boettiger"}]),
        ],
    )
    both = (Words(Text.BIBLIOGRAPHIC, "fish soup"), Words(Text.AUTHOR, "carl boettiger"))
    assert dois(index, texts=both) == ["10.5555/a"]


@pytest.mark.law("L4")
def test_a_count_stays_with_a_work_until_another_one_is_brought(index: SearchIndex) -> None:
    few, many = doc("10.5555/few"), doc("10.5555/many")
    put(index, [replace(few, cited_by=2), replace(many, cited_by=7)])
    by_count = SearchRequest(order=Order(Tally.CITED_BY), rows=9)
    assert [hit.doi for hit in index.search(by_count).hits] == ["10.5555/many", "10.5555/few"]
    put(index, [doc("10.5555/many", version=2)])  # a new state brings no count of its own
    assert index.held(["10.5555/many"])["10.5555/many"].cited_by == 7
    assert index.write([replace(few, cited_by=2)], {}) == 0
    assert index.write([replace(few, cited_by=9)], {}) == 1
    assert [hit.doi for hit in index.search(by_count).hits] == ["10.5555/few", "10.5555/many"]
