"""Waiting until the broker has an event: told at once by this process's relay, else by looking.

The relay may run in another process, and its word may come before somebody waits for it; so the
outbox itself is looked at too, seldom enough that many who wait do not wear the store out.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.mongo import Aggregates, Outbox, Pending, faults
from shared.runtime.clock import Clock

FIRST_LOOK: Final = 0.02  # seconds until the outbox is looked at again; it doubles
LONGEST_LOOK: Final = 0.1


@dataclass(eq=False, slots=True)
class _Waiter:
    left: set[str]
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Acks:
    """Who in this process waits for which events."""

    _waiters: set[_Waiter] = field(default_factory=set)

    def published(self, ids: Sequence[str]) -> None:
        """Tell those who wait that the broker has these events."""
        for waiter in self._waiters:
            waiter.left.difference_update(ids)
            if not waiter.left:
                waiter.done.set()

    async def unpublished(
        self, aggregates: Aggregates[Any], keys: Sequence[Any], *, within: float, clock: Clock
    ) -> frozenset[Any]:
        """Wait until all events that now wait in these documents are at the broker.

        Returns the keys of which some are not, after ``within`` seconds.
        """
        deadline = clock.monotonic() + within
        awaited = await _waiting(aggregates, keys)
        waiter = _Waiter({id_ for ids in awaited.values() for id_ in ids})
        self._waiters.add(waiter)
        pause = FIRST_LOOK
        try:
            while waiter.left and (left := deadline - clock.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(waiter.done.wait(), min(pause, left))
                    break
                now = await _waiting(aggregates, list(awaited))
                waiter.left &= {id_ for ids in now.values() for id_ in ids}
                pause = min(2 * pause, LONGEST_LOOK)
        finally:
            self._waiters.discard(waiter)
        return frozenset(key for key, ids in awaited.items() if ids & waiter.left)


async def _waiting(aggregates: Aggregates[Any], keys: Sequence[Any]) -> dict[Any, frozenset[str]]:
    chosen = {"_id": keys[0]} if len(keys) == 1 else {"_id": {"$in": list(keys)}}
    with faults():
        found = await aggregates.collection.find(chosen, {"outbox.id": 1}).to_list(None)
    return {
        document["_id"]: frozenset(entry["id"] for entry in document.get("outbox", ()))
        for document in found
        if document.get("outbox")
    }


@dataclass(frozen=True, slots=True)
class Announcing:
    """An outbox that says what the broker has as soon as the relay knows it."""

    box: Outbox
    acks: Acks

    async def page(self, most: int) -> list[Pending]:
        """Read documents with unpublished events."""
        return await self.box.page(most)

    async def take_out(self, published: Sequence[Pending]) -> None:
        """Say that these are published, and remove them."""
        for one in published:
            self.acks.published(one.ids)
        await self.box.take_out(published)

    @property
    def name(self) -> str:
        """The collection."""
        return self.box.name
