"""The read models of distribution in the store: their indexes, and reads by key."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from services.distribution.matching.kept import Matches
from services.distribution.matching.shown import has_open, with_matches
from services.distribution.projections import COUNTED, WORKS, counted_of
from services.distribution.rebuild.pointer import ReadModels, called
from shared.mongo import Database
from shared.mongo.client import Collection, Document, IndexModel, faults

# What no reader needs of a work. It is left out here: a store that leaves fields out writes each
# document anew, which takes the embedded one a third longer than to send it whole.
KEPT_BACK: Final = ("recount", "recount_shelf", "cites", "names")

KEYS: Final = 50  # keys a look-up: fewer and more both cost the embedded store more a key
AT_ONCE: Final = 4  # look-ups under way for one reader

INDEXES: Final = (
    IndexModel([("cites", 1)], name="cites"),
    IndexModel([("names", 1)], name="names"),
    IndexModel([("recount_shelf", 1)], name="recount_shelf", sparse=True),
)

T = TypeVar("T")


async def prepare(database: Database) -> None:
    """Create the indexes of every generation there is, and of matches; safe to repeat."""
    await Matches(database).prepare()
    for generation in (await ReadModels(database).fresh()).written:
        await prepare_generation(database, generation)


async def prepare_generation(database: Database, generation: int) -> None:
    """Create the indexes of one generation; safe to repeat."""
    with faults():
        await database[called(WORKS, generation)].create_indexes(list(INDEXES))


@dataclass(slots=True)
class Works:
    """Works by DOI, of the live generation; each answer is of one."""

    database: Database
    _models: ReadModels = field(init=False)

    def __post_init__(self) -> None:
        """Look for the pointer where the works are."""
        self._models = ReadModels(self.database)

    async def one(self, doi: str) -> Document | None:
        """Return a work's document, or None."""
        found = await self._read(lambda works: works.find_one({"_id": doi}))
        if not found or "work" not in found:
            return None
        documents = await self._matched({doi: _shown(found)})
        shown: Document = documents[doi]
        return shown

    async def position(self, doi: str) -> Document | None:
        """Return what a work's document says of itself but for the work, or None."""
        shown = {"v": 1, "title": 1, "deposited": 1, "indexed": 1, "recount_shelf": 1}
        found = await self._read(lambda works: works.find_one({"_id": doi}, shown))
        return found if found and "deposited" in found else None

    async def many(self, dois: Sequence[str]) -> dict[str, Any]:
        """Return the documents that exist under ``dois``."""
        return await self._matched(await self.bare(dois))

    async def bare(self, dois: Sequence[str]) -> dict[str, Any]:
        """Return the documents that exist under ``dois`` as deposited, without what was matched."""
        return await self._read(lambda works: _many(works, dois))

    async def counts(self, dois: Sequence[str]) -> dict[str, Document]:
        """Return what was last counted of each of ``dois`` that is here."""
        asked = {"_id": {"$in": list(dois)}}
        shown = dict.fromkeys(COUNTED, 1)
        found = await self._read(lambda works: works.find(asked, shown).to_list(None))
        return {document["_id"]: counted_of(document) for document in found}

    async def _matched(self, documents: dict[str, Any]) -> dict[str, Any]:
        """Give references without a DOI the one that was found for them."""
        open_ = [doi for doi, document in documents.items() if has_open(document["work"])]
        if open_:
            found = await Matches(self.database).found(open_)
            for doi, matches in found.items():
                documents[doi] = with_matches(documents[doi], matches)
        return documents

    async def _read(self, look: Callable[[Collection], Awaitable[T]]) -> T:
        """Look in the live generation, and again where another one became live meanwhile.

        A look that took so long that its generation may be gone is not believed.
        """
        live = (await self._models.current()).live
        while True:
            with faults():
                found = await look(self.database[called(WORKS, live)])
            now = (await self._models.current()).live
            if now == live:
                return found
            live = now


async def _many(works: Collection, dois: Sequence[str]) -> dict[str, Any]:
    lots = [list(dois[start : start + KEYS]) for start in range(0, len(dois), KEYS)]
    found: dict[str, Any] = {}
    for start in range(0, len(lots), AT_ONCE):
        looks = (
            works.find({"_id": {"$in": lot}}).to_list(None) for lot in lots[start : start + AT_ONCE]
        )
        for page in await asyncio.gather(*looks):
            found |= {document["_id"]: _shown(document) for document in page if "work" in document}
    return found


def _shown(document: Document) -> Document:
    for name in KEPT_BACK:
        document.pop(name, None)
    return document
