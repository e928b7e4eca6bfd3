"""How many deletions were begun in a tick, by all processes together: one document for all.

A restart finds the count as it was, and two processes share what one tick allows. What was taken
and not begun is given back; what a process took that died is used up until the tick is over.
"""

from dataclasses import dataclass
from typing import Final

from services.retention.store.layout import keeping
from shared.events.base import State, Version
from shared.events.decisions import Accepted, Refused
from shared.mongo import Aggregates, Database

BURSTS: Final = "bursts"
NAME: Final = "begun"
NOTHING: Final[Refused[None]] = Refused(None)


class KeptBurst(State):
    """The newest tick, by its number, and how many were begun in it."""

    tick: int
    begun: int
    version: Version


@dataclass(frozen=True, slots=True)
class Bursts:
    """The count; a tick that is behind counts in the newest."""

    kept: Aggregates[KeptBurst]

    async def left(self, tick: int, most: int) -> int:
        """Return how many of ``most`` may still be begun in a tick. Raises ``Transient``."""
        _, begun = _in(await self.kept.load(NAME), tick)
        return max(most - begun, 0)

    async def take(self, wanted: int, tick: int, most: int) -> tuple[int, int]:
        """Count up to ``wanted`` as begun before they are; return how many may be, and the tick.

        Raises ``Transient``.
        """
        granted, counted = 0, tick

        def decide(known: KeptBurst | None) -> Accepted[KeptBurst] | Refused[None]:
            nonlocal granted, counted
            counted, begun = _in(known, tick)
            granted = max(min(wanted, most - begun), 0)
            return Accepted(_next(known, counted, begun + granted), ()) if granted else NOTHING

        await self.kept.update(NAME, decide)
        return granted, counted

    async def give_back(self, unused: int, tick: int) -> None:
        """Count so many less in the tick they were counted in; below nothing, as many more."""

        def decide(known: KeptBurst | None) -> Accepted[KeptBurst] | Refused[None]:
            if known is None or known.tick != tick:
                return NOTHING
            return Accepted(_next(known, tick, known.begun - unused), ())

        if unused:
            await self.kept.update(NAME, decide)


def open_bursts(database: Database) -> Bursts:
    """Open the count."""
    return Bursts(keeping(database, BURSTS, KeptBurst))


def _in(known: KeptBurst | None, tick: int) -> tuple[int, int]:
    """Return the tick that counts now, and what was begun in it."""
    if known is None or known.tick < tick:
        return tick, 0
    return known.tick, known.begun


def _next(known: KeptBurst | None, tick: int, begun: int) -> KeptBurst:
    return KeptBurst(tick=tick, begun=begun, version=1 if known is None else known.version + 1)
