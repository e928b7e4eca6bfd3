"""The organisations by number, in memory: tens of thousands of names, wanted whole by each list."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from shared.events import OrganisationState, Received, from_record
from shared.kafka.follow import Batch, keep_following
from shared.runtime.health import Health

TOPIC: Final = "accounts.organisations.v1"


@dataclass(slots=True)
class Directory:
    """What accounts says of each organisation, newest version."""

    bootstrap: str
    prefix: str
    health: Health
    _held: dict[int, OrganisationState] = field(default_factory=dict)

    def get(self, organisation: int) -> OrganisationState | None:
        """Return an organisation, None where it is not known."""
        return self._held.get(organisation)

    async def run(self, draining: asyncio.Event) -> None:
        """Follow the organisations until told to drain."""
        self.health.unready("directory", "has not read the organisations to their end yet")
        await keep_following(
            "directory",
            self.bootstrap,
            [TOPIC],
            draining,
            take=self._take,
            health=self.health,
            prefix=self.prefix,
        )

    async def _take(self, batch: Batch) -> None:
        for _, record in batch.records:
            match from_record(record.key, record.value, record.headers):
                case Received(OrganisationState() as state):
                    self._learn(state)
        if not batch.behind:
            self.health.ready("directory")

    def _learn(self, state: OrganisationState) -> None:
        held = self._held.get(state.organisation)
        if held is None or held.version < state.version:
            self._held[state.organisation] = state
