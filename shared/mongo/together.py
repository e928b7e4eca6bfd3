"""Questions that are asked of a collection at the same moment are asked together.

Whoever looks for somebody looks through every collection, by every name, several of them for
several people at once, and a round trip costs more than what it finds.
"""

import asyncio
from collections.abc import Collection as Some
from dataclasses import dataclass, field
from typing import Any

from shared.mongo.client import Collection, Document, faults
from shared.runtime.locks import Locks


@dataclass(slots=True)
class _Round:
    """What is asked with one query, and what came back."""

    values: set[Any] = field(default_factory=set)
    found: list[Document] | None = None


@dataclass(slots=True)
class Together:
    """Finds documents by the values of a field, one query of a field at a time.

    Who asks while one is under way asks with the next one. So an answer is never older than its
    question, and the slower the store is, the more goes with one query.
    """

    collection: Collection
    _next: dict[str, _Round] = field(default_factory=dict)
    _locks: Locks = field(default_factory=Locks)

    async def among(self, name: str, values: Some[Any]) -> list[Document]:
        """Return id and state of the documents whose field is, or has in it, one of ``values``.

        The field must be indexed. Raises ``Transient``.
        """
        if not values:
            return []
        mine = self._next.setdefault(name, _Round())
        mine.values.update(values)
        async with self._locks.of(name):
            if mine.found is None:
                mine.found = await self._find(name, mine)
        return [one for one in mine.found if not _shown(one, name).isdisjoint(values)]

    async def _find(self, name: str, asked: _Round) -> list[Document]:
        await asyncio.sleep(0)  # all who ask in this turn of the loop
        if self._next.get(name) is asked:
            del self._next[name]
        with faults():
            return await self.collection.find(
                {name: {"$in": sorted(asked.values)}}, {"state": 1, name: 1}
            ).to_list(None)


def _shown(document: Document, name: str) -> set[Any]:
    value = document[name]
    return set(value) if isinstance(value, list) else {value}
