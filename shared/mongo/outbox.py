"""The outbox inside the aggregates: read what waits, take out what was published."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.events import Meta, Outgoing
from shared.events.records import headers_of
from shared.mongo.client import Collection, Database, Document, IndexModel, UpdateMany, faults

DIRTY_INDEX: Final = IndexModel(
    [("dirty", 1)], name="dirty", partialFilterExpression={"dirty": True}
)
AT_ONCE: Final = 50  # keys a command: the embedded store compares each document with all of them
MOST_BYTES: Final = 8_000_000  # of a page, about: a single work may have megabytes
SHOWN: Final = {"outbox": 1, "version": 1, "state": 1}


@dataclass(frozen=True, slots=True)
class Pending:
    """What one document waits to publish, in order.

    ``more`` says that a page was cut behind it; ``stays``, that its entries need not be removed.
    """

    key: Any
    version: int
    ids: tuple[str, ...]
    records: tuple[Outgoing, ...]
    more: bool = False
    stays: bool = False

    @property
    def size(self) -> int:
        """How many bytes it is about to send."""
        return sum(len(one.value or b"") for one in self.records)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outboxes of one collection, as the relay uses them; their documents are marked."""

    collection: Collection
    source: str

    @property
    def name(self) -> str:
        """The collection."""
        return self.collection.name

    async def prepare(self) -> None:
        """Create the index that finds documents with unpublished events."""
        with faults():
            await self.collection.create_indexes([DIRTY_INDEX])

    async def prepared(self) -> bool:
        """Say whether that index is there."""
        with faults():
            return DIRTY_INDEX.document["name"] in await self.collection.index_information()

    async def page(self, most: int) -> list[Pending]:
        """Read up to ``most`` documents with unpublished events, from the primary.

        Some megabytes at most, and at least one document.
        """
        found: list[Pending] = []
        size = 0
        cursor = self.collection.find({"dirty": True}, SHOWN).limit(most)
        try:
            with faults():
                async for document in cursor:
                    found.append(pending_of(document, self.source))
                    size += found[-1].size
                    if size >= MOST_BYTES or len(found) == most:
                        return cut(found)
        finally:
            await cursor.close()
        return found

    async def take_out(self, published: Sequence[Pending]) -> None:
        """Remove what was published and clear the mark in the same update, in one round trip.

        An event added meanwhile stays, and so does its document's mark.
        """
        if not published:
            return
        # A document of the version that was read has no event that was not: it can be emptied
        # whole, many in one command, which costs the store a third (docs/performance.md).
        read: dict[int, list[Pending]] = defaultdict(list)
        for one in published:
            read[one.version].append(one)
        parts = [
            (version, of[start : start + AT_ONCE])
            for version, of in read.items()
            for start in range(0, len(of), AT_ONCE)
        ]
        with faults():
            done = await self.collection.bulk_write(
                [UpdateMany({**_keys(part), "version": v}, _EMPTY) for v, part in parts],
                ordered=False,
            )
            if done.matched_count < len(published):
                await self.collection.bulk_write(
                    [
                        UpdateMany({**_keys(part), "dirty": True}, _without(part))
                        for _, part in parts
                    ],
                    ordered=False,
                )


async def prepare_all(
    database: Database, indexes: Mapping[str, Sequence[IndexModel]], *, published: Iterable[str]
) -> None:
    """Create the indexes of collections, with those of the outboxes that are published.

    One command for each collection that has any.
    """
    marked = dict.fromkeys(published, (DIRTY_INDEX,))
    for name in {**indexes, **marked}:
        if wanted := [*indexes.get(name, ()), *marked.get(name, ())]:
            with faults():
                await database[name].create_indexes(wanted)


def cut(page: list[Pending]) -> list[Pending]:
    """Say of a page that there may be more behind it."""
    return [*page[:-1], replace(page[-1], more=True)]


def pending_of(document: Document, source: str) -> Pending:
    """Read what a document waits to publish.

    An entry without a text of its own was written together with the state, which is its text
    (shared.mongo.aggregates).
    """
    entries = document.get("outbox", ())
    return Pending(
        document["_id"],
        document["version"],
        tuple(entry["id"] for entry in entries),
        tuple(_record(entry, document, source) for entry in entries),
    )


_EMPTY: Final = {"$set": {"outbox": []}, "$unset": {"dirty": ""}}


def _keys(part: Sequence[Pending]) -> Document:
    return {"_id": {"$in": [one.key for one in part]}}


def _without(part: Sequence[Pending]) -> list[Document]:
    ids = [each for one in part for each in one.ids]
    kept = {
        "$filter": {
            "input": "$outbox",
            "as": "entry",
            "cond": {"$not": [{"$in": ["$$entry.id", ids]}]},
        }
    }
    return [{"$set": {"outbox": kept}}, {"$set": {"dirty": {"$gt": [{"$size": "$outbox"}, 0]}}}]


def _record(entry: Document, document: Document, source: str) -> Outgoing:
    meta = Meta(entry["id"], source, entry["time"], correlation=entry.get("correlation"))
    text = entry["data"] if "data" in entry else document["state"]
    return Outgoing(
        entry["topic"],
        entry["key"].encode(),
        None if entry.get("gone") else text.encode(),
        headers_of(
            kind=entry["type"], meta=meta, subject=entry["key"], version=entry.get("version")
        ),
    )
