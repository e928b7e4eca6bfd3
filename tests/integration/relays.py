"""A relay in a process of its own, which a test may freeze: ``python -m tests.integration.relays``.

It relays the prefixes of one database, as accounts does; COLOPHON_CRASH freezes it where asked.
"""

import asyncio
import os
import signal
from datetime import timedelta

from shared.events import PrefixAssigned, PrefixState, ReferencePreferenceSet
from shared.kafka.relay import Relay, Source
from shared.mongo import Accepted, Aggregates, Database, Lease, Outbox, Refused, Saved, connect
from shared.mongo.docket import docket_of
from shared.mongo.docketed import DocketedOutbox
from shared.runtime import log
from tests.events import AT

PREFIXES = "accounts.prefixes.v1"
SOURCE = "/services/accounts"
STALE = timedelta(seconds=5)


def box_of(database: Database, *, docketed: bool) -> Outbox | DocketedOutbox:
    box = Outbox(database["prefixes"], SOURCE)
    return DocketedOutbox(box, docket_of(box.collection)) if docketed else box


def relay_of(
    database: Database, bootstrap: str, prefix: str, holder: str, *, docketed: bool = False
) -> Relay:
    return Relay(
        "accounts",
        [Source(box_of(database, docketed=docketed), (PREFIXES,))],
        Lease(database["leases"], "relay", holder),
        bootstrap,
        prefix,
    )


def prefixes_of(database: Database, *, docketed: bool = False) -> Aggregates[PrefixState]:
    collection = database["prefixes"]
    docket = docket_of(collection) if docketed else None
    return Aggregates(collection, PrefixState.model_validate_json, SOURCE, docket=docket)


async def change(prefixes: Aggregates[PrefixState], prefix: str) -> Saved[PrefixState]:
    """Save the next version of a prefix."""

    def decide(held: PrefixState | None) -> Accepted[PrefixState]:
        if held is None:
            made = PrefixAssigned(
                prefix=prefix, owner=78, owner_name="Press", assigned_at=AT, version=1
            )
            return Accepted(PrefixState(**dict(made)), (made,))
        changed = held.model_copy(update={"version": held.version + 1, "setting": "closed"})
        return Accepted(changed, (ReferencePreferenceSet(**dict(changed)),))

    saved: Saved[PrefixState] | Refused[str] = await prefixes.update(prefix, decide)
    assert isinstance(saved, Saved)
    return saved


async def main() -> None:
    log.configure(service="accounts")
    draining = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, draining.set)
    async with connect(os.environ["MONGODB_URL"], os.environ["DATABASE"]) as database:
        relay = relay_of(
            database,
            os.environ["KAFKA_BOOTSTRAP"],
            os.environ["TOPIC_PREFIX"],
            os.environ["HOLDER"],
            docketed=bool(os.environ["DOCKETED"]),
        )
        await relay.run(draining)


if __name__ == "__main__":
    asyncio.run(main())
