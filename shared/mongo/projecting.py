"""From a table of projections to a handler for the consumer loop."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from shared.events import Event, Received
from shared.mongo.client import Database
from shared.mongo.guarded import Write, apply_writes

Projection = Callable[[Any, Received], Sequence[Write]]


def projecting(
    database: Database, table: Mapping[type[Event], Projection]
) -> Callable[[Sequence[Received]], Awaitable[None]]:
    """Return a handler that projects each event by its class and writes the whole batch guarded.

    Events without a row are not this model's business.
    """

    async def handle(batch: Sequence[Received]) -> None:
        await apply_writes(
            database,
            (
                write
                for received in batch
                if (projection := table.get(type(received.event)))
                for write in projection(received.event, received)
            ),
        )

    return handle
