"""Dockets: which documents are about to hold events, written down before they do.

The relay finds such documents by a docket, one for the documents of a write, and strikes it off
when their events are published; the documents stay as they were written. The mark that would lead
to each of them costs the store an entry of an index, made and unmade, and a second write of the
document (docs/performance.md).

Nothing is missed, whoever dies when: a docket is durable before its write begins, and struck off
only when each of its documents was read at the version that the docket names or a later one, so
that the write was done or is too late for ever, and what they held then was published. Hence an
event whose docket is gone was published.

A writer that died in between leaves a docket with documents that never came. The relay puts it
aside and looks at it every few seconds: nothing tells a dead writer from a slow one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.mongo.client import Collection, Document, InsertOne, UpdateOne, faults
from shared.runtime.ids import new_id

MOST_KEYS: Final = 200  # of one docket
MOST_BYTES: Final = 1_000_000  # of the texts that its documents are to hold, save a single one


@dataclass(frozen=True, slots=True)
class Announced:
    """A docket: documents and the versions that they are about to have; ``size`` in bytes."""

    id: str
    versions: Mapping[Any, int]
    size: int
    due: bool = True  # False: it was put aside


@dataclass(frozen=True, slots=True)
class Docket:
    """The dockets of one collection, in a collection of their own."""

    collection: Collection

    async def announce(self, sizes: Mapping[Any, tuple[int, int]]) -> dict[Any, str]:
        """Write down, by key, versions that are about to be and how large; return who stands where.

        Durable when it returns.
        """
        dockets: list[Announced] = []
        part: dict[Any, int] = {}
        size = 0
        for key, (version, length) in sizes.items():
            if part and (len(part) == MOST_KEYS or size + length > MOST_BYTES):
                dockets.append(Announced(new_id(), part, size))
                part, size = {}, 0
            part[key] = version
            size += length
        if part:
            dockets.append(Announced(new_id(), part, size))
        if dockets:
            with faults():
                await self.collection.bulk_write(
                    [InsertOne(_document(one)) for one in dockets], ordered=False
                )
        return {key: one.id for one in dockets for key in one.versions}

    async def gone(self, ids: Iterable[str]) -> set[str]:
        """Return which of these dockets were struck off."""
        asked = sorted(set(ids))
        if not asked:
            return set()
        with faults():
            found = await self.collection.find({"_id": {"$in": asked}}, {"_id": 1}).to_list(None)
        return set(asked) - {document["_id"] for document in found}

    async def due(self, most: int, most_bytes: int) -> tuple[list[Announced], bool]:
        """Return dockets that were not put aside, about oldest first, and whether there are more.

        As many as hold ``most`` documents or ``most_bytes``, and at least one.
        """
        found: list[Announced] = []
        documents = size = 0
        cursor = self.collection.find({"due": True}).limit(most + 1)
        try:
            with faults():
                async for document in cursor:
                    if documents >= most or size >= most_bytes:
                        return found, True
                    found.append(_announced(document))
                    documents += len(found[-1].versions)
                    size += found[-1].size
        finally:
            await cursor.close()
        return found, False

    async def aside(self, after: str, most: int) -> list[Announced]:
        """Return up to ``most`` dockets that were put aside, by their ids, behind ``after``."""
        asked = {"due": False, "_id": {"$gt": after}}
        with faults():
            found = await self.collection.find(asked).sort("_id", 1).limit(most).to_list(most)
        return [_announced(document) for document in found]

    async def strike(self, left: Mapping[str, Mapping[Any, int]]) -> None:
        """Strike dockets off, by id; those with documents ``left`` are put aside with these."""
        done = [docket for docket, versions in left.items() if not versions]
        later = [
            UpdateOne({"_id": docket}, {"$set": {"due": False, "documents": _listed(versions)}})
            for docket, versions in left.items()
            if versions
        ]
        with faults():
            if done:
                await self.collection.delete_many({"_id": {"$in": done}})
            if later:
                await self.collection.bulk_write(later, ordered=False)


def docket_of(collection: Collection) -> Docket:
    """Return the docket of a collection, which lies beside it."""
    return Docket(collection.database[f"{collection.name}.docket"])


def _announced(document: Document) -> Announced:
    versions = {one["key"]: one["version"] for one in document["documents"]}
    return Announced(document["_id"], versions, document["size"], document["due"])


def _document(docket: Announced) -> Document:
    return {
        "_id": docket.id,
        "due": True,
        "documents": _listed(docket.versions),
        "size": docket.size,
    }


def _listed(versions: Mapping[Any, int]) -> Sequence[Document]:
    return [{"key": key, "version": version} for key, version in versions.items()]
