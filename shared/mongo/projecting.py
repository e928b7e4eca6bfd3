"""From a table of projections to a handler for the consumer loop."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from shared.events import Event, Received
from shared.mongo.client import Database
from shared.mongo.guarded import Naming, Write, apply_writes

Projection = Callable[[Any, Received], Sequence[Write]]
Table = Mapping[type[Event], Projection]


async def as_named() -> Sequence[Naming]:
    """Write each collection under the name its writes have."""
    return (str,)


def projected(table: Table, batch: Sequence[Received]) -> list[Write]:
    """Return the writes of a batch; events without a row are not this model's business."""
    return [
        write
        for received in batch
        if (projection := table.get(type(received.event)))
        for write in projection(received.event, received)
    ]


def projecting(
    database: Database, table: Table, into: Callable[[], Awaitable[Sequence[Naming]]] = as_named
) -> Callable[[Sequence[Received]], Awaitable[None]]:
    """Return a handler that projects each event by its class and writes the whole batch guarded.

    ``into`` is asked anew for each batch: which collections to write, in which order.
    """

    async def handle(batch: Sequence[Received]) -> None:
        await apply_writes(database, projected(table, batch), into=await into())

    return handle
