"""Faults of a whole erasure: stores put back, topics read again, broker and store killed.

Copies are taken when the erasure is planned and nothing is erased, and written back through the
driver once it is: each collection is dropped first, and its service is stopped meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.connection import client
from shared.mongo import Database, connect
from shared.runtime.ids import new_id
from tests.faults.test_whole_erasure import approved, asked, rotated, somebody
from tests.mailbox import Mailbox
from tests.planting import UNAVAILABLE
from tests.platform import Platform, own_platform
from tests.processes import Place, until
from tests.whole import HOLDERS, Whole, create, whole

# What an erasure has behind it when every service gave its evidence.
EVIDENCED: Final = ("evidenced", "compacted", "irrecoverable", "scanned", "certified", "closed")
GONE: Final = (401, 404, 410)

pytestmark = pytest.mark.soak
Copy = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Whole]:
    """Run everything once for all tests of this module; each has people of its own."""
    if platform.broker_files is None:
        pytest.skip("the broker's files cannot be looked at: it is another one")
    folder = tmp_path_factory.mktemp("restored")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, f"b{new_id()[-12:]}.", folder)
    await create(platform.kafka_bootstrap, place.name)
    async with whole(place, box, Path(platform.broker_files)) as found:
        yield found


def opened(here: Whole, store: str) -> Any:
    """Open the database of a service, or that of the keys."""
    name = here.place.environment("test")["DATABASE_PREFIX"] + store
    return connect(here.place.mongodb_url, name)


async def copied(database: Database) -> Copy:
    """Copy a database."""
    names = await database.list_collection_names()
    return {name: await database[name].find({}).to_list(None) for name in names}


async def put_back(here: Whole, store: str, copy: Copy) -> None:
    """Put a database back as it was, every collection of it."""
    async with opened(here, store) as database:
        for name in {*copy, *await database.list_collection_names()}:
            await database[name].drop()
            if copy.get(name):
                await database[name].insert_many(copy[name])


async def named(here: Whole, erasure: str) -> list[dict[str, Any]]:
    """Return which keys the ledger of retention names of an erasure."""
    async with opened(here, "retention") as database:
        found = await database["ledger"].find_one({"_id": erasure})
    return list(orjson.loads(found["state"])["records"]) if found else []


async def readable(here: Whole, records: list[dict[str, Any]]) -> list[str]:
    """Return which of some keys can be used: neither fenced nor destroyed."""
    async with opened(here, "keys") as database:
        ids = [one["keys_id"] for one in records]
        found = await database["keys"].find({"_id": {"$in": ids}}).to_list(None)
    kept = {one["_id"]: orjson.loads(one["state"]) for one in found}
    open_ones = []
    for record in records:
        state = kept.get(record["keys_id"])
        if state is None or state["fence"] != "active":
            continue
        lost = {one["unit"] for one in state["gone"]}
        open_ones += (
            [record["keys_id"]] if not record["units"] or set(record["units"]) - lost else []
        )
    return open_ones


async def undestroyed(here: Whole, records: list[dict[str, Any]]) -> list[str]:
    """Return which of some keys are still there, wrapped."""
    async with opened(here, "keys") as database:
        ids = [one["keys_id"] for one in records]
        found = await database["keys"].find({"_id": {"$in": ids}}).to_list(None)
    units = {one["_id"]: set(orjson.loads(one["state"])["units"]) for one in found}
    return [
        one["keys_id"]
        for one in records
        if units.get(one["keys_id"], set())
        & (set(one["units"]) or units.get(one["keys_id"], set()))
    ]


async def sealed_in(here: Whole, records: list[dict[str, Any]]) -> list[str]:
    """Return where services hold envelopes under some keys, by database and collection."""
    whole_ones = [one["keys_id"] for one in records if not one["units"]]
    units = [f"{one['keys_id']}.{unit}" for one in records for unit in one["units"]]
    marks = [f"pe1.{one}.".encode() for one in (*whole_ones, *units)]
    found = []
    for store in HOLDERS:
        async with opened(here, store) as database:
            for name, documents in (await copied(database)).items():
                text = orjson.dumps(documents, default=str)
                found += [f"{store}.{name}" for mark in marks if mark in text]
    return found


async def erased_person(here: Whole, email: str, *stores: str) -> tuple[Any, str, list[Copy]]:
    """Erase somebody up to the evidence; return the caller, the erasure and copies from before."""
    who = await somebody(here, email)
    erasure = await asked(here, email)
    await here.at(erasure, "planned")
    copies = []
    for store in stores:
        async with opened(here, store) as database:
            copies.append(await copied(database))
    await approved(here, erasure)
    await here.at(erasure, *EVIDENCED)
    return who, erasure, copies


async def nobody_is_back(here: Whole, who: Any, records: list[dict[str, Any]]) -> None:
    """See that nothing of somebody can be read: keys, accounts, envelopes."""
    assert records
    assert await readable(here, records) == []
    await answers(here, who, *GONE)

    async def none_left() -> bool:
        return await undestroyed(here, records) == [] and await sealed_in(here, records) == []

    try:
        await until(none_left, within=45, what="nothing of the person left", pause=0.3)
    except AssertionError:
        left = await undestroyed(here, records), await sealed_in(here, records)
        raise AssertionError(f"left: keys {left[0]}, envelopes in {left[1]}") from None


async def answers(here: Whole, who: Any, *statuses: int) -> None:
    """See what accounts answers somebody, once it does."""

    async def said() -> int | None:
        status, _ = await here.world.ask("accounts", "GET", who["at"], headers=who)
        return status if status != UNAVAILABLE else None

    assert await until(said, within=30, what="an answer of accounts") in statuses


def store_of(name: str) -> str:
    """Return the service that is stopped while a store is put back."""
    return "retention" if name == "keys" else name


@pytest.mark.law("P2")
@pytest.mark.parametrize("store", ["accounts", "consent", "deposits", "keys"])
@pytest.mark.timeout(480)
async def test_whatever_store_is_put_back_whoever_was_erased_stays_so_and_others_stay(
    here: Whole, store: str
) -> None:
    other = await here.world.signed_in(f"stays-{store}@people.example", name="Somebody Else")
    who, erasure, (copy,) = await erased_person(here, f"goes-{store}@people.example", store)
    records = await named(here, erasure)
    await here.end(store_of(store))
    await put_back(here, store, copy)
    if store in ("accounts", "keys"):
        back = (
            await undestroyed(here, records) if store == "keys" else await sealed_in(here, records)
        )
        assert back, "the copy is of before the erasure"
    await here.begin(store_of(store))
    # It is ready: by now nothing of the person is held any more, or can be read.
    if store != "keys":
        assert [one for one in await sealed_in(here, records) if one.startswith(store)] == []
    await nobody_is_back(here, who, records)
    await answers(here, other, 200)
    await here.at(erasure, *EVIDENCED)


@pytest.mark.law("P2")
@pytest.mark.law("P3")
@pytest.mark.timeout(480)
async def test_retention_put_back_takes_the_ledger_from_its_topic_and_the_erasure_goes_again(
    here: Whole,
) -> None:
    other = await here.world.signed_in("stays-own@people.example", name="Somebody Else")
    who, erasure, (copy,) = await erased_person(here, "goes-own@people.example", "retention")
    records = await named(here, erasure)
    before = await ledger(here)
    await here.end("retention")
    await put_back(here, "retention", copy)
    assert await named(here, erasure) == []
    await here.begin("retention")
    assert {name: one["seq"] for name, one in (await ledger(here)).items()} == {
        name: one["seq"] for name, one in before.items()
    }
    await nobody_is_back(here, who, records)
    # What the copy says is not done is not said to be done; approved again, it ends again.
    await here.at(erasure, "planned")
    await here.retention("POST", f"/erasures/{erasure}/approve", {"approver": "officer"})
    await here.at(erasure, *EVIDENCED)
    assert (await ledger(here))[erasure]["seq"] == before[erasure]["seq"]
    next_one = await erased_person(here, "after-own@people.example")
    seqs = [one["seq"] for one in (await ledger(here)).values()]
    assert len(seqs) == len(set(seqs)), (next_one[1], seqs)
    await answers(here, other, 200)
    for name in ("accounts", "consent", "deposits"):
        await here.begin(name)  # none finds its store ahead of the ledger


async def ledger(here: Whole) -> dict[str, dict[str, Any]]:
    """Return the ledger of retention."""
    async with opened(here, "retention") as database:
        found = await database["ledger"].find({}).to_list(None)
    return {one["_id"]: orjson.loads(one["state"]) for one in found}


@pytest.mark.law("P2")
@pytest.mark.timeout(480)
@pytest.mark.parametrize("point", ["saga.destroying", "saga.entered", "saga.key-destroyed"])
async def test_keys_put_back_in_mid_erasure_are_fenced_again_and_it_goes_on(
    here: Whole, point: str
) -> None:
    email = f"{point.rpartition('.')[2]}@people.example"
    who = await somebody(here, email)
    erasure = await asked(here, email)
    await here.at(erasure, "planned")
    async with opened(here, "keys") as database:
        copy = await copied(database)
    dying = await here.begin("retention", COLOPHON_CRASH=point)
    await approved(here, erasure)
    assert await dying.ended() == -9
    await put_back(here, "keys", copy)
    await here.begin("retention")
    await here.at(erasure, *EVIDENCED)
    await nobody_is_back(here, who, await named(here, erasure))


async def certified(here: Whole, erasure: str) -> Any:
    """Bring an erasure to its certificate, and return it."""
    await here.at(erasure, *EVIDENCED[1:], within=120)
    for _ in range(2):
        await rotated(here)
    await here.at(erasure, "certified", "closed", within=180)
    return await here.retention("GET", f"/erasures/{erasure}/certificate")


async def from_zero(here: Whole) -> list[str]:
    """Have every consumer group of this place begin at the beginning; return the groups."""
    bootstrap, prefix = here.place.kafka_bootstrap, here.place.name
    admin = AIOKafkaAdminClient(**client(bootstrap))
    await admin.start()
    moved = []
    try:
        for group, _ in await admin.list_consumer_groups():
            offsets = await admin.list_consumer_group_offsets(group)
            mine = [one for one in offsets if one.topic.startswith(prefix)]
            if not mine:
                continue
            consumer = AIOKafkaConsumer(
                **client(bootstrap), group_id=group, enable_auto_commit=False
            )
            await consumer.start()
            try:
                consumer.assign([TopicPartition(one.topic, one.partition) for one in mine])
                await consumer.commit(await consumer.beginning_offsets(mine))
            finally:
                await consumer.stop()
            moved.append(group)
    finally:
        await admin.close()
    return moved


@pytest.mark.law("P2")
@pytest.mark.law("P3")
@pytest.mark.timeout(600)
async def test_every_topic_read_again_from_zero_brings_nobody_back_and_certifies_nothing_twice(
    here: Whole,
) -> None:
    who, erasure, _ = await erased_person(here, "replayed@people.example")
    certificate = await certified(here, erasure)
    records = await named(here, erasure)
    before = {one["erasure"] for one in (await here.retention("GET", "/erasures"))["erasures"]}
    for name in HOLDERS:
        await here.end(name)
    assert await from_zero(here)
    for name in HOLDERS:
        await here.begin(name, ready=False)
    await asyncio.gather(*(one.ready(within=90) for one in here.world.services.values()))
    # Somebody new goes all the way: whoever reads has read what was before by then.
    await erased_person(here, "after-replay@people.example")
    await nobody_is_back(here, who, records)
    assert await here.retention("GET", f"/erasures/{erasure}/certificate") == certificate
    after = {one["erasure"] for one in (await here.retention("GET", "/erasures"))["erasures"]}
    assert len(after - before) == 1


@pytest.mark.law("P2")
@pytest.mark.law("P3")
@pytest.mark.timeout(900)
async def test_broker_and_store_killed_in_mid_erasure_it_still_ends(
    tmp_path: Path, box: Mailbox
) -> None:
    with own_platform() as own:
        state = getattr(own.broker, "state", None)
        if state is None:
            pytest.skip("the broker's files cannot be looked at: it is in a container")
        place = Place(own.kafka_bootstrap, own.mongodb_url, f"k{new_id()[-12:]}.", tmp_path)
        await create(own.kafka_bootstrap, place.name)
        async with AsyncExitStack() as stack:
            found = await stack.enter_async_context(whole(place, box, Path(state)))
            email = f"killed-{new_id()[-8:]}@people.example"
            who = await somebody(found, email)
            erasure = await asked(found, email)
            await approved(found, erasure)
            for node in (own.broker, own.store):
                await asyncio.to_thread(node.kill)
                await asyncio.to_thread(node.start)
            await asyncio.gather(*(one.ready(within=120) for one in found.world.services.values()))
            await found.at(erasure, *EVIDENCED, within=240)
            for node in (own.store, own.broker):
                await asyncio.to_thread(node.kill)
                await asyncio.to_thread(node.start)
            assert await certified(found, erasure)
            await nobody_is_back(found, who, await named(found, erasure))
