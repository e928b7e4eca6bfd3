"""Questions of the same moment, asked of the real store together."""

import asyncio
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener

from deploy.local.ports import free_ports
from shared.mongo import Database
from shared.mongo.together import Together
from shared.runtime.faults import Transient
from tests.platform import Platform


class Asked(CommandListener):
    """The queries that a client sends."""

    def __init__(self) -> None:
        self.queries: list[Any] = []

    def started(self, event: Any) -> None:
        if event.command_name == "find":
            self.queries.append(event.command["filter"])

    def succeeded(self, event: Any) -> None:
        """Nothing to do."""

    def failed(self, event: Any) -> None:
        """Nothing to do."""


async def test_who_asks_at_the_same_moment_gets_their_own_by_one_query(
    platform: Platform, database: Database
) -> None:
    rows = [
        {"_id": "a", "state": "A", "subjects": ["s1", "s2"]},
        {"_id": "b", "state": "B", "subjects": ["s2"]},
        {"_id": "c", "state": "C", "subjects": ["s3"]},
    ]
    await database["people"].insert_many(rows)
    asked = Asked()
    async with AsyncMongoClient[dict[str, Any]](
        platform.mongodb_url, event_listeners=[asked]
    ) as client:
        together = Together(client[database.name]["people"])
        found = await asyncio.gather(
            together.among("subjects", {"s1"}),
            together.among("subjects", {"s2"}),
            together.among("subjects", {"s2", "s3"}),
            together.among("subjects", {"nobody"}),
            together.among("subjects", ()),
            together.among("_id", {"c"}),
        )
    assert [sorted(one["state"] for one in some) for some in found] == [
        ["A"],
        ["A", "B"],
        ["A", "B", "C"],
        [],
        [],
        ["C"],
    ]
    assert sorted(asked.queries, key=str) == [
        {"_id": {"$in": ["c"]}},
        {"subjects": {"$in": ["nobody", "s1", "s2", "s3"]}},
    ]


async def test_an_answer_is_never_older_than_its_question(database: Database) -> None:
    together = Together(database["people"])

    async def write_and_look(number: int) -> list[dict[str, Any]]:
        row = {"_id": str(number), "state": "S", "person": f"p{number % 7}"}
        await database["people"].insert_one(row)
        found = await together.among("person", {row["person"]})
        return [one for one in found if one["_id"] == row["_id"]]

    found = await asyncio.gather(*map(write_and_look, range(200)))
    assert all(len(one) == 1 for one in found)


async def test_who_asks_while_the_store_is_away_hears_of_it() -> None:
    url = f"mongodb://127.0.0.1:{free_ports(['nobody'])['nobody']}"
    async with AsyncMongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=100) as client:
        together = Together(client["nothing"]["people"])
        asks = (together.among("person", {f"p{number}"}) for number in range(4))
        said = await asyncio.gather(*asks, return_exceptions=True)
        assert all(isinstance(one, Transient) for one in said)
        with pytest.raises(Transient):
            await together.among("person", {"p"})


async def test_who_leaves_takes_no_answer_away_from_others(database: Database) -> None:
    await database["people"].insert_one({"_id": "a", "state": "A", "person": "p"})
    together = Together(database["people"])
    leaving, staying = (asyncio.create_task(together.among("person", {"p"})) for _ in range(2))
    await asyncio.sleep(0)  # both have asked by now
    leaving.cancel()
    assert [one["_id"] for one in await staying] == ["a"]
    with pytest.raises(asyncio.CancelledError):
        await leaving
