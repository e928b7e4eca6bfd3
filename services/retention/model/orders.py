"""Orders to look and to erase: given once and ended once, whoever gives them. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.events import Event
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.orders import ErasureOrdered, LookOrdered, OrderEnded, OrderKind, OrderState

KINDS: Final[Mapping[OrderKind, type[Event]]] = {"look": LookOrdered, "erase": ErasureOrdered}
Decided = Accepted[OrderState] | Unchanged[OrderState] | Refused[None]


def give(known: OrderState | None, new: OrderState) -> Decided:
    """Give an order; one that was given stays as it is."""
    if known is not None:
        return Unchanged(known)
    return Accepted(new, (saying(KINDS[new.kind], new),))


def end(known: OrderState | None, at: datetime) -> Decided:
    """End an order: nobody need do anything any more; refused where it was never given."""
    if known is None:
        return Refused(None)
    if known.ended_at is not None:
        return Unchanged(known)
    state = known.model_copy(update={"ended_at": at, "version": known.version + 1})
    return Accepted(state, (saying(OrderEnded, state),))
