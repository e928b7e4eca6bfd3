"""Erasures, their orders, what was answered, and the ledger of what is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from services.retention.model.erasure_states import KeptErasure, Step
from services.retention.model.erasures import ENDS, untold
from services.retention.model.ledger import KeptHead, catch_up
from services.retention.store.layout import keeping
from shared.events import REGISTRY, Event, Received
from shared.events.orders import (
    AccountsEvidenceGiven,
    ConsentEvidenceGiven,
    DepositsEvidenceGiven,
    EvidenceState,
    LedgerState,
    OrderState,
    RetentionEvidenceGiven,
)
from shared.mongo import Aggregates, Database, Put, faults
from shared.mongo.projecting import Projection
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.loops import ask_until

ANSWERS: Final = "answers"  # the newest evidence of each service on each order
GROUP: Final = "retention.evidence"
EVIDENCE: Final[tuple[type[Event], ...]] = (
    AccountsEvidenceGiven,
    ConsentEvidenceGiven,
    DepositsEvidenceGiven,
    RetentionEvidenceGiven,
)
TOPICS: Final = tuple(kind.topic for kind in EVIDENCE)


@dataclass(frozen=True, slots=True)
class ErasureStore:
    """What is kept of erasures; ``heads`` says who was entered in the ledger last."""

    database: Database
    erasures: Aggregates[KeptErasure]
    orders: Aggregates[OrderState]
    ledger: Aggregates[LedgerState]
    heads: Aggregates[KeptHead]

    async def unsettled(self) -> list[str]:
        """Return the erasures that are not at an end."""
        with faults():
            found = await self.erasures.collection.find({"settled": False}, {"_id": 1}).to_list(
                None
            )
        return sorted(one["_id"] for one in found)

    async def answers(self, order: str) -> dict[str, EvidenceState]:
        """Return what services answered to an order, the newest of each."""
        with faults():
            found = await self.database[ANSWERS].find({"order": order}).to_list(None)
        return {one["service"]: _answer(one) for one in found}

    async def page(
        self, *, step: Step | None, untold: bool, before: str | None, most: int
    ) -> list[tuple[str, KeptErasure]]:
        """Return erasures with their places in the list, the newest first, from ``before`` on.

        ``untold``: only those with a processor that nobody attests to have been told.
        """
        asked: dict[str, Any] = {} if step is None else {"step": step}
        if untold:
            asked["untold"] = True
        if before is not None:
            asked["opened"] = {"$lt": before}
        with faults():
            found = await (
                self.erasures.collection.find(asked, {"state": 1, "opened": 1})
                .sort("opened", -1)
                .limit(most)
                .to_list(most)
            )
        return [(one["opened"], self.erasures.parse(one["state"])) for one in found]

    async def catch_up(self, published: Mapping[str, LedgerState]) -> int:
        """Take over entries as they were published, where this store has none or older ones.

        It is behind after it was put back from a copy. Nothing is published again; the head is who
        was entered last. Returns how many were taken over. Raises ``Transient``.
        """
        known = await self.ledger.load_many(list(published))
        behind = [
            one
            for name, one in published.items()
            if name not in known or known[name].version < one.version
        ]
        for one in behind:
            said = {"version": one.version, "state": one.model_dump_json(), "outbox": []}
            with faults():
                await self.ledger.collection.update_one(
                    {"_id": one.entry}, {"$set": said, "$unset": {"dirty": ""}}, upsert=True
                )
        last = max(published.values(), key=lambda one: one.seq, default=None)
        if last is not None:
            await self.heads.update("head", partial(catch_up, last=last))
        return len(behind)

    async def told(self, of: Aggregates[Any], key: str, within: float = 0.0) -> bool:
        """Say whether the broker has everything that a document had to publish.

        Where it has not, it is asked again for so many seconds ``within``.
        """

        async def told() -> bool:
            with faults():
                found = await of.collection.find_one({"_id": key}, {"outbox.id": 1})
            return not (found or {}).get("outbox")

        return await ask_until(told, within)


def open_erasures(
    database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM
) -> ErasureStore:
    """Make the store; ``wake`` hurries the relay of this process."""
    return ErasureStore(
        database,
        erasures=keeping(database, "erasures", KeptErasure, _of_erasure, clock=clock),
        orders=keeping(database, "orders", OrderState, wake=wake, clock=clock),
        ledger=keeping(database, "ledger", LedgerState, wake=wake, clock=clock),
        heads=keeping(database, "ledger_heads", KeptHead, clock=clock),
    )


def answered(event: Any, received: Received) -> list[Put]:
    """Keep the newest answer of a service to an order; whose it is, its topic says."""
    service = received.event.topic.partition(".")[0]
    fields = {
        "order": event.order,
        "erasure": event.erasure,
        "service": service,
        "type": received.event.type,
        "said": event.model_dump_json(),
        "at": event.looked_at,
    }
    return [Put(ANSWERS, f"{event.order}|{service}", event.version, fields)]


TABLE: Final[Mapping[type[Event], Projection]] = dict.fromkeys(EVIDENCE, answered)


def opened_at(erasure: KeptErasure) -> str:
    """Return an erasure's place in the list of all."""
    at: datetime = erasure.times["looking"]
    return f"{rfc3339(at)} {erasure.erasure}"


def _answer(document: Mapping[str, Any]) -> EvidenceState:
    found = REGISTRY[document["type"]].model_validate_json(document["said"])
    if not isinstance(found, EvidenceState):
        raise TypeError(f"{document['type']} is no evidence")
    return found


def _of_erasure(state: KeptErasure) -> dict[str, Any]:
    return {
        "settled": state.step in ENDS,
        "step": state.step,
        "opened": opened_at(state),
        "untold": bool(untold(state)),
        "exempt_until": _exempt_until(state),
    }


def _exempt_until(state: KeptErasure) -> list[datetime]:
    """Return when what an erasure kept is looked at again, once it is certified, and not before."""
    certified = state.times.get("certified")
    if certified is None:
        return []
    return sorted({max(one.review_at, certified) for one in state.exempt})
