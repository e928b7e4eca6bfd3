"""Fences: nothing may be encrypted or read any more, and nothing is destroyed before that holds.

Keys are fenced together, as far as the first, by their names, that another erasure holds: that one
is waited for. Where two erasures of one person fence at the same time, each gives back what is
behind the first that the other has; so they never wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from services.retention.erasure.saga import Go, Saga, Stay, Taken, waiting
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import GIVEN_UP
from services.retention.model.fencing import by_turns, effective_at, stand, unconfirmed
from shared.events.orders import KeptUnits
from shared.privacy.lifecycle import WHOLE, KeptKeys
from shared.runtime.crashpoints import crashpoint

THEN: Final = 0.5  # seconds between two looks


async def fence(saga: Saga, erasure: KeptErasure) -> Taken:
    """Fence every key of the plan, unless a hold stands on any."""
    held = await holds(saga, erasure.keys)
    if held:
        return waiting("holds", *held, now=saga.now())
    stopped = await fence_all(saga, erasure, erasure.keys)
    if stopped is not None:
        return stopped
    documents = await of(saga, erasure.keys)
    others = {one.cause for one in documents.values() if one.cause and one.cause != erasure.erasure}
    known = await saga.store.erasures.load_many(sorted(others))
    return Go("fence", {"others": tuple(sorted(known))})


async def commit(saga: Saga, erasure: KeptErasure) -> Taken:
    """Once every fence is effective there is no way back: from here on it is destroyed.

    A key store that was put back from a copy lost its fences: they are set again.
    """
    held = await holds(saga, erasure.keys)
    if held:
        return waiting("holds", *held, now=saga.now())
    stopped = await fence_open(saga, erasure, erasure.keys)
    if stopped is not None:
        return stopped
    return await effect(saga, erasure.keys) or Go("commit")


async def fence_all(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> Stay | None:
    """Fence keys; returns what is waited for, if anything is."""
    wanted, ahead = await _until_another(saga, erasure, keys)
    for units in by_turns((one.keys_id, unit) for one in wanted for unit in one.units or (WHOLE,)):
        await saga.house.keys.fence_many(units, erasure.erasure)
        crashpoint("saga.key-fenced")
    documents = await of(saga, wanted)
    for place, record in enumerate(wanted):
        known = documents.get(record.keys_id)
        said = stand(record, known, erasure.erasure)
        if said == "held":
            return waiting("holds", *(known.holds if known else ()), now=saga.now())
        if said == "other":
            await _give_back(saga, erasure, wanted[place:])
            ahead = known
            break
    if ahead is None:
        return None
    return waiting("other-erasure", ahead.cause or "unknown", now=saga.now(), seconds=1.0)


async def fence_open(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> Stay | None:
    """Fence again what lost its fence; returns what is waited for, if anything is."""
    documents = await of(saga, keys)
    lost = [
        one for one in keys if stand(one, documents.get(one.keys_id), erasure.erasure) == "open"
    ]
    return await fence_all(saga, erasure, lost)


async def effect(saga: Saga, keys: Sequence[KeptUnits]) -> Stay | None:
    """Return until when somebody may still have one of these keys in hand, if anybody may.

    Who has says that they dropped them: nearly always at once, so that is waited for at first. Only
    where not all do, the fences are seen to stand, and the time of keys is counted from then.
    """
    documents = await of(saga, keys)
    new = unconfirmed(keys, documents)
    obeyed = await saga.house.keys.obeyed(documents.values(), saga.patience if new else 0.0)
    left = unconfirmed(keys, documents, obeyed)
    for units in by_turns(left):
        await saga.house.keys.confirm_many(units)
    if left:
        documents = await of(saga, keys)
    until, now = effective_at(keys, documents, saga.after, obeyed), saga.now()
    if until is None or now >= until:
        return None
    stay = waiting("effect", until=until, now=now)
    if saga.house.keys.rings is None:
        return stay
    return Stay(stay.waits, min(stay.seconds, THEN))


async def holds(saga: Saga, keys: Sequence[KeptUnits]) -> tuple[str, ...]:
    """Return the holds that stand on any of these keys, as the room of holds or the keys know."""
    said = await saga.rooms.holds.on(keys) if saga.rooms.holds is not None and keys else ()
    documents = await of(saga, keys)
    return tuple(sorted({*said, *(hold for one in documents.values() for hold in one.holds)}))


async def of(saga: Saga, keys: Iterable[KeptUnits]) -> dict[str, KeptKeys]:
    """Return the key documents."""
    names = [one.keys_id for one in keys]
    return await saga.house.keys.documents.load_many(names) if names else {}


async def release(saga: Saga, erasure: KeptErasure) -> None:
    """Take back every fence that an erasure set; those of others stay."""
    await _give_back(saga, erasure, erasure.keys)


async def _give_back(saga: Saga, erasure: KeptErasure, keys: Iterable[KeptUnits]) -> None:
    for record in keys:
        if not record.units:
            await saga.house.keys.take_back(record.keys_id, erasure.erasure)


async def _until_another(
    saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]
) -> tuple[list[KeptUnits], KeptKeys | None]:
    """Return what may be fenced now, in its order, and the first behind it that another has."""
    documents = await of(saga, keys)
    wanted: list[KeptUnits] = []
    for record in sorted(keys, key=lambda one: one.keys_id):
        known = documents.get(record.keys_id)
        if (
            known is not None
            and stand(record, known, erasure.erasure) == "other"
            and not await _left_behind(saga, known)
        ):
            return wanted, known
        wanted.append(record)
    return wanted, None


async def _left_behind(saga: Saga, known: KeptKeys) -> bool:
    """Take back a fence whose erasure was given up: who set it came late, and was killed then."""
    other = await saga.store.erasures.load(known.cause) if known.cause else None
    if other is None or other.step not in GIVEN_UP:
        return False
    await saga.house.keys.take_back(known.keys_id, other.erasure)
    return True
