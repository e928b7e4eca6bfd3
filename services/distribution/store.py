"""The read models of distribution in the store: their indexes, and reads by key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.projections import WORKS
from shared.mongo import Database
from shared.mongo.client import Document, IndexModel, faults

# What a reader needs of a work; without the references where they may not be seen anyway.
SHOWN: Final = {"recount": 0, "recount_due": 0, "cites": 0}

KEYS: Final = 200  # keys a look-up: the embedded store slows down beyond

INDEXES: Final = (
    IndexModel([("cites", 1)], name="cites"),
    IndexModel(
        [("recount_due", 1)],
        name="recount_due",
        partialFilterExpression={"recount_due": True},
    ),
)


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database[WORKS].create_indexes(list(INDEXES))


@dataclass(frozen=True, slots=True)
class Works:
    """Works by DOI."""

    database: Database

    async def one(self, doi: str) -> Document | None:
        """Return a work's document, or None."""
        with faults():
            found: Document | None = await self.database[WORKS].find_one({"_id": doi}, SHOWN)
        return found if found and "work" in found else None

    async def position(self, doi: str) -> Document | None:
        """Return what a work's document says of itself but for the work, or None."""
        shown = {"v": 1, "title": 1, "deposited": 1, "indexed": 1, "recount_due": 1}
        with faults():
            found: Document | None = await self.database[WORKS].find_one({"_id": doi}, shown)
        return found if found and "deposited" in found else None

    async def many(self, dois: Sequence[str]) -> dict[str, Any]:
        """Return the documents that exist under ``dois``."""
        found: dict[str, Any] = {}
        for start in range(0, len(dois), KEYS):
            with faults():
                page = await (
                    self.database[WORKS]
                    .find({"_id": {"$in": list(dois[start : start + KEYS])}}, SHOWN)
                    .to_list(None)
                )
            found |= {document["_id"]: document for document in page if "work" in document}
        return found
