"""Changes of documents: many in one command, each on condition of the version before it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from shared.mongo.client import (
    BulkWriteError,
    Collection,
    Document,
    InsertOne,
    UpdateMany,
    UpdateOne,
    collided,
    faults,
)

AT_ONCE: Final = 50  # documents that one update changes, each as is said of it
MOST_BYTES: Final = 4_000_000  # of their texts; a command may have 16


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one document: fields that are set, and what its lists are to have more."""

    key: Any
    shown: Mapping[str, Any]
    pushed: Mapping[str, list[Any]]

    @property
    def version(self) -> int:
        """The version that it has after it."""
        version: int = self.shown["version"]
        return version

    @property
    def entries(self) -> list[Document]:
        """The events that it waits to publish."""
        return self.pushed["outbox"]

    @property
    def size(self) -> int:
        """About how many bytes it writes."""
        return len(self.shown["state"]) + sum(len(one.get("data", "")) for one in self.entries)


async def write(
    collection: Collection, changes: Sequence[Change], done: AbstractSet[str] | None
) -> set[Any]:
    """Write changes; return the keys of those that lost: somebody else made their version.

    ``done`` are entries known to be published, None where no docket is kept: they are dropped, and
    others that have no text of their own get it before the state changes.
    """
    if not changes:
        return set()
    parts = _parts(changes)
    alone = [part[0] for part in parts if len(part) == 1]
    several = [part for part in parts if len(part) > 1]
    operations = [*(_one(one, done) for one in alone), *(_several(part, done) for part in several)]
    with faults():
        try:
            said = await collection.bulk_write(operations, ordered=False)
            lost, matched, upserted = set[Any](), said.matched_count, said.upserted_count
        except BulkWriteError as fault:
            lost = {alone[index].key for index in collided(fault)}
            matched, upserted = fault.details["nMatched"], fault.details["nUpserted"]
    updated = [one.key for one in alone if one.version > 1 and one.key not in lost]
    if matched + upserted < len(updated) + sum(map(len, several)):
        for part in several:
            lost |= await _overtaken(collection, part)
    return lost


def _parts(changes: Sequence[Change]) -> list[list[Change]]:
    """Put those together that one command may write: new ones alone, others by their version."""
    parts: list[list[Change]] = []
    filling: dict[int, tuple[list[Change], int]] = {}
    for one in changes:
        part, size = filling.get(one.version, ([], 0))
        if not part or one.version == 1 or len(part) == AT_ONCE or size + one.size > MOST_BYTES:
            part, size = [], 0
            parts.append(part)
        part.append(one)
        filling[one.version] = (part, size + one.size)
    return parts


def _one(change: Change, done: AbstractSet[str] | None) -> InsertOne[Document] | UpdateOne:
    """Return the write of one change: where the version moved on, its answer is E11000."""
    if change.version == 1:
        # An insert costs the store a fraction of an upsert (docs/performance.md).
        return InsertOne({"_id": change.key, **change.shown, **change.pushed})
    condition = {"_id": change.key, "version": change.version - 1}
    if done is not None:
        return UpdateOne(condition, _pipeline([change], done), upsert=True)
    pushed = {name: {"$each": each} for name, each in change.pushed.items()}
    return UpdateOne(condition, {"$set": change.shown, "$push": pushed}, upsert=True)


def _several(part: Sequence[Change], done: AbstractSet[str] | None) -> UpdateMany:
    condition = {"_id": {"$in": [one.key for one in part]}, "version": part[0].version - 1}
    return UpdateMany(condition, _pipeline(part, done))


def _pipeline(part: Sequence[Change], done: AbstractSet[str] | None) -> list[Document]:
    """Give each document its own change; what is on the right is as it was before."""
    mine = {
        "$arrayElemAt": [
            {"$literal": [{"shown": one.shown, "pushed": one.pushed} for one in part]},
            {"$indexOfArray": [{"$literal": [one.key for one in part]}, "$_id"]},
        ]
    }
    before = {name: _list(f"${name}") for one in part for name in one.pushed}
    if done is not None:
        before["outbox"] = _kept(done)
    lists = {
        name: {"$concatArrays": [old, _list(f"$change.pushed.{name}")]}
        for name, old in before.items()
    }
    return [
        {"$set": {"change": mine}},
        {"$replaceWith": {"$mergeObjects": ["$$ROOT", "$change.shown", lists]}},
        {"$unset": "change"},
    ]


def _kept(done: AbstractSet[str]) -> Document:
    """Return the entries that may not be published yet, each with its own text."""
    waiting = {
        "$filter": {
            "input": _list("$outbox"),
            "as": "entry",
            "cond": {"$not": [{"$in": ["$$entry.id", {"$literal": sorted(done)}]}]},
        }
    }
    whole = {"$mergeObjects": [{"data": "$state"}, "$$entry"]}
    return {"$map": {"input": waiting, "as": "entry", "in": whole}}


def _list(path: str) -> Document:
    return {"$ifNull": [path, []]}


async def _overtaken(collection: Collection, part: Sequence[Change]) -> set[Any]:
    """Return which of these are not as they were to be."""
    asked = {"_id": {"$in": [one.key for one in part]}}
    with faults():
        found = await collection.find(asked, {"version": 1, "state": 1}).to_list(None)
    held = {one["_id"]: (one["version"], one.get("state")) for one in found}
    return {one.key for one in part if held.get(one.key) != (one.version, one.shown["state"])}
