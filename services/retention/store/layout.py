"""The collections of retention: what of each is published, and their indexes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from services.retention.store.holding import HOLDING_INDEXES
from services.retention.store.keys import key_sources, prepare_keys
from services.retention.store.records import RECORD_INDEXES, RECORDS
from services.retention.store.tree import prepare_tree, tree_sources
from shared.kafka.relay import Source
from shared.mongo import Aggregates, Database, IndexModel, Outbox, prepare_all
from shared.privacy.rings import SOURCE
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock

# Collections with an outbox, in their order.
PUBLISHED: Final[tuple[str, ...]] = ("evidence", "orders", "ledger", "requests")
INDEXES: Final[Mapping[str, Sequence[IndexModel]]] = {
    "requests": (
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("people", 1)], name="people"),
        IndexModel([("kinds", 1)], name="kinds"),
        IndexModel([("status", 1)], name="status"),
        IndexModel([("open", 1)], name="open", partialFilterExpression={"open": True}),
        IndexModel([("owing", 1)], name="owing", partialFilterExpression={"owing": True}),
    ),
    "challenges": (
        IndexModel([("subjects", 1)], name="subjects"),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    ),
    "erasures": (
        IndexModel([("settled", 1)], name="unsettled", partialFilterExpression={"settled": False}),
        IndexModel([("opened", 1)], name="opened"),
        IndexModel([("step", 1)], name="step"),
        IndexModel([("untold", 1)], name="untold", partialFilterExpression={"untold": True}),
        IndexModel([("exempt_until", 1)], name="exempt_until"),
    ),
    "answers": (IndexModel([("order", 1)], name="order"),),
    "packages": (
        IndexModel([("settled", 1)], name="unsettled", partialFilterExpression={"settled": False}),
    ),
    "package_chunks": (IndexModel([("package", 1)], name="package"),),
    RECORDS: RECORD_INDEXES,
    **HOLDING_INDEXES,
}


def keeping(
    database: Database,
    name: str,
    kind: type[BaseModel],
    fields: Callable[[Any], Mapping[str, Any]] = lambda _state: {},
    *,
    wake: Ring = unheard,
    clock: Clock = SYSTEM,
) -> Aggregates[Any]:
    """Return the aggregates of a kind, in the collection of this name."""
    return Aggregates(database[name], kind.model_validate_json, SOURCE, fields, clock, wake)


async def prepare(database: Database, keys: Database) -> None:
    """Create the indexes; safe to repeat."""
    await prepare_keys(keys)
    await prepare_tree(database)
    await prepare_all(database, INDEXES, published=PUBLISHED)


def sources(database: Database, keys: Database) -> list[Source]:
    """Return what the relay publishes; the gate topic of keys first."""
    return [
        *key_sources(keys),
        *tree_sources(database),
        *(Source(Outbox(database[name], SOURCE)) for name in PUBLISHED),
    ]
