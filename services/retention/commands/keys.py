"""What is done to keys: one verb each, one compare-and-set each.

A key goes in three steps: fence it, confirm that the fence stands, and destroy it when nobody can
have it in hand any more. Each may be repeated, after a crash too. Nothing is destroyed without a
cause, which is the request or the due clock that it goes back to (law P4).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from shared.events.decisions import Refused
from shared.mongo import Aggregates
from shared.privacy import lifecycle
from shared.privacy.lifecycle import WHOLE, Denied, KeptKeys
from shared.runtime.clock import SYSTEM, Clock

Done = KeptKeys | Refused[Denied]


class Obeyed(Protocol):
    """What knows which processes may have keys, and what they said (store/rings.py)."""

    async def by_all(self, marks: Collection[str]) -> frozenset[str]:
        """Return those of the marks of fences that every such process obeyed."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of everybody.

    ``after``: so long after a fence was seen to stand nobody uses what it fences any more; that is
    how long a key may be used, and what clocks may differ by. ``rings``: who says so before.
    """

    documents: Aggregates[KeptKeys]
    after: timedelta
    clock: Clock = SYSTEM
    rings: Obeyed | None = None

    async def shown(self, keys: str) -> KeptKeys | None:
        """Return a key document, or None."""
        return await self.documents.load(keys)

    async def fence(self, keys: str, cause: str) -> Done:
        """End all use of a person's keys of one class, for a cause; for ever, unless taken back."""
        return await self._do(
            keys, lambda known: lifecycle.fence(known, keys, cause, at=self.clock.now())
        )

    async def take_back(self, keys: str, cause: str) -> Done:
        """Take a fence back that was set for ``cause``, while nothing is destroyed."""
        return await self._do(keys, lambda known: lifecycle.take_back(known, cause))

    async def restrict(self, keys: str, hold: str) -> Done:
        """Place a hold."""
        return await self._do(keys, lambda known: lifecycle.restrict(known, hold))

    async def release(self, keys: str, hold: str) -> Done:
        """Lift a hold."""
        return await self._do(keys, lambda known: lifecycle.release(known, hold))

    async def fence_unit(self, keys: str, unit: str) -> Done:
        """End the use of one record's key."""
        return await self._do(
            keys, lambda known: lifecycle.fence_unit(known, unit, at=self.clock.now())
        )

    async def confirm(self, keys: str, unit: str = WHOLE) -> Done:
        """Note that a fence stands; from then on the time until it is effective is counted."""
        return await self._do(
            keys, lambda known: lifecycle.confirm(known, unit, at=self.clock.now())
        )

    async def obeyed(self, documents: Iterable[KeptKeys]) -> frozenset[str]:
        """Return the fences of documents, as they were read before, that nobody is behind any more.

        Whoever asked for keys before these fences stood has said so by now, or is waited for.
        """
        standing = {mark for one in documents for mark in lifecycle.marks(one).values()}
        return await self.rings.by_all(standing) if self.rings and standing else frozenset()

    async def destroy(
        self, keys: str, unit: str = WHOLE, obeyed: Collection[str] | None = None
    ) -> Done:
        """Destroy fenced keys, all or one record's; too early while somebody may still use them."""
        if obeyed is None:
            known = await self.shown(keys)
            obeyed = await self.obeyed([known] if known is not None else [])
        destroy = partial(lifecycle.destroy_unit, unit=unit) if unit else lifecycle.destroy
        return await self._do(
            keys,
            lambda known: destroy(known, at=self.clock.now(), after=self.after, obeyed=obeyed),
        )

    async def _do(self, keys: str, decide: Any) -> Done:
        done = await self.documents.update(keys, decide)
        return done if isinstance(done, Refused) else done.state
