"""The certificate, and the end: the key of what the erasure itself knew of the person goes, too."""

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter

from services.retention.erasure import ledger, orders
from services.retention.erasure.fencing import effect, release
from services.retention.erasure.saga import AT_ONCE, Go, Saga, Stay, Taken, waiting
from services.retention.model.erasure_plans import kept_aside, statement_of, words_of
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import Verb
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.privacy.certificates import Statement, as_json, issue, record
from shared.runtime.crashpoints import crashpoint

ISO: Final[TypeAdapter[timedelta]] = TypeAdapter(timedelta)  # writes durations as ISO 8601


async def certify(saga: Saga, erasure: KeptErasure) -> Taken:
    """Put the statement into the tree and sign it; the same statement however often it is tried."""
    tree = saga.rooms.tree
    if tree is None:
        return waiting("rooms", "tree", now=saga.now())
    policies = saga.policies()
    if erasure.statement is None:
        bound = saga.house.personal.file.epochs.backup_bound
        said = statement_of(erasure, policies, backup_bound=ISO.dump_python(bound, mode="json"))
        return Stay(
            seconds=AT_ONCE, changes={"statement": said.model_dump(mode="json", by_alias=True)}
        )
    statement = Statement.model_validate(erasure.statement)
    index = await tree.append(record(statement))
    crashpoint("saga.in-tree")
    rows = {*(one.id for one in saga.house.personal.file.classes), *_rules(saga, erasure)}
    certificate = issue(
        statement,
        await tree.proven(index),
        signer=tree.signer,
        keys=await tree.keys(),
        known=words_of(erasure, statement.policies, rows),
        created=saga.now(),
    )
    now = saga.now()
    await ledger.reached(saga, erasure, certified_at=now)
    return Go("certify", {"certificate": as_json(certificate).decode()})


async def close(saga: Saga, erasure: KeptErasure) -> Taken:
    """Destroy the key of the blind indexes that the orders carried."""
    return await _ending(saga, erasure, "close")


async def turn_away(saga: Saga, erasure: KeptErasure) -> Taken:
    """End what was refused."""
    return await _ending(saga, erasure, "turn-away")


async def give_back(saga: Saga, erasure: KeptErasure) -> Taken:
    """Take all fences back, and end what was taken back."""
    await release(saga, erasure)
    crashpoint("saga.released")
    return await _ending(saga, erasure, "release")


async def _ending(saga: Saga, erasure: KeptErasure, verb: Verb) -> Taken:
    await orders.end(saga, erasure)
    for keys in sorted(kept_aside(erasure)):
        await saga.house.keys.fence(keys, erasure.erasure)
        await saga.house.keys.confirm(keys)
        done = await saga.house.keys.destroy(keys)
        if isinstance(done, Refused) and done.reason.why == "too-early":
            left = await effect(saga, [KeptUnits(keys_id=keys, units=())])
            return left or waiting("effect", seconds=1.0, now=saga.now())
        if isinstance(done, Refused) and done.reason.why == "held":
            return waiting("holds", now=saga.now())
    return Go(verb)


def _rules(saga: Saga, erasure: KeptErasure) -> set[str]:
    return {erasure.rule} if erasure.rule is not None and _known(saga, erasure.rule) else set()


def _known(saga: Saga, rule: str) -> bool:
    return any(row.id == rule for row in saga.house.schedule.file.rules)
