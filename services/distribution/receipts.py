"""Receipts: this replica says which preference it began to obey, when, and that it is alive.

A preference holds everywhere when the last live replica has said so (design section 3).
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from shared.events import (
    Event,
    Meta,
    PreferenceApplied,
    PrefixState,
    Received,
    ReplicaAlive,
    to_record,
)
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


@dataclass(slots=True)
class Receipts:
    """Reports of one replica; ``outlets`` are the interfaces it serves."""

    knowledge: Knowledge
    sender: Sender
    replica: str
    outlets: tuple[str, ...]
    alive_seconds: float
    clock: Clock = SYSTEM
    _said: list[Event] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Hear every preference the gate begins to obey."""
        self.knowledge.listeners.append(self._applied)

    def _applied(self, received: Received) -> None:
        match received.event:
            # What was learned before the first sign of life was obeyed from then on.
            case PrefixState() as state if self.knowledge.caught_up:
                self._said.append(
                    PreferenceApplied(
                        replica=self.replica,
                        outlets=self.outlets,
                        prefix=state.prefix,
                        prefix_version=state.version,
                        cause=received.meta.id,
                        at=self.clock.now(),
                    )
                )
                self._wake.set()

    async def run(self, draining: asyncio.Event) -> None:
        """Report until told to drain, then say good-bye."""
        if not await self._start(draining):
            return
        due = self.clock.monotonic()
        while not draining.is_set():
            said, self._said = self._said, []
            self._wake.clear()
            if self.clock.monotonic() >= due and self.knowledge.caught_up:
                said.append(self._alive(stopping=False))
                due = self.clock.monotonic() + self.alive_seconds
            await self._send(said)
            await wait_any(self._wake, draining, timeout=self.alive_seconds / 2)
        await self._send([self._alive(stopping=True)])
        await self.sender.stop()

    async def _start(self, draining: asyncio.Event) -> bool:
        while not draining.is_set():
            try:
                await self.sender.start()
            except Transient as fault:
                log.warning("receipts wait for the broker", reason=str(fault))
                await wait_any(draining, timeout=RETRY_SECONDS)
            else:
                return True
        return False

    async def _send(self, said: list[Event]) -> None:
        """Send, or keep for the next time; of one prefix the newest word is enough."""
        if not said:
            return
        newest = {
            (event.prefix if isinstance(event, PreferenceApplied) else ""): event for event in said
        }
        records = [
            to_record(event, Meta(new_id(), "/services/distribution", rfc3339(self.clock.now())))
            for event in newest.values()
        ]
        try:
            await self.sender.send(records)
        except Transient as fault:
            log.warning("receipts not sent", reason=str(fault))
            self._said = [*newest.values(), *self._said]

    def _alive(self, *, stopping: bool) -> ReplicaAlive:
        return ReplicaAlive(
            replica=self.replica, outlets=self.outlets, at=self.clock.now(), stopping=stopping
        )
