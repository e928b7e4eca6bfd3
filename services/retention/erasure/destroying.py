"""Destruction: the ledger first, then the keys. There is no way back from here."""

from collections.abc import Sequence

from services.retention.erasure import ledger
from services.retention.erasure.fencing import effect, fence_open, holds, of
from services.retention.erasure.saga import Go, Saga, Stay, Taken, waiting
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.fencing import by_turns, stand
from shared.events.orders import KeptUnits
from shared.privacy.lifecycle import WHOLE
from shared.runtime.crashpoints import crashpoint


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
    for units in by_turns((one.keys_id, unit) for one in keys for unit in one.units or (WHOLE,)):
        await saga.house.keys.destroy_many(units, obeyed)
        crashpoint("saga.key-destroyed")
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
