"""What is found after the evidence: everybody is asked once more, and what followed is shown anew.

The keys are gone by then, so nobody can read what came late; yet it is there. A receipt of
compaction says nothing of what was written behind it, and no level is stated earlier than it is so.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from services.retention.erasure import orders
from services.retention.erasure.saga import Go, Saga
from services.retention.model.erasure_states import KeptErasure, Round
from shared.runtime.log import get_log

ANEW: Final[Mapping[str, Any]] = MappingProxyType(
    {"ends": (), "receipts": (), "irrecoverable_at": None, "scan": None}
)

log = get_log(__name__)


async def may_ask(saga: Saga, erasure: KeptErasure) -> datetime:
    """Return from when on everybody may be asked to erase again: not round and round at once."""
    last = next(one for one in reversed(erasure.rounds) if one.kind == "erase")
    return await orders.given_at(saga, last) + saga.policy.file.ask_again.lasts


def ask_again(erasure: KeptErasure, order: Round, **changes: object) -> Go:
    """Go back to where everybody is asked; the order is given when it is written down there."""
    log.warning("something came late, everybody is asked again", erasure=erasure.erasure)
    return Go("again", {**ANEW, **changes, "rounds": (*erasure.rounds, order)})
