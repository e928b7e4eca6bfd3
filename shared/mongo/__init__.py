"""The document store: one driver file, aggregates with an outbox, guarded projections, leases."""

from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mongo.aggregates import Aggregates, Saved
from shared.mongo.client import Collection, Database, IndexModel, connect, faults, store_time
from shared.mongo.guarded import Erase, Put, Write, apply_writes
from shared.mongo.leases import Lease
from shared.mongo.outbox import Outbox, Pending, prepare_all
from shared.mongo.projecting import projecting

__all__ = [
    "Accepted",
    "Aggregates",
    "Collection",
    "Database",
    "Erase",
    "IndexModel",
    "Lease",
    "Outbox",
    "Pending",
    "Put",
    "Refused",
    "Saved",
    "Unchanged",
    "Write",
    "apply_writes",
    "connect",
    "faults",
    "prepare_all",
    "projecting",
    "store_time",
]
