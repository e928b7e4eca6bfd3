"""Guarded writes: the only way a projection is written.

A write carries the aggregate's version and goes through only where the stored version is lower, so
that replays, duplicates and any order end in the same document (law L2).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.mongo.client import (
    BulkWriteError,
    Collection,
    Database,
    UpdateOne,
    collided,
    faults,
)
from shared.runtime.metrics import WRITES_STALE

SHARES: Final = 2  # bulk writes at once: one connection leaves the store idle between two batches
LEAST_SHARE: Final = 50  # below this a second round trip costs more than it saves


@dataclass(frozen=True, slots=True)
class Put:
    """Set ``fields`` of one document if its version is lower than ``version``.

    Every Put of a collection names the same fields, so that none outlives its time. ``recount``
    lists keys whose counts this write may change; they gather in the document until a worker has
    recounted them, and they only grow until then, so that targets of older versions are in it too.
    """

    collection: str
    key: Any
    version: int
    fields: Mapping[str, Any]
    recount: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Erase:
    """Leave nothing of a document but its key, version and the reason; late writes stay out."""

    collection: str
    key: Any
    version: int
    reason: str
    fields: Sequence[str] = field(default=())


Write = Put | Erase


def collapse(writes: Iterable[Write]) -> dict[str, dict[Any, Write]]:
    """Keep the newest write of each key, by collection; of equal versions the last one."""
    newest: dict[str, dict[Any, Write]] = defaultdict(dict)
    for write in writes:
        held = newest[write.collection].get(write.key)
        if held is None or write.version >= held.version:
            newest[write.collection][write.key] = write
    return newest


async def apply_writes(database: Database, writes: Iterable[Write]) -> None:
    """Write a batch; returns when it is durable. Raises ``Transient`` when the store is away."""
    for name, newest in collapse(writes).items():
        operations = [(key, write.version, _operation(write)) for key, write in newest.items()]
        share = max(LEAST_SHARE, -(-len(operations) // SHARES))
        await asyncio.gather(
            *(
                _write(database[name], operations[start : start + share])
                for start in range(0, len(operations), share)
            )
        )


def _operation(write: Write) -> UpdateOne:
    guard = {"_id": write.key, "v": {"$lt": write.version}}
    if isinstance(write, Erase):
        return UpdateOne(
            guard,
            {
                "$set": {"v": write.version, "erased": write.reason},
                "$unset": dict.fromkeys(write.fields, ""),
            },
            upsert=True,
        )
    change: dict[str, Any] = {
        "$set": {"v": write.version, **write.fields},
        "$unset": {"erased": ""},
    }
    if write.recount is not None:
        change["$set"]["recount_due"] = True
        change["$addToSet"] = {"recount": {"$each": list(write.recount)}}
    return UpdateOne(guard, change, upsert=True)


async def _write(collection: Collection, operations: list[tuple[Any, int, UpdateOne]]) -> None:
    """Send one bulk; an upsert that collides on ``_id`` met a document that is newer or brand new.

    Brand new means that another writer inserted an older version between our look and our insert:
    such keys are looked at again and sent once more.
    """
    while operations:
        met = await _send(collection, [operation for _, _, operation in operations])
        if not met:
            return
        again = [operations[index] for index in met]
        with faults():
            held = await collection.find(
                {"_id": {"$in": [key for key, _, _ in again]}}, {"v": 1}
            ).to_list(None)
        versions = {document["_id"]: document["v"] for document in held}
        operations = [one for one in again if versions.get(one[0], 0) < one[1]]
        WRITES_STALE.labels(collection.name).inc(len(again) - len(operations))


async def _send(collection: Collection, operations: list[UpdateOne]) -> list[int]:
    with faults():
        try:
            await collection.bulk_write(operations, ordered=False)
        except BulkWriteError as fault:
            return collided(fault)
    return []
