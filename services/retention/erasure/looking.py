"""The first steps: every service looks, and what they say makes the plan."""

from services.retention.erasure import orders
from services.retention.erasure.saga import Go, Saga, Stay, Taken, waiting
from services.retention.model.answers import blockers
from services.retention.model.erasure_plans import plan_of, planned_keys, round_of
from services.retention.model.erasure_states import KeptErasure, Listed
from shared.runtime.crashpoints import crashpoint


async def look(saga: Saga, erasure: KeptErasure) -> Taken:
    """Have everybody look, and plan when everybody has."""
    if not erasure.rounds:
        return await _ask(saga, erasure)
    answers, missing = await orders.asked(saga, erasure, erasure.rounds[-1])
    if missing:
        return waiting("evidence", *missing, now=saga.now())
    named = [one.keys_id for one in erasure.asked_records]
    documents = await saga.house.keys.documents.load_many(named) if named else {}
    keys = planned_keys(erasure, answers, documents)
    rows = {one.policy: one.version for one in saga.policies()}
    plan, sha = plan_of(erasure, answers, keys, rows)
    changes = {"plan": plan, "plan_sha": sha, "keys": keys, "blockers": blockers(answers.values())}
    return Go("plan", changes)


async def rest(saga: Saga, erasure: KeptErasure) -> Taken:
    """Wait for an approval; a due clock needs none, and does not rest."""
    now = saga.now()
    if erasure.cause == "request":
        return waiting("approval", now=now)
    late = now + saga.policy.file.overdue_after.lasts
    return Go("approve", {"approver": "due-clock", "rests_until": now, "overdue_at": late})


async def collect(saga: Saga, erasure: KeptErasure) -> Taken:
    """After the cooling-off, and once nothing stands in the way, list who else must be told."""
    now = saga.now()
    if erasure.rests_until is not None and now < erasure.rests_until:
        return waiting("cooling-off", until=erasure.rests_until, now=now)
    if erasure.blockers:
        return await _look_again(saga, erasure)
    await orders.end(saga, erasure)
    processors = erasure.plan.processors if erasure.plan is not None else ()
    listed = tuple(Listed(processor=name, listed_at=now) for name in processors)
    return Go("collect", {"listed": listed})


async def _look_again(saga: Saga, erasure: KeptErasure) -> Taken:
    """Ask whether what had to be done first has been done."""
    last = erasure.rounds[-1]
    answers, missing = await orders.asked(saga, erasure, last)
    now = saga.now()
    if missing:
        return waiting("evidence", *missing, now=now)
    left = blockers(answers.values())
    if not left:
        return Stay(seconds=0, changes={"blockers": ()})
    again = await orders.given_at(saga, last) + saga.policy.file.look_again.lasts
    if now >= again:
        return await _ask(saga, erasure)
    return waiting("blockers", *(one.what for one in left), until=again, now=now)


async def _ask(saga: Saga, erasure: KeptErasure) -> Taken:
    order = round_of(erasure, "look", erasure.services)
    await orders.give(saga, erasure, order, erasure.asked_records)
    crashpoint("saga.look-ordered")
    return Go("look", {"rounds": (*erasure.rounds, order)})
