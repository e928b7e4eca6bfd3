"""The key ring of a service: its key documents, its epochs, and what it knows of fences."""

from typing import Final

from shared.kafka.knowledge import Knowledge
from shared.mongo import Aggregates, Database
from shared.policy.personal import PersonalPolicy
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.settings import ServiceSettings

DATABASE: Final = "keys"  # behind the prefix of all databases
COLLECTION: Final = "keys"
FENCES: Final = "retention.keys.v1"
SOURCE: Final = "/services/retention"


def key_ring(
    settings: ServiceSettings, keys: Database, personal: PersonalPolicy
) -> tuple[KeyRing, Knowledge]:
    """Make a key ring over the database of keys; the knowledge is to be run as a role.

    Its freshness says nothing of whether this process can serve: where nothing is told of fences
    the ring asks the key document each time.
    """
    period = personal.file.keys
    fences = Knowledge(
        [FENCES], settings.kafka_bootstrap, period.stale_after, settings.topic_prefix
    )
    ring = KeyRing(
        Aggregates(keys[COLLECTION], KeptKeys.model_validate_json, SOURCE),
        FileEpochs(settings.shared_keys),
        period.usable,
        fences.fresh,
    )
    fences.listeners.append(ring.hear)
    return ring, fences
