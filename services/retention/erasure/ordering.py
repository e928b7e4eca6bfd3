"""The order to erase, and the evidence of every service that is asked."""

from services.retention.erasure import orders
from services.retention.erasure.destroying import destroy_all
from services.retention.erasure.fencing import effect, fence_all
from services.retention.erasure.saga import Go, Saga, Taken, waiting
from services.retention.model.answers import proven
from services.retention.model.erasure_plans import fresh_keys, round_of
from services.retention.model.erasure_states import KeptErasure, Step
from services.retention.model.erasures import GIVEN_UP
from shared.runtime.crashpoints import crashpoint

# An erasure that found keys fenced by another goes on when that one has its evidence.
BEFORE_EVIDENCE: frozenset[Step] = frozenset(
    {
        "looking",
        "planned",
        "approved",
        "collected",
        "fenced",
        "destroying",
        "destroyed",
        "ordered",
    }
)


async def order(saga: Saga, erasure: KeptErasure) -> Taken:
    """Have every service erase; what another erasure of the same person does is waited for."""
    others = await saga.store.erasures.load_many(list(erasure.others))
    left = [one.erasure for one in others.values() if one.step in BEFORE_EVIDENCE - GIVEN_UP]
    if left:
        return waiting("other-erasure", *left, seconds=1.0, now=saga.now())
    new = round_of(erasure, "erase", erasure.services)
    await orders.give(saga, erasure, new, erasure.keys)
    crashpoint("saga.erase-ordered")
    return Go("order", {"rounds": (*erasure.rounds, new)})


async def evidence(saga: Saga, erasure: KeptErasure) -> Taken:
    """Wait for everybody's evidence; ask again for keys that turned up and services since added."""
    last = erasure.rounds[-1]
    answers, missing = await orders.asked_late(saga, erasure, last)
    if missing:
        return waiting("evidence", *missing, now=saga.now())
    done = proven(erasure.evidence, answers.values())
    fresh = fresh_keys(erasure, answers)
    if fresh:
        stopped = (
            await fence_all(saga, erasure, fresh)
            or await effect(saga, fresh)
            or await destroy_all(saga, erasure, fresh)
        )
        if stopped is not None:
            return stopped
    # In the name of keys alone a new service has nothing to find: that is the last look's to see.
    added = () if last.by_keys else saga.added_services(erasure)
    if not fresh and not added:
        await orders.end(saga, erasure)
        return Go("evidence", {"evidence": done})
    services = (*erasure.services, *added)
    new = round_of(erasure, "erase", services).model_copy(update={"by_keys": last.by_keys})
    keys = tuple(sorted((*erasure.keys, *fresh), key=lambda one: one.keys_id))
    await orders.give(saga, erasure, new, keys)
    changes = {
        "rounds": (*erasure.rounds, new),
        "services": services,
        "keys": keys,
        "evidence": done,
        "unreadable_at": saga.now() if fresh else erasure.unreadable_at,
    }
    return Go("again", changes)
