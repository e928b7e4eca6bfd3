"""How many deletions were begun in a tick, by all processes together: one document for all.

A restart finds the count as it was, and two processes share what one tick allows. What was taken
and not begun is given back; what a process took that died is used up until the tick is over.
"""

from dataclasses import dataclass
from typing import Any, Final

from shared.mongo import Database, faults
from shared.mongo.client import DuplicateKeyError

BURSTS: Final = "bursts"
NAME: Final = "deletions"
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Bursts:
    """The count; ticks are numbered, and one that is behind counts in the newest."""

    database: Database

    async def left(self, tick: int, most: int) -> int:
        """Return how many of ``most`` may still be begun in a tick. Raises ``Transient``."""
        _, begun = _in(await self._found(), tick)
        return max(most - begun, 0)

    async def take(self, wanted: int, tick: int, most: int) -> tuple[int, int]:
        """Count up to ``wanted`` as begun before they are; return how many may be, and the tick.

        Raises ``Transient``.
        """
        for _ in range(TRIES):
            known = await self._found()
            now, begun = _in(known, tick)
            granted = min(wanted, most - begun)
            if granted <= 0:
                return 0, now
            if await self._set(known, {"tick": now, "begun": begun + granted}):
                return granted, now
        return 0, tick  # others take all the time: it is asked for again

    async def give_back(self, unused: int, tick: int) -> None:
        """Count so many less in the tick they were counted in; below nothing, as many more."""
        if unused:
            with faults():
                await self.database[BURSTS].update_one(
                    {"_id": NAME, "tick": tick}, {"$inc": {"begun": -unused}}
                )

    async def _found(self) -> dict[str, Any] | None:
        with faults():
            return await self.database[BURSTS].find_one({"_id": NAME})

    async def _set(self, known: dict[str, Any] | None, changed: dict[str, int]) -> bool:
        """Write the count on condition that nobody else did."""
        rows = self.database[BURSTS]
        with faults():
            if known is None:
                try:
                    await rows.insert_one({"_id": NAME, **changed})
                except DuplicateKeyError:
                    return False
                return True
            asked = {"_id": NAME, "tick": known["tick"], "begun": known["begun"]}
            return bool((await rows.update_one(asked, {"$set": changed})).matched_count)


def _in(known: dict[str, Any] | None, tick: int) -> tuple[int, int]:
    """Return the tick that counts now, and what was begun in it."""
    if known is None or known["tick"] < tick:
        return tick, 0
    return known["tick"], known["begun"]
