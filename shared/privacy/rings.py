"""The key ring of a service: its key documents, its epochs, and what it knows of fences."""

import asyncio
from dataclasses import dataclass
from typing import Final

from shared.kafka.knowledge import Knowledge
from shared.mongo import Aggregates, Database
from shared.policy.personal import PersonalPolicy
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.presence import COLLECTION as RINGS
from shared.privacy.presence import Presence
from shared.runtime.settings import ServiceSettings

DATABASE: Final = "keys"  # behind the prefix of all databases
COLLECTION: Final = "keys"
FENCES: Final = "retention.keys.v1"
SOURCE: Final = "/services/retention"


@dataclass(frozen=True, slots=True)
class Fences:
    """What a process knows of fences, and what tells retention that it obeys them: one role."""

    knowledge: Knowledge
    presence: Presence

    def fresh(self) -> bool:
        """Whether fences are known up to now."""
        return self.knowledge.fresh()

    async def run(self, draining: asyncio.Event) -> None:
        """Hear of fences and say that they are obeyed, until told to drain."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.knowledge.run(draining))
            group.create_task(self.presence.run(draining))


def key_ring(
    settings: ServiceSettings, keys: Database, personal: PersonalPolicy
) -> tuple[KeyRing, Fences]:
    """Make a key ring over the database of keys; the fences are to be run as a role.

    Their freshness says nothing of whether this process can serve: where nothing is told of fences
    the ring asks the key document each time, and destruction waits until the time of keys is up.
    """
    period = personal.file.keys
    knowledge = Knowledge(
        [FENCES], settings.kafka_bootstrap, period.stale_after, settings.topic_prefix
    )
    presence = Presence(keys[RINGS], period.usable)
    ring = KeyRing(
        Aggregates(keys[COLLECTION], KeptKeys.model_validate_json, SOURCE),
        FileEpochs(settings.shared_keys),
        period.usable,
        knowledge.fresh,
        presence=presence,
    )
    knowledge.listeners.append(ring.hear)
    return ring, Fences(knowledge, presence)
