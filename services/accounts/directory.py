"""The numbers of all organisations, in order, in memory: what pages of the list are cut from.

The documents themselves come from the store by key. An organisation entered a moment ago may be
missing from the list, never from anything else.
"""

import asyncio
import bisect
from dataclasses import dataclass, field
from typing import Final

from shared.events import OrganisationState, Received, from_record
from shared.kafka.follow import Batch, keep_following
from shared.runtime.health import Health

TOPIC: Final = "accounts.organisations.v1"


@dataclass(slots=True)
class Numbers:
    """Organisations' numbers, ascending."""

    _held: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Enter a number; twice is once."""
        place = bisect.bisect_left(self._held, number)
        if place == len(self._held) or self._held[place] != number:
            self._held.insert(place, number)

    def page(self, *, after: int | None, most: int) -> list[int]:
        """Return up to ``most`` numbers from behind ``after`` on."""
        start = 0 if after is None else bisect.bisect_right(self._held, after)
        return self._held[start : start + most]


async def follow_organisations(
    numbers: Numbers, draining: asyncio.Event, *, bootstrap: str, prefix: str, health: Health
) -> None:
    """Keep ``numbers`` from what accounts itself published, until draining."""

    async def take(batch: Batch) -> None:
        for _, record in batch.records:
            match from_record(record.key, record.value, record.headers):
                case Received(OrganisationState() as state):
                    numbers.add(state.organisation)
        if not batch.behind:
            health.ready("directory")

    health.unready("directory", "has not read the organisations to their end yet")
    await keep_following(
        "directory", bootstrap, [TOPIC], draining, take=take, health=health, prefix=prefix
    )
