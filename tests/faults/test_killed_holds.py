"""P4: whoever dies while a hold is placed or released, what it means is held, and then free."""

import contextlib
from typing import Any, Final

import aiohttp
import pytest

from shared.events.orders import KeptUnits
from shared.mongo import connect
from tests.keeping import Kept, a_hold, keeping
from tests.processes import Place, until

POINTS: Final = ("holds.placed", "holds.joined", "holds.restricted", "holds.released")
pytestmark = [pytest.mark.law("P4"), pytest.mark.clause("DOAJ-6a4")]


async def holding(kept: Kept, keys: KeptUnits, record: str) -> str:
    """Place a hold; where the process dies of it, return the one that it left."""
    named: dict[str, Any] = {"records": [{"kind": "account", "record": record}]}
    await kept.record("account", record, ("registered", "2020-01-01"), keys=[keys])
    with contextlib.suppress(aiohttp.ClientError):
        await kept.ok("POST", "/holds", a_hold(matter=record, **named))
    found = await kept.database["holds"].find_one({"matter": record})
    assert found is not None
    return str(found["_id"])


async def test_a_hold_that_was_written_takes_effect_and_one_that_was_released_lets_go(
    place: Place,
) -> None:
    held: dict[str, tuple[str, KeptUnits]] = {}
    for point in POINTS:
        async with keeping(place, "api", COLOPHON_CRASH=point) as kept:
            keys = await kept.some_keys()
            hold = await holding(kept, keys, point.replace(".", "-"))
            if point == "holds.released":
                body = {"by": "operator-2", "why": "settled"}
                with contextlib.suppress(aiohttp.ClientError):
                    await kept.ok("POST", f"/holds/{hold}/release", body)
            assert await kept.running.ended() == -9
            held[point] = (hold, keys)
    async with keeping(place) as kept:

        async def settled() -> bool:
            for point, (hold, keys) in held.items():
                on = (await kept.document(keys)).holds
                if on != (() if point == "holds.released" else (hold,)):
                    return False
            pending = await kept.database["hold_members"].count_documents({"pending": True})
            unsettled = await kept.database["holds"].count_documents({"unsettled": True})
            return not pending and not unsettled

        await until(settled, within=30, what="three holds on their keys, and one gone")


@pytest.mark.soak
async def test_keys_that_are_put_back_are_held_as_they_were_before_retention_is_ready(
    place: Place,
) -> None:
    async with keeping(place) as kept:
        late, early = await kept.some_keys(), await kept.some_keys()
        held = [
            await holding(kept, keys, record) for keys, record in ((early, "early"), (late, "late"))
        ]
        with_both = {one.keys_id: await kept.document(one) for one in (early, late)}
        await kept.ok("POST", f"/holds/{held[0]}/release", {"by": "operator-2", "why": "settled"})

        async def let_go() -> bool:
            return (await kept.document(early)).holds == ()

        await until(let_go, within=30, what="a hold gone")
        put_back = kept.keys.documents.collection
    # As in a copy that was made when the first hold stood, and before the second one was placed.
    without = with_both[late.keys_id].model_copy(update={"fence": "active", "holds": ()})
    async with connect(place.mongodb_url, put_back.database.name) as database:
        for one in (with_both[early.keys_id], without):
            said = {"state": one.model_dump_json(), "version": one.version}
            await database[put_back.name].update_one({"_id": one.keys_id}, {"$set": said})
    async with keeping(place, "api", "erasures") as kept:
        assert (await kept.document(late)).holds == (held[1],)
        assert (await kept.document(early)).holds == ()
