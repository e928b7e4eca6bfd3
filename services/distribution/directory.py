"""The organisations by number, in memory: tens of thousands of names, wanted whole by each list."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from shared.events import OrganisationState, Received, from_record
from shared.kafka.follow import FOLLOW_FAULTS, follow
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

TOPIC: Final = "accounts.organisations.v1"
RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


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
        while not draining.is_set():
            try:
                await self._follow(draining)
            except FOLLOW_FAULTS as fault:
                log.warning("directory interrupted", reason=type(fault).__name__)
                await wait_any(draining, timeout=RETRY_SECONDS)

    async def _follow(self, draining: asyncio.Event) -> None:
        batches = follow(self.bootstrap, [TOPIC], draining, prefix=self.prefix)
        async with contextlib.aclosing(batches):
            async for batch in batches:
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
