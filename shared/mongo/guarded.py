"""Guarded writes: the only way a projection is written.

A write carries the aggregate's version and goes through only where the stored version is lower, so
that replays, duplicates and any order end in the same document (law L2).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.mongo.client import (
    BulkWriteError,
    Collection,
    Database,
    Document,
    InsertOne,
    UpdateOne,
    collided,
    faults,
)
from shared.mongo.shelves import shelf_of
from shared.runtime.metrics import WRITES_STALE


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
Naming = Callable[[str], str]  # a collection as writes name it -> as the store calls it


def collapse(writes: Iterable[Write]) -> dict[str, dict[Any, Write]]:
    """Keep the newest write of each key, by collection; of equal versions the last one."""
    newest: dict[str, dict[Any, Write]] = defaultdict(dict)
    for write in writes:
        held = newest[write.collection].get(write.key)
        if held is None or write.version >= held.version:
            newest[write.collection][write.key] = write
    return newest


async def apply_writes(
    database: Database,
    writes: Iterable[Write],
    *,
    into: Sequence[Naming] = (str,),
    filling: bool = False,
) -> None:
    """Write a batch; returns when it is durable. Raises ``Transient`` when the store is away.

    ``into`` names the collections to write, one naming after the other, each for the whole batch.
    ``filling`` is for collections that nobody reads yet: what is new is then the rule at any
    version, and no count is due, since all are counted when they are full.
    """
    collapsed = collapse(writes)
    for naming in into:
        for name, newest in collapsed.items():
            await _write(database[naming(name)], name, list(newest.values()), filling=filling)


async def _write(
    collection: Collection, model: str, writes: Sequence[Write], *, filling: bool
) -> None:
    """Write each key once, and again those that were there.

    A key that collides exists, and documents are never removed: a plain guarded update then says
    whether it was older.
    """
    met = await _send(collection, [_first(write, filling=filling) for write in writes])
    if not met:
        return
    with faults():
        done = await collection.bulk_write(
            [
                UpdateOne(_guard(writes[index]), _change(writes[index], filling=filling))
                for index in met
            ],
            ordered=False,
        )
    if not filling:
        WRITES_STALE.labels(model).inc(len(met) - done.matched_count)


async def _send(
    collection: Collection, operations: Sequence[InsertOne[Document] | UpdateOne]
) -> list[int]:
    """Send one bulk; return which operations met a key that was there."""
    with faults():
        try:
            await collection.bulk_write(operations, ordered=False)
        except BulkWriteError as fault:
            return collided(fault)
    return []


def _first(write: Write, *, filling: bool) -> InsertOne[Document] | UpdateOne:
    """Return the write to try first: of a first version there is probably nothing older."""
    if not filling and (isinstance(write, Erase) or write.version > 1):
        return UpdateOne(_guard(write), _change(write, filling=filling), upsert=True)
    # An insert costs the store a fraction of an upsert (docs/performance.md).
    if isinstance(write, Erase):
        return InsertOne({"_id": write.key, "v": write.version, "erased": write.reason})
    document = {"_id": write.key, "v": write.version, **write.fields}
    if write.recount is not None:
        document |= {"recount": [*write.recount], **_marked(write, filling=filling)}
    return InsertOne(document)


def _marked(write: Write, *, filling: bool) -> Document:
    return {} if filling else {"recount_shelf": shelf_of(write.key)}


def _guard(write: Write) -> Document:
    return {"_id": write.key, "v": {"$lt": write.version}}


def _change(write: Write, *, filling: bool) -> Document:
    if isinstance(write, Erase):
        return {
            "$set": {"v": write.version, "erased": write.reason},
            "$unset": dict.fromkeys(write.fields, ""),
        }
    change: Document = {
        "$set": {"v": write.version, **write.fields},
        "$unset": {"erased": ""},
    }
    if write.recount is not None:
        change["$set"] |= _marked(write, filling=filling)
        change["$addToSet"] = {"recount": {"$each": list(write.recount)}}
    return change
