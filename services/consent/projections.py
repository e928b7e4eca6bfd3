"""Reports of those who decide by consents: which of their processes live, and since when they obey.

The service a report is from is that of the topic it came on: a topic has one writer.
"""

from collections.abc import Mapping
from typing import Final

from shared.events import Event, ReaderReport, Received
from shared.events.consent import AccountsObeys
from shared.mongo import Put
from shared.mongo.projecting import Projection

REPORTS: Final[tuple[type[Event], ...]] = (AccountsObeys,)
TOPICS: Final = tuple(kind.topic for kind in REPORTS)
GROUP: Final = "consent.receipts"

READERS: Final = "readers"  # the newest sign of life of each process
APPLIED: Final = "applied"  # the first word of each process on each withdrawal it obeyed


def service_of(received: Received) -> str:
    """Return whose report it is."""
    return received.event.topic.partition(".")[0]


def reported(event: ReaderReport, received: Received) -> list[Put]:
    """Keep a process's newest sign of life, and since when it obeys what it says."""
    service = service_of(received)
    alive = Put(
        READERS,
        f"{service}|{event.replica}",
        int(event.at.timestamp() * 1000),
        {
            "service": service,
            "replica": event.replica,
            "since": event.since,
            "at": event.at,
            "stopping": event.stopping,
        },
    )
    return [
        alive,
        *(
            Put(
                APPLIED,
                f"{one.withdrawal}|{service}|{event.replica}",
                1,
                {
                    "withdrawal": one.withdrawal,
                    "service": service,
                    "replica": event.replica,
                    "decided_at": one.decided_at,
                    "at": one.at,
                },
            )
            for one in event.applied
        ),
    ]


TABLE: Final[Mapping[type[Event], Projection]] = dict.fromkeys(REPORTS, reported)
