"""Obeying retention's orders: look for a person in all that a service holds, erase, look again.

The consumer only writes an order down; what is open is then worked off, again and again, until it
is answered: an order waits for ever, and one that cannot be carried out holds up no other. Several
processes may work at the same one: every step may be repeated, and an answer is given once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from shared.events import Event, Received
from shared.events.orders import OrderState
from shared.events.personal import Sealed
from shared.kafka.consume import Consumer
from shared.kafka.topics import partition_of
from shared.mongo import Aggregates, Database, IndexModel
from shared.privacy import orders
from shared.privacy.erasing import (
    Asks,
    Held,
    Holding,
    Looking,
    NothingInTheWay,
    Whom,
    look,
    looked_at,
    manifest,
    outcome_of,
    tombstoned,
    whom_of,
)
from shared.privacy.keyring import KeyRing
from shared.privacy.orders import KeptOrder, Planned
from shared.privacy.subjects import Subjects
from shared.privacy.telling import Tells, Told
from shared.privacy.vault import reveal, seal
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Busy, Transient
from shared.runtime.hands import Hands
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.loops import ask_until, step_forever
from shared.runtime.service import Role, wait_any
from shared.runtime.settings import ServiceSettings

ORDERS: Final = "retention.orders.v1"
EVIDENCE: Final = "evidence"  # the collection: one document an order, published as evidence
INDEXES: Final = (
    IndexModel([("open", 1)], name="open", partialFilterExpression={"open": True}),
    IndexModel([("erasure", 1)], name="erasure"),
)
AGAIN_SECONDS: Final = 1.0  # until what could not be answered is tried again, at the soonest
LOOK_SECONDS: Final = 2.0  # between two looks where nothing wakes the loop
DRAIN_SECONDS: Final = 5.0  # for what is in hand at the end
TOLD_SECONDS: Final = 5.0  # that one try waits for the relay
AT_ONCE: Final = 8  # orders that are worked on
PAGE: Final = 100  # orders that are looked up together

log = get_log(__name__)


@dataclass(slots=True)
class Obeying:
    """One service's obedience; ``kind`` is the event that it answers by."""

    service: str
    kind: type[Event]
    holdings: Sequence[Holding]
    ring: KeyRing
    orders: Aggregates[KeptOrder]
    asks: Asks = field(default_factory=NothingInTheWay)
    tells: Tells | None = None
    clock: Clock = SYSTEM
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    hands: Hands = field(default_factory=lambda: Hands(AT_ONCE))
    _rests: dict[str, float] = field(default_factory=dict)

    async def hear(self, batch: Sequence[Received]) -> None:
        """Write down what is ordered of this service. Raises ``Transient``."""
        newest: dict[str, OrderState] = {}
        for received in batch:
            told = received.event
            if isinstance(told, OrderState) and self.service in told.services:
                held = newest.get(told.order)
                if held is None or held.version < told.version:
                    newest[told.order] = told
        names = list(newest)
        for start in range(0, len(names), PAGE):
            await self.orders.update_many(
                names[start : start + PAGE],
                lambda name, known: orders.take(known, told=newest[name]),
            )
        if newest:
            self.woken.set()

    async def step(self) -> bool:
        """Take open orders in hand; whatever goes wrong with one is no other's business."""
        now, waiting = self.clock.monotonic(), await self.orders.where(open=True)
        self._rests = {one.id: self._rests[one.id] for one in waiting if one.id in self._rests}
        ready = [
            one
            for one in waiting
            if one.id not in self.hands and self._rests.get(one.id, 0.0) <= now
        ]
        for one in ready[: self.hands.free]:
            self.hands.take(one.id, self._try(one))
        return False

    async def erased(self, whom: Whom, planned_in: Sequence[KeptOrder]) -> Looking:
        """Erase what is kept of somebody, and return what a second look finds.

        It is written down first in the orders that are to answer for it. Raises ``Transient``.
        """
        looking = await look(self.holdings, whom)
        for kept in planned_in:
            await self.orders.update(kept.id, partial(orders.plan, looking=looking), seen=kept)
        for holding in self.holdings:
            meant = [one for one in looking.found[holding.name] if not one.stays(whom.exempt)]
            if meant:
                cause = planned_in[0].order.erasure if planned_in else "ledger"
                await holding.erase(meant, looking.whom, cause=cause)
        crashpoint("erasing.erased")
        return await look(self.holdings, looking.whom)

    async def _try(self, kept: KeptOrder) -> None:
        try:
            said = await self._carried_out(kept)
            if said is not None:
                await self.orders.update(kept.id, partial(orders.answer, kind=self.kind, said=said))
                crashpoint("erasing.evidence")
        except (Transient, Busy) as fault:
            log.warning("order waits", order=kept.id, reason=str(fault))
        except Exception as fault:  # noqa: BLE001  (whatever it is, the order stays open)
            log.error("order failed", order=kept.id, reason=type(fault).__name__)  # noqa: TRY400
        self._rests[kept.id] = self.clock.monotonic() + AGAIN_SECONDS  # if it is open still
        if not self.hands.free:
            self.woken.set()  # this hand will be, and somebody may wait for it

    async def _carried_out(self, kept: KeptOrder) -> Mapping[str, Any] | None:
        """Return the answer to an order, None where it cannot be given yet."""
        order = kept.order
        subjects = frozenset[str]()
        if order.subjects is not None:
            opened = (await reveal(self.ring, Subjects, [order.subjects]))[0]
            if opened.data is None:
                why = f"subjects-{type(opened.unopened).__name__.lower()}"
                return orders.not_looked(self.service, self.manifest, why, at=self.clock.now())
            subjects = opened.data.every
        whom = whom_of(order, subjects)
        if order.kind == "look":
            looking = await look(self.holdings, whom)
            return {
                **await self._said(kept, looking),
                "told": await self._told_of(order, looking) if order.tells else None,
            }
        if kept.planned is not None:
            whom = replace(whom, people=whom.people | set(kept.planned.people))
        again = await self.erased(whom, [kept])
        left = [name for name, held in again.found.items() if _left(held, whom.exempt)]
        if left:
            log.warning("an order leaves something", order=kept.id, collections=left)
            return None
        planned = await self.orders.load(kept.id)
        if planned is None or not await self._told(planned.planned or Planned()):
            return None
        return await self._said(planned, again)

    async def _told_of(self, order: OrderState, looking: Looking) -> Sealed | None:
        """Seal what stands in no topic, under the key that the order's blind indexes are under.

        Raises ``FencedError`` where the package is over, ``Transient``.
        """
        if self.tells is None or order.subjects is None:
            return None
        return await seal(
            self.ring,
            Told.of(await self.tells.told(looking)),
            person=order.subjects.person,
            unit=order.subjects.unit,
            record=f"{order.order}-{self.service}",
        )

    async def _told(self, planned: Planned) -> bool:
        """Wait a little until all that these documents had to publish is at the broker."""
        until = self.clock.monotonic() + TOLD_SECONDS
        for holding in self.holdings:
            ids = list(planned.matched.get(holding.name, ()))
            within = until - self.clock.monotonic()
            if ids and not await ask_until(partial(holding.told, ids), within):
                return False
        return True

    async def _said(self, kept: KeptOrder, last: Looking) -> Mapping[str, Any]:
        """Put together what is answered, by the last look and what was found before it."""
        planned = orders.added(kept.planned or Planned(), last)
        exempt = last.whom.exempt
        looked = tuple(
            looked_at(name, planned.matched[name], held, exempt)
            for name, held in last.found.items()
        )
        erasing = kept.order.kind == "erase"
        return {
            "service": self.service,
            "outcome": outcome_of(kept.order.kind, looked),
            "looked": looked,
            "keys_found": planned.keys,
            "exempted": planned.classes,
            "blockers": await self.asks.blockers(last.whom.pseudonyms | set(planned.people)),
            "processors": await self.asks.processors(last.whom.subjects),
            "tombstones": tombstoned(planned.records, partition_of) if erasing else (),
            "manifest": self.manifest,
            "reason": None,
            "looked_at": self.clock.now(),
        }

    @property
    def manifest(self) -> str:
        """The hash of what this build says that it holds."""
        return manifest(self.service, self.holdings)

    async def standing(self, erasures: Sequence[str]) -> list[KeptOrder]:
        """Return the orders to erase that stand here of these erasures. Raises ``Transient``."""
        found = await self.orders.where(erasure={"$in": list(erasures)})
        return [one for one in found if one.order.kind == "erase"]


def _left(held: Sequence[Held], exempt: frozenset[str]) -> bool:
    return any(not one.stays(exempt) for one in held)


def open_orders(database: Database, source: str, *, wake: Ring = unheard) -> Aggregates[KeptOrder]:
    """Return a service's orders; ``wake`` hurries the relay of this process."""
    return Aggregates(
        database[EVIDENCE],
        KeptOrder.model_validate_json,
        source,
        lambda state: {"open": state.open, "erasure": state.order.erasure},
        wake=wake,
    )


def answering(
    obeying: Obeying, settings: ServiceSettings, health: Health, *, may: asyncio.Event
) -> dict[str, Role]:
    """Compose the roles that take orders in and answer them, once the ledger's gate lets them."""
    consumer = Consumer(
        f"{obeying.service}.orders",
        [ORDERS],
        obeying.service,
        obeying.hear,
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        member=settings.replica or None,
    )

    async def erasing(draining: asyncio.Event) -> None:
        await wait_any(may, draining)
        if may.is_set():
            async with obeying.hands.open(DRAIN_SECONDS):
                await step_forever(
                    "erasing",
                    obeying.step,
                    draining,
                    health=health,
                    every=LOOK_SECONDS,
                    within=300,
                    wake=obeying.woken,
                )

    return {"orders": consumer.run, "erasing": erasing}
