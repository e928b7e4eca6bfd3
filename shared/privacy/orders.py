"""An order as a service keeps it: what it was told, what it is about to erase, what it answered.

One document for each order. What is about to be erased is written down before the first write, so
that whoever goes on after a crash says of all of it that it is gone, and not only of the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.events.base import Event, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.orders import EvidenceState, KeptUnits, OrderEnded, OrderState
from shared.events.personal import Pseudonym
from shared.privacy.erasing import Looking

COULD_NOT_LOOK: Final = "could-not-look"


class Planned(State):
    """What an order is about to erase: ids of documents by collection, and whether each stays."""

    matched: Mapping[str, Mapping[str, bool]] = {}
    people: tuple[Pseudonym, ...] = ()
    keys: tuple[KeptUnits, ...] = ()
    records: tuple[tuple[str, str], ...] = ()  # topic and key of each personal record
    classes: tuple[str, ...] = ()  # those of which something stays


class KeptOrder(State):
    """An order's document, until it was answered; then what was answered."""

    id: str
    order: OrderState
    planned: Planned | None = None
    answer: EvidenceState | None = None
    version: Version

    @property
    def open(self) -> bool:
        """Whether it is still to be answered."""
        return self.order.ended_at is None and not self.carried_out

    @property
    def carried_out(self) -> bool:
        """Whether this store did what it says."""
        return self.answer is not None and self.answer.outcome != COULD_NOT_LOOK


Decided = Accepted[KeptOrder] | Unchanged[KeptOrder] | Refused[str]
UNKNOWN: Final[Refused[str]] = Refused("order-unknown")


def take(known: KeptOrder | None, told: OrderState) -> Decided:
    """Keep an order, its newest version; of one that was answered or ended nothing is done."""
    order = OrderState.model_validate(
        {name: getattr(told, name) for name in OrderState.model_fields}
    )
    if order.ended_at is not None or isinstance(told, OrderEnded):
        order = order.model_copy(update={"ended_at": order.ended_at or order.given_at})
    if known is None:
        return Accepted(_kept(KeptOrder(id=order.order, order=order, version=1)), ())
    if known.order.version >= order.version or not known.open:
        return Unchanged(known)
    return Accepted(_kept(_next(known, order=order)), ())


def plan(known: KeptOrder | None, looking: Looking) -> Decided:
    """Write down what is about to be erased, beside what was written down before."""
    if known is None:
        return UNKNOWN
    planned = added(known.planned or Planned(), looking)
    if not known.open or planned == known.planned:
        return Unchanged(known)
    return Accepted(_next(known, planned=planned), ())


def answer(known: KeptOrder | None, kind: type[Event], said: Mapping[str, Any]) -> Decided:
    """Answer an order, once; that one could not look is said again where the reason differs."""
    if known is None:
        return UNKNOWN
    before = known.answer
    if not known.open or (
        before is not None and (before.outcome, before.reason) == (said["outcome"], said["reason"])
    ):
        return Unchanged(known)
    order = known.order
    given = EvidenceState(
        order=order.order,
        erasure=order.erasure,
        kind=order.kind,
        version=known.version + 1,
        **said,
    )
    return Accepted(_kept(_next(known, answer=given)), (saying(kind, given),))


def not_looked(service: str, manifest: str, reason: str, *, at: datetime) -> dict[str, Any]:
    """Say that one could not look, and why: nothing that anybody could take for an answer."""
    return {
        "service": service,
        "outcome": COULD_NOT_LOOK,
        "manifest": manifest,
        "reason": reason,
        "looked_at": at,
    }


def added(before: Planned, looking: Looking) -> Planned:
    """Return a plan and what a look found more."""
    exempt = looking.whom.exempt
    matched = {name: dict(ids) for name, ids in before.matched.items()}
    for name, held in looking.found.items():
        known = matched.setdefault(name, {})
        for one in held:
            known.setdefault(one.id, one.stays(exempt))
    stays = {cls for one in looking.every for cls in one.every_class if cls in exempt}
    records = {(one.topic, one.key) for one in looking.records}
    return Planned(
        matched=matched,
        people=tuple(sorted({*before.people, *looking.whom.people})),
        keys=together(before.keys, looking.keys),
        records=tuple(sorted({*before.records, *records})),
        classes=tuple(sorted({*before.classes, *stays})),
    )


def together(*several: Sequence[KeptUnits]) -> tuple[KeptUnits, ...]:
    """Return keys once each, with all units that are named."""
    units: dict[str, set[str]] = {}
    for one in (one for keys in several for one in keys):
        units.setdefault(one.keys_id, set()).update(one.units)
    return tuple(
        KeptUnits(keys_id=name, units=tuple(sorted(units[name]))) for name in sorted(units)
    )


def _next(known: KeptOrder, **changes: object) -> KeptOrder:
    return known.model_copy(update={**changes, "version": known.version + 1})


def _kept(state: KeptOrder) -> KeptOrder:
    """Forget whom it was about once nothing is left to do: blind indexes, ids of documents."""
    if state.open:
        return state
    order = state.order.model_copy(update={"subjects": None})
    return state.model_copy(update={"order": order, "planned": None})
