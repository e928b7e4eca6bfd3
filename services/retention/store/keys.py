"""The key documents: services make keys there, and only retention ends them."""

from typing import Final

from shared.kafka.relay import Source
from shared.mongo import Aggregates, Database, Outbox
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.rings import COLLECTION, FENCES, SOURCE
from shared.runtime.bell import Ring, unheard

GATE: Final = (FENCES,)


def open_keys(database: Database, wake: Ring = unheard) -> Aggregates[KeptKeys]:
    """Make the store of key documents; ``wake`` hurries the relay of this process."""
    return Aggregates(database[COLLECTION], KeptKeys.model_validate_json, SOURCE, wake=wake)


async def prepare_keys(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    await Outbox(database[COLLECTION], SOURCE).prepare()


def key_sources(database: Database) -> list[Source]:
    """Return what the relay publishes of keys."""
    return [Source(Outbox(database[COLLECTION], SOURCE), GATE)]
