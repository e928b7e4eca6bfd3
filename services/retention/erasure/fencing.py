"""Fences: nothing may be encrypted or read any more, and nothing is destroyed before that holds.

Keys are fenced in the order of their names, one after the other, and the first that another erasure
holds is waited for: so two erasures of one person never wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from services.retention.commands import Done
from services.retention.erasure.saga import Go, Saga, Stay, Taken, side_by_side, waiting
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import GIVEN_UP
from services.retention.model.fencing import effective_at, fences, stand
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.crashpoints import crashpoint

AT_FIRST: Final = 1.0  # seconds in which everybody who is there says that they obey a fence
YOUNG: Final = timedelta(seconds=2)  # who has not said so then is away, or far behind
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
    """Fence keys and see the fences stand; returns what is waited for, if anything is."""
    before = await of(saga, keys)
    fenced: list[tuple[str, str]] = []
    for record in sorted(keys, key=lambda one: one.keys_id):
        known = await _fenced(saga, erasure, record, before.get(record.keys_id))
        said = stand(record, known, erasure.erasure)
        if said == "held":
            return waiting("holds", *(known.holds if known else ()), now=saga.now())
        if said == "other" and known is not None:
            return waiting("other-erasure", known.cause or "unknown", now=saga.now(), seconds=1.0)
        if said == "fenced" and known is not None:
            fenced += [(record.keys_id, unit) for unit in fences(record, known)]
        crashpoint("saga.key-fenced")
    await side_by_side(saga.house.keys.confirm(*one) for one in fenced)
    return None


async def fence_open(saga: Saga, erasure: KeptErasure, keys: Sequence[KeptUnits]) -> Stay | None:
    """Fence again what lost its fence; returns what is waited for, if anything is."""
    documents = await of(saga, keys)
    lost = [
        one for one in keys if stand(one, documents.get(one.keys_id), erasure.erasure) == "open"
    ]
    return await fence_all(saga, erasure, lost)


async def effect(saga: Saga, keys: Sequence[KeptUnits]) -> Stay | None:
    """Return until when somebody may still have one of these keys in hand, if anybody may.

    Who has says that they dropped them: nearly always at once, so that is waited for at first.
    """
    documents = await of(saga, keys)
    until, now = effective_at(keys, documents, saga.after), saga.now()
    if until is None or now >= until:
        return None
    young = until - now > saga.after - YOUNG
    obeyed = await saga.house.keys.obeyed(documents.values(), AT_FIRST if young else 0.0)
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
    for record in erasure.keys:
        if not record.units:
            await saga.house.keys.take_back(record.keys_id, erasure.erasure)


async def _fenced(
    saga: Saga, erasure: KeptErasure, record: KeptUnits, known: KeptKeys | None
) -> KeptKeys | None:
    """Fence the keys of a record, known so before, and return the document as it is then."""
    keys = saga.house.keys
    if stand(record, known, erasure.erasure) == "other" and known is not None:
        await _left_behind(saga, known)
    done: Done | None = None
    if record.units:
        for unit in record.units:
            done = await keys.fence_unit(record.keys_id, unit)
    else:
        done = await keys.fence(record.keys_id, erasure.erasure)
    return await keys.shown(record.keys_id) if isinstance(done, Refused) else done


async def _left_behind(saga: Saga, known: KeptKeys) -> None:
    """Take back a fence whose erasure was given up: who set it came late, and was killed then."""
    other = await saga.store.erasures.load(known.cause) if known.cause else None
    if other is not None and other.step in GIVEN_UP:
        await saga.house.keys.take_back(known.keys_id, other.erasure)
