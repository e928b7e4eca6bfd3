"""One index takes the place of another, in the process and in the folder."""

import asyncio
from pathlib import Path

import pytest

from services.distribution.indexer import Indexer
from services.distribution.search import (
    OneOf,
    SearchIndex,
    SearchIndexError,
    SearchRequest,
    Term,
    open_index,
)
from services.distribution.search import folder as folders
from tests.unit.distribution.search_samples import EPOCH, TOPIC, doc, state

OWNED = SearchRequest(clauses=(OneOf(Term.OWNER, frozenset({"10.5555"})),))


def dois(index: SearchIndex) -> list[str]:
    return sorted(hit.doi for hit in index.search(OWNED).hits)


def test_an_index_becomes_another_one_and_goes_on_as_it(tmp_path: Path) -> None:
    index = open_index(tmp_path, schema_version="1")
    index.write([doc("10.5555/old")], {(TOPIC, 0): 1})
    other = index.beside("index-1")
    other.write([doc("10.5555/new", version=2)], {(TOPIC, 0): 5})
    assert (dois(index), dois(other)) == (["10.5555/old"], ["10.5555/new"])
    assert other.dois() == ["10.5555/new"]
    before = index.generation
    folders.show(tmp_path, 1, "index-1")
    index.become(other)
    assert index.generation > before
    assert dois(index) == ["10.5555/new"]
    assert index.offsets() == {(TOPIC, 0): 5}
    assert index.write([doc("10.5555/new"), doc("10.5555/more")], {(TOPIC, 0): 6}) == 1
    with pytest.raises(SearchIndexError):
        other.write([doc("10.5555/late")], {})
    other.close()
    folders.remove_older(tmp_path)
    assert not (tmp_path / "index").exists()
    index.close()
    again = open_index(tmp_path, schema_version="1")
    assert dois(again) == ["10.5555/more", "10.5555/new"]
    again.close()


async def test_what_a_retired_writer_has_in_hand_is_left_to_who_goes_on(tmp_path: Path) -> None:
    index = open_index(tmp_path, schema_version="1")
    other = index.beside("index-1")
    writer = Indexer(other, "", lambda _: "10.5555", lambda: True)
    assert (
        await writer.put(
            [state("10.5555/one") | {"title": None, "indexed": EPOCH}], {(TOPIC, 0): 1}
        )
        == 1
    )
    async with writer.turn:
        in_hand = asyncio.ensure_future(
            writer.put([state("10.5555/two") | {"title": None, "indexed": EPOCH}], {(TOPIC, 0): 2})
        )
        await asyncio.sleep(0)
        writer.retired = True
        index.become(other)
    assert await in_hand == 0
    assert (dois(index), index.offsets()) == (["10.5555/one"], {(TOPIC, 0): 1})
    index.close()


def test_what_is_being_built_survives_a_start_and_what_was_shown_before_does_not(
    tmp_path: Path,
) -> None:
    index = open_index(tmp_path, schema_version="1")
    index.write([doc("10.5555/shown")], {})
    for number in (1, 2):
        other = index.beside(folders.name_of(number))
        other.write([doc(f"10.5555/{number}")], {})
        other.close()
    index.close()
    folders.show(tmp_path, 1, "index-1")
    index = open_index(tmp_path, schema_version="1")
    assert dois(index) == ["10.5555/1"]
    assert sorted(one.name for one in tmp_path.glob("index*")) == ["index-1", "index-2"]
    other = index.beside("index-2")
    assert dois(other) == ["10.5555/2"]
    other.close()
    index.close()
    # Another schema: nothing that was built is of use, and the wish it satisfied stays satisfied.
    index = open_index(tmp_path, schema_version="2")
    assert index.size == 0
    assert folders.shown(tmp_path) == (1, "index")
    assert [one.name for one in tmp_path.glob("index*")] == ["index"]
    index.close()


def test_a_folder_from_before_there_were_rebuilds_shows_its_one_index(tmp_path: Path) -> None:
    assert folders.shown(tmp_path) == (0, "index")
    (tmp_path / "live").write_text("nonsense")
    assert folders.shown(tmp_path) == (0, "index")
