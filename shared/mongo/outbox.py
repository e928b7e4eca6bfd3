"""The outbox inside the aggregates: read what waits, take out what was published."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.events import Meta, Outgoing
from shared.events.records import headers_of
from shared.mongo.client import Collection, IndexModel, UpdateMany, UpdateOne, faults

DIRTY_INDEX: Final = IndexModel(
    [("dirty", 1)], name="dirty", partialFilterExpression={"dirty": True}
)


AT_ONCE: Final = 50  # keys a command: the embedded store compares each document with all of them


@dataclass(frozen=True, slots=True)
class Pending:
    """What one document waits to publish, in order."""

    key: Any
    version: int
    ids: tuple[str, ...]
    records: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outboxes of one collection, as the relay uses them."""

    collection: Collection
    source: str

    async def prepare(self) -> None:
        """Create the index that finds documents with unpublished events."""
        with faults():
            await self.collection.create_indexes([DIRTY_INDEX])

    async def page(self, most: int) -> list[Pending]:
        """Read up to ``most`` documents with unpublished events, from the primary."""
        with faults():
            found = (
                await self.collection.find({"dirty": True}, {"outbox": 1, "version": 1})
                .limit(most)
                .to_list(most)
            )
        return [
            Pending(
                document["_id"],
                document["version"],
                tuple(entry["id"] for entry in document["outbox"]),
                tuple(_record(entry, self.source) for entry in document["outbox"]),
            )
            for document in found
        ]

    async def take_out(self, published: Sequence[Pending]) -> None:
        """Remove what was published and clear the mark in the same update, in one round trip.

        An event added meanwhile stays, and so does its document's mark.
        """
        if not published:
            return
        # A document of the version that was read has no event that was not: it can be emptied
        # whole, many in one command, which costs the store a third (docs/performance.md).
        keys: dict[int, list[Any]] = defaultdict(list)
        for one in published:
            keys[one.version].append(one.key)
        with faults():
            done = await self.collection.bulk_write(
                [
                    UpdateMany({"_id": {"$in": of[start : start + AT_ONCE]}, "version": v}, _EMPTY)
                    for v, of in keys.items()
                    for start in range(0, len(of), AT_ONCE)
                ],
                ordered=False,
            )
            if done.matched_count < len(published):
                await self.collection.bulk_write(
                    [UpdateOne({"_id": one.key}, _without(one.ids)) for one in published],
                    ordered=False,
                )


_EMPTY: Final = {"$set": {"outbox": []}, "$unset": {"dirty": ""}}


def _without(ids: Sequence[str]) -> list[dict[str, Any]]:
    kept = {
        "$filter": {
            "input": "$outbox",
            "as": "entry",
            "cond": {"$not": [{"$in": ["$$entry.id", list(ids)]}]},
        }
    }
    return [{"$set": {"outbox": kept}}, {"$set": {"dirty": {"$gt": [{"$size": "$outbox"}, 0]}}}]


def _record(entry: dict[str, Any], source: str) -> Outgoing:
    meta = Meta(entry["id"], source, entry["time"], correlation=entry.get("correlation"))
    return Outgoing(
        entry["topic"],
        entry["key"].encode(),
        entry["data"].encode(),
        headers_of(
            kind=entry["type"], meta=meta, subject=entry["key"], version=entry.get("version")
        ),
    )
