"""Orders: given once, answered by every service, ended when all answers are there."""

from datetime import datetime
from functools import partial

from services.retention.erasure.saga import Saga
from services.retention.model import orders
from services.retention.model.answers import Answers, missing
from services.retention.model.erasure_states import KeptErasure, Round
from shared.events.orders import KeptUnits, OrderState


async def give(
    saga: Saga, erasure: KeptErasure, order: Round, records: tuple[KeptUnits, ...]
) -> None:
    """Give an order, once, in the name of the person or of keys alone. Raises ``Transient``."""
    new = OrderState(
        order=order.order,
        erasure=erasure.erasure,
        kind=order.kind,
        services=order.services,
        subjects=None if order.by_keys else erasure.subjects,
        records=records,
        exempt=tuple(one.cls for one in erasure.exempt),
        given_at=saga.now(),
        version=1,
    )
    await saga.store.orders.update(
        order.order, partial(orders.give, new=new), correlation=erasure.erasure
    )


async def asked(saga: Saga, erasure: KeptErasure, order: Round) -> tuple[Answers, tuple[str, ...]]:
    """Return what was answered to an order of an erasure, and whose answer is missing."""
    answers = await saga.store.answers(order.order)
    return answers, missing(order, erasure.exempt, answers)


async def asked_late(
    saga: Saga, erasure: KeptErasure, order: Round
) -> tuple[Answers, tuple[str, ...]]:
    """Do as ``asked``, once an order that was written down before is given.

    It may be answered and not be given: where the store was put back, answers come from topics.
    """
    if order.late:
        await give(saga, erasure, order, (*erasure.keys, *order.more))
    return await asked(saga, erasure, order)


async def given_at(saga: Saga, order: Round) -> datetime:
    """Return when an order was given. Raises ``LookupError`` where it never was."""
    given = await saga.store.orders.load(order.order)
    if given is None:
        raise LookupError("an order that an erasure names was never given")
    return given.given_at


async def end(saga: Saga, erasure: KeptErasure) -> None:
    """End every order of an erasure that was given: nobody need do anything any more."""
    for one in erasure.rounds:
        await saga.store.orders.update(one.order, partial(orders.end, at=saga.now()))
