"""The ledger: entered before anything is destroyed, and known to the broker by then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from services.retention.erasure.saga import Saga, Stay, waiting
from services.retention.model import ledger
from services.retention.model.erasure_states import KeptErasure
from shared.events.orders import KeptUnits, LedgerState
from shared.mongo import Refused
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient

AGAIN: Final = 1.0  # seconds until a relay that was away is looked for again


async def enter(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> Stay | None:
    """Enter keys, before they go; returns what is waited for until the broker has it."""
    entry = await saga.store.ledger.load(erasure.erasure)
    if entry is None:
        async with saga.entering:
            entry = await _first(saga, erasure, keys)
        crashpoint("saga.entered")
    if any(one not in entry.records for one in keys):
        await _extended(saga, erasure, keys, {})
    if await saga.store.told(saga.store.ledger, erasure.erasure, saga.patience):
        return None
    return waiting("ledger", seconds=AGAIN, now=saga.now())


async def reached(saga: Saga, erasure: KeptErasure, **levels: datetime) -> None:
    """Write down that a level was reached."""
    await _extended(saga, erasure, (), levels)


async def _first(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> LedgerState:
    """Take the next number; whoever took the one before is entered first, if it was not."""
    heads, entries = saga.store.heads, saga.store.ledger
    head = await heads.load("head")
    if head is not None:
        await entries.update(head.last.entry, partial(ledger.enter, entry=head.last))
    entry = ledger.first_entry(erasure, keys, 1, now=saga.now())
    seen = head.version if head is not None else 0

    def follow(known: ledger.KeptHead | None) -> ledger.Followed:
        if (known.version if known is not None else 0) != seen:
            return Refused(None)
        return ledger.follow(known, entry)

    saved = await heads.update("head", follow)
    if isinstance(saved, Refused):
        raise Transient("another erasure was entered in the ledger at the same time")
    await entries.update(erasure.erasure, partial(ledger.enter, entry=saved.state.last))
    return saved.state.last


async def _extended(
    saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits], levels: Mapping[str, datetime]
) -> None:
    known = await saga.store.ledger.load(erasure.erasure)
    if known is None:
        raise LookupError("an erasure that destroys is in the ledger")
    await saga.store.ledger.update(
        erasure.erasure, partial(ledger.extend, entry=known, keys=keys, levels=levels), seen=known
    )
