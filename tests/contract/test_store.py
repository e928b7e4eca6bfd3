"""shared.mongo on the real store, through either driver: the same tests, the same answers.

Motor is deprecated and kept selectable (ADR 17); its own deprecation warnings are no news here.
"""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.ports import free_ports
from shared.events import PrefixAssigned, PrefixState, ReferencePreferenceSet
from shared.mongo import (
    Accepted,
    Aggregates,
    Database,
    Erase,
    Lease,
    Outbox,
    Put,
    Refused,
    Saved,
    Unchanged,
    apply_writes,
    connect,
)
from shared.mongo.aggregates import MOST_PENDING
from shared.mongo.shelves import shelf_of
from shared.runtime.clock import ManualClock
from shared.runtime.faults import Busy, Transient
from tests.events import AT
from tests.platform import Platform

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:motor.*")


@pytest.fixture(params=["pymongo", "motor"])
async def database(
    request: pytest.FixtureRequest, platform: Platform, name: str
) -> AsyncIterator[Database]:
    if request.param == "motor":
        pytest.importorskip("motor", reason="the optional driver is not installed")
    async with connect(platform.mongodb_url, name.replace(".", "_"), request.param) as found:
        yield found


def state(version: int = 1, **more: Any) -> PrefixState:
    return PrefixState(
        prefix="10.5555",
        owner=78,
        owner_name="Press",
        assigned_at=AT,
        version=version,
        **more,
    )


def first(held: PrefixState | None) -> Accepted[PrefixState] | Refused[str]:
    if held:
        return Refused("is there")
    made = state()
    return Accepted(made, (PrefixAssigned(**made.model_dump()),))


def following(held: PrefixState | None) -> Accepted[PrefixState]:
    assert held is not None
    made = held.model_copy(update={"version": held.version + 1, "setting": "closed"})
    return Accepted(made, (ReferencePreferenceSet(**made.model_dump()),))


def aggregates(database: Database, **more: Any) -> Aggregates[PrefixState]:
    return Aggregates(database["prefixes"], PrefixState.model_validate_json, "/s", **more)


async def test_an_aggregate_is_one_document_with_its_state_its_version_and_its_events(
    database: Database,
) -> None:
    woken: list[str] = []
    prefixes = aggregates(
        database,
        fields=lambda one: {"owner": one.owner},
        wake=woken.append,
    )
    assert await prefixes.load("10.5555") is None
    saved = await prefixes.update("10.5555", first, correlation="request-1")
    assert isinstance(saved, Saved)
    assert woken == ["prefixes"]
    assert await prefixes.load("10.5555") == state()
    assert await prefixes.where(owner=78) == [state()]
    assert await prefixes.load_many(["10.5555", "10.6666"]) == {"10.5555": state()}
    assert await prefixes.update("10.5555", first) == Refused("is there")
    same: Any = await prefixes.update("10.5555", lambda held: Unchanged(held or state()))
    assert same == Saved(state(), ())
    assert not await prefixes.published("10.5555", saved)
    (pending,) = await Outbox(prefixes.collection, "/s").page(10)
    (record,) = pending.records
    assert (record.topic, record.key) == ("accounts.prefixes.v1", b"10.5555")
    assert dict(record.headers)["ce_id"].decode() == pending.ids[0] == saved.event_ids[0]
    assert dict(record.headers)["ce_correlationid"] == b"request-1"


async def test_one_of_many_writers_at_once_wins_and_the_others_decide_again(
    database: Database,
) -> None:
    prefixes = aggregates(database)
    answers = await asyncio.gather(*(prefixes.update("10.5555", first) for _ in range(5)))
    assert sum(isinstance(one, Saved) for one in answers) == 1
    assert sum(isinstance(one, Refused) for one in answers) == 4

    async def insist() -> None:
        while True:
            try:
                assert isinstance(await prefixes.update("10.5555", following), Saved)
            except Transient:
                continue
            else:
                return

    await asyncio.gather(*(insist() for _ in range(8)))
    held = await prefixes.load("10.5555")
    assert held is not None
    assert held.version == 9
    (pending,) = await Outbox(prefixes.collection, "/s").page(10)
    versions = [dict(one.headers)["ce_aggregateversion"] for one in pending.records]
    assert versions == [str(n).encode() for n in range(1, 10)]


async def test_of_many_decisions_in_one_write_only_those_whose_version_moved_are_lost(
    database: Database,
) -> None:
    prefixes = aggregates(database)
    await prefixes.update("10.5555", first)
    both = {key: Accepted(state(), ()) for key in ("10.5555", "10.6666")}
    saved = await prefixes.save_many(both)
    assert saved["10.5555"] is None
    assert saved["10.6666"] is not None
    assert set(await prefixes.load_many(["10.5555", "10.6666"])) == {"10.5555", "10.6666"}


async def test_an_event_added_meanwhile_stays_in_the_outbox_and_too_many_are_refused(
    database: Database,
) -> None:
    prefixes = aggregates(database)
    outbox = Outbox(prefixes.collection, "/s")
    await outbox.prepare()
    await prefixes.update("10.5555", first)
    page = await outbox.page(10)
    await prefixes.update("10.5555", following)
    await outbox.take_out(page)
    (left,) = await outbox.page(10)
    assert len(left.records) == 1
    assert dict(left.records[0].headers)["ce_aggregateversion"] == b"2"
    await outbox.take_out([left])
    await outbox.take_out([left])  # again, as after a crash
    assert await outbox.page(10) == []
    for _ in range(MOST_PENDING):
        await prefixes.update("10.5555", following)
    with pytest.raises(Busy):
        await prefixes.update("10.5555", following)
    held = await prefixes.load("10.5555")
    assert held is not None
    assert held.version == MOST_PENDING + 2


@pytest.mark.law("L2")
async def test_guarded_writes_go_through_only_where_the_stored_version_is_lower(
    database: Database,
) -> None:
    def put(key: str, version: int) -> Put:
        fields = {"x": version, "at": datetime(2026, 1, version, tzinfo=UTC)}
        return Put("shown", key, version, fields, recount=[f"{key}{version}"])

    async def shown() -> dict[str, Any]:
        return {one["_id"]: one for one in await database["shown"].find({}).to_list(None)}

    await apply_writes(database, [put("a", 2), put("b", 1), put("a", 1)])
    await apply_writes(database, [put("a", 1), put("b", 3), put("c", 1)])
    await asyncio.gather(
        *(apply_writes(database, [put("d", version)]) for version in (3, 1, 5, 2, 4))
    )
    found = await shown()
    assert {key: (one["v"], one["x"]) for key, one in found.items()} == {
        "a": (2, 2),
        "b": (3, 3),
        "c": (1, 1),
        "d": (5, 5),
    }
    assert found["a"]["at"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert set(found["b"]["recount"]) == {"b1", "b3"}
    assert found["b"]["recount_shelf"] == shelf_of("b")
    erase = Erase("shown", "a", 4, "asked for", ("x", "at", "recount", "recount_shelf"))
    await apply_writes(database, [erase])
    await apply_writes(database, [put("a", 3)])
    assert (await shown())["a"] == {"_id": "a", "v": 4, "erased": "asked for"}
    await apply_writes(database, [put("a", 5)])
    assert "erased" not in (await shown())["a"]


async def test_a_lease_has_one_holder_until_it_runs_out_or_is_given_back(
    database: Database,
) -> None:
    clock = ManualClock()
    one, two = (Lease(database["leases"], "relay", who, clock) for who in ("one", "two"))
    other = Lease(database["leases"], "another", "two", clock)
    assert await one.hold()
    assert await one.hold()
    assert not await two.hold()
    assert await other.hold()
    clock.advance(4.9)
    assert not await two.hold()
    clock.advance(0.2)
    assert await two.hold()
    assert not await one.hold()
    await one.release()  # no longer its own to give
    assert not await one.hold()
    await two.release()
    clock.advance(0.001)
    assert await one.hold()
    both = await asyncio.gather(
        *(Lease(database["leases"], "new", f"{n}", clock).hold() for n in range(6))
    )
    assert sum(both) == 1


async def test_a_store_that_is_away_is_a_passing_fault_that_names_no_address() -> None:
    port = free_ports(["none"])["none"]
    async with connect(f"mongodb://someone:secret@127.0.0.1:{port}", "none") as nowhere:
        with pytest.raises(Transient) as caught:
            await aggregates(nowhere).load("10.5555")
    assert "secret" not in str(caught.value)
    assert str(port) not in str(caught.value)
    with warnings.catch_warnings():
        # PyMongo's monitor leaves its socket to the collector when closed while connecting.
        warnings.simplefilter("ignore", ResourceWarning)
        await asyncio.sleep(0)
        gc.collect()
