"""Publishing the register of processors as the policy's rows have it."""

from services.consent.commands.context import Consenting
from services.consent.model import processors
from shared.mongo import Unchanged


async def publish(consenting: Consenting) -> None:
    """Enter every row, and retire what has none any more. Safe to repeat, by any process."""
    rows = consenting.rows.uses.processors
    store = consenting.store.processors
    for row in rows.values():
        await store.update(row.id, lambda known, row=row: processors.register(known, row))  # type: ignore[misc]
    for state in await consenting.store.all_processors():
        if state.processor not in rows:
            await store.update(
                state.processor,
                lambda known, state=state: (  # type: ignore[misc]
                    processors.strike(known) if known else Unchanged(state)
                ),
            )
