"""What is done to keys: one verb each, one compare-and-set each.

A key goes in three steps: fence it, confirm that the fence stands, and destroy it when nobody can
have it in hand any more. Each may be repeated, after a crash too. Nothing is destroyed without a
cause, which is the request or the due clock that it goes back to (law P4).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.events.decisions import Refused
from shared.mongo import Aggregates
from shared.privacy import lifecycle
from shared.privacy.lifecycle import WHOLE, Denied, KeptKeys
from shared.runtime.clock import SYSTEM, Clock

Done = KeptKeys | Refused[Denied]


class Obeyed(Protocol):
    """What knows which processes may have keys, and what they said (store/rings.py)."""

    async def by_all(self, marks: Collection[str], within: float = 0.0) -> frozenset[str]:
        """Return those of the marks of fences that every such process obeyed.

        Where that is not all of them, more are waited for, ``within`` so many seconds.
        """
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
        return (await self.fence_many({keys: WHOLE}, cause))[keys]

    async def fence_unit(self, keys: str, unit: str) -> Done:
        """End the use of one record's key."""
        return (await self.fence_many({keys: unit}))[keys]

    async def fence_many(self, units: Mapping[str, str], cause: str = "") -> dict[str, Done]:
        """End the use of one unit of each of many key documents, or of a whole, for ``cause``."""

        def decide(keys: str, known: KeptKeys | None) -> lifecycle.Decided:
            at = self.clock.now()
            if units[keys] == WHOLE:
                return lifecycle.fence(known, keys, cause, at=at)
            return lifecycle.fence_unit(known, units[keys], at=at)

        return await self._do(units, decide)

    async def take_back(self, keys: str, cause: str) -> Done:
        """Take a fence back that was set for ``cause``, while nothing is destroyed."""
        return await self._one(keys, lambda known: lifecycle.take_back(known, cause))

    async def restrict(self, keys: str, hold: str) -> Done:
        """Place a hold."""
        return await self._one(keys, lambda known: lifecycle.restrict(known, hold))

    async def release(self, keys: str, hold: str) -> Done:
        """Lift a hold."""
        return await self._one(keys, lambda known: lifecycle.release(known, hold))

    async def confirm(self, keys: str, unit: str = WHOLE) -> Done:
        """Note that a fence stands; from then on the time until it is effective is counted."""
        return (await self.confirm_many({keys: unit}))[keys]

    async def confirm_many(self, units: Mapping[str, str]) -> dict[str, Done]:
        """Note of many documents that a fence of each stands."""
        return await self._do(
            units,
            lambda keys, known: lifecycle.confirm(known, units[keys], at=self.clock.now()),
        )

    async def obeyed(self, documents: Iterable[KeptKeys], within: float = 0.0) -> frozenset[str]:
        """Return the fences of documents, as they were read before, that nobody is behind any more.

        Whoever asked for keys before these fences stood has said so by then, or is waited for.
        """
        standing = {mark for one in documents for mark in lifecycle.marks(one).values()}
        if self.rings is None or not standing:
            return frozenset()
        return await self.rings.by_all(standing, within)

    async def destroy(
        self, keys: str, unit: str = WHOLE, obeyed: Collection[str] | None = None
    ) -> Done:
        """Destroy fenced keys, all or one record's; too early while somebody may still use them."""
        if obeyed is None:
            known = await self.shown(keys)
            obeyed = await self.obeyed([known] if known is not None else [])
        return (await self.destroy_many({keys: unit}, obeyed))[keys]

    async def destroy_many(
        self, units: Mapping[str, str], obeyed: Collection[str]
    ) -> dict[str, Done]:
        """Destroy of many documents one unit each, or all."""

        def decide(keys: str, known: KeptKeys | None) -> lifecycle.Decided:
            at, after = self.clock.now(), self.after
            if units[keys] == WHOLE:
                return lifecycle.destroy(known, at=at, after=after, obeyed=obeyed)
            return lifecycle.destroy_unit(known, units[keys], at=at, after=after, obeyed=obeyed)

        return await self._do(units, decide)

    async def _do(
        self, keys: Iterable[str], decide: Callable[[str, KeptKeys | None], lifecycle.Decided]
    ) -> dict[str, Done]:
        done = await self.documents.update_many(keys, decide)
        return {name: one if isinstance(one, Refused) else one.state for name, one in done.items()}

    async def _one(self, keys: str, decide: Callable[[KeptKeys | None], lifecycle.Decided]) -> Done:
        return (await self._do([keys], lambda _keys, known: decide(known)))[keys]
