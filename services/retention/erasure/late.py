"""What is found after the evidence: everybody is asked once more, and what followed is shown anew.

The keys are gone by then, so nobody can read what came late; yet it is there. A receipt of
compaction says nothing of what was written behind it, and no level is stated earlier than it is so.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from services.retention.erasure import orders
from services.retention.erasure.saga import Go, Saga, Taken, waiting
from services.retention.model.erasure_plans import late_round
from services.retention.model.erasure_states import KeptErasure, Round
from services.retention.model.last_looks import names_found, seen
from shared.runtime.log import get_log

ANEW: Final[Mapping[str, Any]] = MappingProxyType(
    {"ends": (), "receipts": (), "irrecoverable_at": None, "scan": None}
)

log = get_log(__name__)


async def may_ask(saga: Saga, erasure: KeptErasure) -> datetime:
    """Return from when on everybody may be asked to erase again: not round and round at once."""
    last = next(one for one in reversed(erasure.rounds) if one.kind == "erase")
    return await orders.given_at(saga, last) + saga.policy.file.ask_again.lasts


async def last_look(saga: Saga, erasure: KeptErasure) -> Taken | None:
    """Have everybody look once more before a certificate; None where all is as it was proved.

    Who holds personal data only by now is asked, too, and who is away is waited for.
    """
    order, asked = erasure.rounds[-1], (*erasure.services, *saga.added_services(erasure))
    if order.kind != "look" or not set(asked) <= set(order.services):
        order = late_round(erasure, "look", asked)
        return Go("look", {"rounds": (*erasure.rounds, order)})
    answers, missing = await orders.asked_late(saga, erasure, order)
    if missing:
        return waiting("evidence", *missing, now=saga.now())
    names = {name for found in names_found(erasure, answers).values() for name in found}
    documents = await saga.house.keys.documents.load_many(sorted(names)) if names else {}
    whole = next(one for one in reversed(erasure.rounds) if one.kind == "erase" and not one.by_keys)
    saw = seen(erasure, order, answers, documents, await orders.given_at(saga, whole))
    if not saw.services:
        return None
    now, until = saga.now(), await may_ask(saga, erasure)
    if now < until:
        return waiting("asking-again", *saw.services, until=until, now=now)
    new = late_round(erasure, "erase", order.services)
    new = new.model_copy(update={"by_keys": saw.anew, "more": saw.more})
    return ask_again(erasure, new, services=order.services)


def ask_again(erasure: KeptErasure, order: Round, **changes: object) -> Go:
    """Go back to where everybody is asked; the order is given when it is written down there."""
    log.warning("something came late, everybody is asked again", erasure=erasure.erasure)
    return Go("again", {**ANEW, **changes, "rounds": (*erasure.rounds, order)})
