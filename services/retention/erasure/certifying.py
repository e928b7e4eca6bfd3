"""The certificate, and the end: the key of what the erasure itself knew of the person goes, too."""

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter

from services.retention.erasure import ledger, orders
from services.retention.erasure.fencing import effect, release
from services.retention.erasure.late import last_look
from services.retention.erasure.saga import AT_ONCE, Go, Saga, Stay, Taken, waiting
from services.retention.model.erasure_plans import (
    certificate_id,
    kept_aside,
    statement_of,
    words_of,
)
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import Verb
from services.retention.wiring import Tree
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.privacy.certificates import Statement, as_json, issue, record
from shared.privacy.certificates.shapes import words
from shared.runtime.crashpoints import crashpoint

ISO: Final[TypeAdapter[timedelta]] = TypeAdapter(timedelta)  # writes durations as ISO 8601


async def certify(saga: Saga, erasure: KeptErasure) -> Taken:
    """Put the statement into the tree and sign it; the same statement however often it is tried.

    Before it is made everybody looks once more: what is certified is so now, and not once was.
    """
    tree = saga.rooms.tree
    if tree is None:
        return waiting("rooms", "tree", now=saga.now())
    policies = saga.policies()
    first = await stated_before(saga, erasure, tree)
    if erasure.statement is None:
        stopped = await last_look(saga, erasure) if first is None else None
        if stopped is not None:
            return stopped
        bound = saga.house.personal.file.epochs.backup_bound
        said = first or statement_of(
            erasure, policies, backup_bound=ISO.dump_python(bound, mode="json")
        )
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
        known=words_of(erasure, statement.policies, rows) | said_before(first),
        created=saga.now(),
    )
    now = saga.now()
    await ledger.reached(saga, erasure, certified_at=now)
    return Go("certify", {"certificate": as_json(certificate).decode()})


async def stated_before(saga: Saga, erasure: KeptErasure, tree: Tree) -> Statement | None:
    """Return what was certified of an erasure before its document was put back from a copy.

    The ledger came back from its topic, and says that it was certified, or that the keys went
    before this document has it. What stands in the tree is said again, and no other beside it.
    """
    entry = await saga.store.ledger.load(erasure.erasure)
    if entry is None or entry.unreadable_at is None:
        return None
    if entry.certified_at is None and entry.unreadable_at >= erasure.times["destroying"]:
        return None
    found = await tree.found(certificate_id(erasure))
    return Statement.model_validate_json(found) if found is not None else None


def said_before(statement: Statement | None) -> frozenset[str]:
    """Return the words of a statement that stands in the tree already."""
    return frozenset(words(statement)) if statement is not None else frozenset()


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
