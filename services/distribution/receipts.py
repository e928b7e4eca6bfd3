"""Receipts: this replica says which preference it began to obey, when, and that it is alive.

A preference holds everywhere when the last live replica has said so (design section 3).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.events import Event, PreferenceApplied, PrefixState, Received, ReplicaAlive
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.kafka.reporting import Pulse, report_forever

SIGN_OF_LIFE: Final = ""  # what it stands under among the words on prefixes


@dataclass(slots=True)
class Receipts:
    """Reports of one replica; ``outlets`` are the interfaces it serves."""

    knowledge: Knowledge
    sender: Sender
    replica: str
    outlets: tuple[str, ...]
    alive_seconds: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _unsaid: dict[str, Event] = field(default_factory=dict)  # of one prefix the newest is enough
    _pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        """Hear every preference the gate begins to obey."""
        self._pulse = Pulse(self.knowledge.clock, self.alive_seconds)
        self.knowledge.listeners.append(self._applied)

    def _applied(self, received: Received) -> None:
        match received.event:
            # What was learned before the first sign of life was obeyed from then on.
            case PrefixState() as state if self.knowledge.caught_up:
                self._unsaid[state.prefix] = PreferenceApplied(
                    replica=self.replica,
                    outlets=self.outlets,
                    prefix=state.prefix,
                    prefix_version=state.version,
                    cause=received.meta.id,
                    at=self.knowledge.clock.now(),
                )
                self.wake.set()

    async def run(self, draining: asyncio.Event) -> None:
        """Report until told to drain, then say good-bye."""
        await report_forever("receipts", self, draining, look=self.alive_seconds / 2)

    def say(self) -> Sequence[Event]:
        """Say of each prefix what is new, and that it lives where that is due."""
        if self._pulse.due:
            self._pulse.beat()
            self._unsaid[SIGN_OF_LIFE] = self._alive(stopping=False)
        said, self._unsaid = self._unsaid, {}
        return list(said.values())

    def keep(self, unsent: Sequence[Event]) -> None:
        """Keep what nothing newer was noted of meanwhile."""
        self._unsaid = {_about(event): event for event in unsent} | self._unsaid

    def good_bye(self) -> Sequence[Event]:
        """Say that it stops."""
        return [self._alive(stopping=True)]

    def _alive(self, *, stopping: bool) -> ReplicaAlive:
        return ReplicaAlive(
            replica=self.replica,
            outlets=self.outlets,
            at=self.knowledge.clock.now(),
            stopping=stopping,
        )


def _about(event: Event) -> str:
    return event.prefix if isinstance(event, PreferenceApplied) else SIGN_OF_LIFE
