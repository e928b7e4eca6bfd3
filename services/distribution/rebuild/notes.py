"""What is written down on the way of a generation: how far it is, for who resumes or watches.

Nothing is decided by it but where to go on: what is read twice changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.distribution.rebuild.pointer import NAME, ReadModels
from services.distribution.rebuild.source import Positions
from shared.mongo import faults
from shared.mongo.client import UpdateOne
from shared.runtime.clock import SYSTEM, Clock

EVERY_SECONDS: Final = 1.0


@dataclass(slots=True)
class Notes:
    """The notes on the generations of a database, one document each."""

    models: ReadModels
    clock: Clock = SYSTEM
    _written: float = field(default=float("-inf"))

    async def of(self, generation: int) -> Mapping[str, Any]:
        """Return what is noted of a generation."""
        with faults():
            return await self.models.pointers.find_one({"_id": _id(generation)}) or {}

    async def positions(self, generation: int, name: str) -> Positions:
        """Return noted positions, none where there are none."""
        noted = (await self.of(generation)).get(name, ())
        return {(topic, partition): offset for topic, partition, offset in noted}

    async def note(self, generation: int, **what: Any) -> None:
        """Write something down; positions are mappings."""
        shown = {
            name: [[*place, offset] for place, offset in value.items()]
            if isinstance(value, dict)
            else value
            for name, value in what.items()
        }
        self._written = self.clock.monotonic()
        with faults():
            await self.models.pointers.bulk_write(
                [UpdateOne({"_id": _id(generation)}, {"$set": shown}, upsert=True)], ordered=False
            )

    async def note_seldom(self, generation: int, **what: Any) -> None:
        """Write something down unless something was within the last second."""
        if self.clock.monotonic() - self._written >= EVERY_SECONDS:
            await self.note(generation, at=self.clock.now(), **what)


def _id(generation: int) -> str:
    return f"{NAME}-{generation}"
