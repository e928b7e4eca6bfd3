"""Destruction: the ledger first, then the keys. There is no way back from here."""

from collections.abc import Collection, Sequence

from services.retention.erasure import ledger
from services.retention.erasure.fencing import effect, fence_open, holds, of
from services.retention.erasure.saga import Go, Saga, Stay, Taken, side_by_side, waiting
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.fencing import stand
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.privacy.lifecycle import WHOLE
from shared.runtime.crashpoints import crashpoint


async def _destroy(saga: Saga, record: KeptUnits, obeyed: Collection[str]) -> None:
    for unit in record.units or (WHOLE,):
        if isinstance(await saga.house.keys.destroy(record.keys_id, unit, obeyed), Refused):
            break
    crashpoint("saga.key-destroyed")


async def destroy(saga: Saga, erasure: KeptErasure) -> Taken:
    """Enter the erasure in the ledger, and destroy its keys."""
    stopped = await destroy_all(saga, erasure, erasure.keys)
    if stopped is not None:
        return stopped
    now = saga.now()
    await ledger.reached(saga, erasure, unreadable_at=now)
    return Go("destroy", {"unreadable_at": now})


async def destroy_all(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> Stay | None:
    """Destroy fenced keys; returns what is waited for, if anything is.

    Keys that came back from a copy of their store lost their fence, and are fenced again first.
    """
    stopped = await ledger.enter(saga, erasure, keys) or await fence_open(saga, erasure, keys)
    if stopped is not None:
        return stopped
    obeyed = await saga.house.keys.obeyed((await of(saga, keys)).values())
    await side_by_side(_destroy(saga, one, obeyed) for one in keys)
    documents = await of(saga, keys)
    left = [
        one for one in keys if stand(one, documents.get(one.keys_id), erasure.erasure) != "gone"
    ]
    if not left:
        return None
    held = await holds(saga, left)
    if held:
        return waiting("holds", *held, now=saga.now())
    return await effect(saga, left) or waiting("effect", seconds=1.0, now=saga.now())
