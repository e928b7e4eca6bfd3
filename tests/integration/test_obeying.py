"""Orders at a service: each in hand by itself, on the real store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from shared.events.orders import AccountsEvidenceGiven, KeptUnits, OrderState
from shared.mongo import Database, Refused
from shared.privacy import orders
from shared.privacy.erasing import Held, Key, Whom
from shared.privacy.obeying import INDEXES, Obeying, open_orders
from shared.privacy.orders import KeptOrder
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id, new_pseudonym
from tests.processes import until


@dataclass(slots=True)
class Shelf:
    """A collection of one record a person; of some the broker has not heard yet."""

    people: set[str]
    unheard: set[str]
    name: str = "people"
    erased: list[str] = field(default_factory=list)

    async def held(self, whom: Whom) -> Sequence[Held]:
        return [
            Held(one, keys=(Key(one, "account", "u"),), people=frozenset({one}))
            for one in sorted(self.people & whom.pseudonyms)
        ]

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:  # noqa: ARG002
        self.people -= {one.id for one in held}
        self.erased += [one.id for one in held]

    async def told(self, ids: Sequence[str]) -> bool:
        return self.unheard.isdisjoint(ids)


@pytest.mark.law("P3")
async def test_an_order_that_waits_for_the_broker_holds_up_no_other_and_is_answered_then(
    database: Database,
) -> None:
    slow, quick = new_pseudonym(), new_pseudonym()
    shelf = Shelf({slow, quick}, {slow})
    kept = open_orders(database, "/services/accounts")
    await kept.collection.create_indexes(list(INDEXES))
    unused: Any = None  # nobody's blind indexes are in these orders, so no key is asked for
    obeying = Obeying("accounts", AccountsEvidenceGiven, [shelf], unused, kept)

    async def ordered(person: str) -> str:
        said = OrderState(
            order=new_id(),
            erasure=new_id(),
            kind="erase",
            services=("accounts",),
            subjects=None,
            records=(KeptUnits(keys_id=f"{person}.account"),),
            given_at=SYSTEM.now(),
            version=1,
        )
        done = await kept.update(said.order, partial(orders.take, told=said))
        assert not isinstance(done, Refused)
        return said.order

    async def answered(order: str) -> KeptOrder | None:
        await obeying.step()
        known = await kept.load(order)
        return known if known is not None and known.carried_out else None

    async with obeying.hands.open(0):
        first = await ordered(slow)
        await obeying.step()
        await until(lambda: _is(shelf.erased == [slow]), what="the first to be erased")
        second = await ordered(quick)
        await until(partial(answered, second), within=4, what="the second to be answered")
        assert await answered(first) is None
        assert first in obeying.hands
        shelf.unheard.clear()
        done: KeptOrder = await until(partial(answered, first), what="the first to be answered")
    assert done.answer is not None
    assert done.answer.outcome == "erased"
    assert sorted(shelf.erased) == sorted((slow, quick))


async def _is(value: bool) -> bool:  # noqa: FBT001
    return value
