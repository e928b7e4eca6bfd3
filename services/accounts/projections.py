"""Receipts as readers report them: which replica lives, and what it began to obey when."""

from datetime import datetime
from typing import Final

from shared.events import Event, PreferenceApplied, Received, ReplicaAlive
from shared.mongo import Put
from shared.mongo.projecting import Projection

TOPICS: Final = ("distribution.applied.v1",)
GROUP: Final = "accounts.receipts"

REPLICAS: Final = "replicas"  # the newest sign of life of each replica
STARTS: Final = "replica_starts"  # its first one
APPLIED: Final = "applied"  # the first word of each replica on each version it obeyed


def alive(event: ReplicaAlive, _received: Received) -> list[Put]:
    """Keep a replica's first and newest sign of life."""
    signs = {"outlets": list(event.outlets), "at": event.at, "stopping": event.stopping}
    return [
        Put(REPLICAS, event.replica, _milliseconds(event.at), signs),
        Put(STARTS, event.replica, 1, {"at": event.at}),
    ]


def applied(event: PreferenceApplied, _received: Received) -> list[Put]:
    """Keep when a replica first obeyed a version; repeats say it again later and do not count."""
    return [
        Put(
            APPLIED,
            f"{event.prefix}|{event.prefix_version}|{event.replica}",
            1,
            {
                "prefix": event.prefix,
                "prefix_version": event.prefix_version,
                "replica": event.replica,
                "outlets": list(event.outlets),
                "at": event.at,
            },
        )
    ]


TABLE: Final[dict[type[Event], Projection]] = {ReplicaAlive: alive, PreferenceApplied: applied}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
