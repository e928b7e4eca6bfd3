"""The outbox inside the aggregates: read what waits, take out what was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.events import Meta, Outgoing
from shared.events.records import headers_of
from shared.mongo.client import Collection, IndexModel, UpdateOne, faults

DIRTY_INDEX: Final = IndexModel(
    [("dirty", 1)], name="dirty", partialFilterExpression={"dirty": True}
)


@dataclass(frozen=True, slots=True)
class Pending:
    """What one document waits to publish, in order."""

    key: Any
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
                await self.collection.find({"dirty": True}, {"outbox": 1}).limit(most).to_list(most)
            )
        return [
            Pending(
                document["_id"],
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
        with faults():
            await self.collection.bulk_write(
                [UpdateOne({"_id": one.key}, _without(one.ids)) for one in published], ordered=False
            )


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
