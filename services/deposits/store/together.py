"""Group commit: what waits while a round trip is under way goes together in the next one.

Nobody waits for company: a lone item goes at once. Under load the store sees one command for many
items, which is most of what a small write costs it (docs/performance.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.mongo import Collection
from shared.mongo.client import BulkWriteError, Document, InsertOne, collided, faults

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Together(Generic[T, R]):
    """Does ``work`` for items of many callers, at most ``most`` at a time.

    ``work`` returns a result for each item, in order; what it raises is raised to each caller.
    """

    work: Callable[[Sequence[T]], Awaitable[Sequence[R]]]
    most: int
    _waiting: list[tuple[T, asyncio.Future[R]]] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def do(self, item: T) -> R:
        """Return the result for one item; a caller that is cancelled stops nobody else."""
        mine: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        entry = (item, mine)
        self._waiting.append(entry)
        try:
            async with self._lock:
                # Whoever had the lock before may have taken this item along.
                while entry in self._waiting:
                    batch = self._waiting[: self.most]
                    del self._waiting[: self.most]
                    await asyncio.shield(self._run(batch))
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            raise
        return await mine

    async def _run(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self.work([item for item, _ in batch])
        except Exception as fault:  # noqa: BLE001  (each caller gets it)
            for _, future in batch:
                if not future.done():
                    future.set_exception(fault)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


async def insert(collection: Collection, documents: Sequence[Document]) -> Sequence[bool]:
    """Insert documents in one command; say of each whether its key was free."""
    taken: list[int] = []
    with faults():
        try:
            await collection.bulk_write([InsertOne(one) for one in documents], ordered=False)
        except BulkWriteError as fault:
            taken = collided(fault)
    return [index not in taken for index in range(len(documents))]
