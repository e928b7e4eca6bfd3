"""What is marked to be counted again stays where who goes round the shelves comes by it."""

from typing import Any

import pytest

from services.distribution.matching.kept import Matches
from services.distribution.matching.matcher import Matcher
from services.distribution.projections import WORKS
from services.distribution.rebuild.pointer import ReadModels
from shared.mongo import Database
from shared.mongo.shelves import shelf_of


@pytest.mark.law("L4")
async def test_works_that_are_counted_again_together_are_marked_each_on_its_own_shelf(
    database: Database,
) -> None:
    dois = [f"10.5555/{number}" for number in range(6)]
    await database[WORKS].insert_many([{"_id": doi, "recount": [doi]} for doi in dois[:5]])
    nobody: Any = None
    await Matcher(Matches(database), ReadModels(database), nobody, nobody).recount(dois)
    found = await database[WORKS].find({}).to_list(None)
    assert {one["_id"]: one["recount_shelf"] for one in found} == {d: shelf_of(d) for d in dois[:5]}
    assert all(one["counted"] for one in found)
