"""The consumer loop on the real pair: members come and go, the store goes and comes back (L5)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import WATERMARK_KEY, PrefixAssigned, Received
from shared.kafka import topics
from shared.kafka.consume import Consumer, Handler
from shared.kafka.topics import declared
from shared.mongo import Database, Put, connect, projecting
from shared.runtime.health import Health
from tests.events import AT, speaking
from tests.platform import own_platform
from tests.processes import Place, until

GROUP = "distribution.projector"
PREFIXES = "accounts.prefixes.v1"
PARTS = declared()[PREFIXES].partitions


def assigned(number: int, version: int = 1) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=f"10.{number}", owner=78, owner_name="Press", assigned_at=AT, version=version
    )


@dataclass(slots=True)
class Member:
    """One member of the group, which may leave or die."""

    consumer: Consumer
    draining: asyncio.Event
    task: "asyncio.Task[None]"

    def leave(self) -> None:
        self.draining.set()


@dataclass(slots=True)
class Group:
    """Members of one group over one handler."""

    place: Place
    handler: Handler
    tasks: asyncio.TaskGroup
    members: list[Member] = field(default_factory=list)

    def join(self) -> Member:
        consumer = Consumer(
            GROUP,
            [PREFIXES],
            "distribution",
            self.handler,
            self.place.kafka_bootstrap,
            self.place.name,
            most=40,
            health=Health(),
        )
        draining = asyncio.Event()
        task = self.tasks.create_task(consumer.run(draining))
        self.members.append(Member(consumer, draining, task))
        return self.members[-1]


@contextlib.asynccontextmanager
async def grouped(place: Place, handler: Handler) -> AsyncIterator[Group]:
    async with asyncio.TaskGroup() as tasks:
        group = Group(place, handler, tasks)
        try:
            yield group
        finally:
            for member in group.members:
                member.leave()


@contextlib.asynccontextmanager
async def looking(place: Place, *, group: str | None) -> AsyncIterator[Any]:
    """Open a client that looks at offsets or records and takes no part."""
    client = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def where_each_is(place: Place) -> dict[tuple[int, int], str]:
    """Return the key at each partition and offset."""
    places = [TopicPartition(place.name + PREFIXES, part) for part in range(PARTS)]
    found: dict[tuple[int, int], str] = {}
    async with looking(place, group=None) as client:
        client.assign(places)
        await client.seek_to_beginning(*places)
        ends = await client.end_offsets(places)
        while any([await client.position(one) < ends[one] for one in places]):
            for one, records in (await client.getmany(timeout_ms=200)).items():
                found |= {
                    (one.partition, r.offset): r.key.decode()
                    for r in records
                    if r.key != WATERMARK_KEY
                }
    return found


def show(event: PrefixAssigned, _received: Received) -> list[Put]:
    return [Put("shown", event.prefix, event.version, {"owner": event.owner})]


@pytest.mark.law("L5")
async def test_members_join_and_leave_while_records_flow_and_no_offset_passes_an_unapplied_record(
    place: Place, database: Database
) -> None:
    applied: set[str] = set()
    seen: list[tuple[dict[int, int], set[str]]] = []

    write = projecting(database, {PrefixAssigned: show})

    async def handle(batch: Sequence[Received]) -> None:
        await write(batch)
        applied.update(one.event.key for one in batch)

    async with (
        speaking(place, "accounts") as (accounts,),
        looking(place, group=place.name + GROUP) as client,
        grouped(place, handle) as group,
    ):

        async def look() -> None:
            places = [TopicPartition(place.name + PREFIXES, part) for part in range(PARTS)]
            found = {one.partition: await client.committed(one) or 0 for one in places}
            seen.append((found, set(applied)))

        said: list[str] = []

        async def say(count: int) -> None:
            events = [assigned(1000 + len(said) + n) for n in range(count)]
            await accounts.say(*events)
            said.extend(one.prefix for one in events)

        await say(400)  # a backlog: what stands there before the first member comes is not lost
        first = group.join()
        await until(lambda: _true(len(applied) > 40), within=40, what="the first records")
        for step in (group.join, group.join, first.leave, group.join, group.members[0].leave):
            before = len(applied)
            joined = step()
            for _ in range(4):
                await say(60)
                await look()
            await until(partial(_more_than, applied, before), within=60)
            if joined:
                await until(partial(_ready, joined), within=60, what="its share")
        await until(lambda: _true(applied >= set(said)), within=90, what="all applied")

        async def all_committed() -> bool:
            await look()
            return {p for p, offset in seen[-1][0].items() if offset} == parts_used

        places = await where_each_is(place)
        parts_used = {part for part, _ in places}
        await until(all_committed, within=40, what="all committed")
        for offsets, kept in seen:
            passed = {key for (part, at), key in places.items() if at < offsets[part]}
            assert not passed - kept, (offsets, sorted(passed - kept), len(kept))
    assert any(0 < len(kept) < len(said) for _, kept in seen)


@pytest.mark.soak
@pytest.mark.law("L5")
async def test_a_frozen_store_is_waited_for_with_readiness_red_and_no_rebalance(
    tmp_path: Path,
) -> None:
    with own_platform() as own:
        place = Place(own.kafka_bootstrap, own.mongodb_url, "t.", tmp_path)
        await topics.create(place.kafka_bootstrap, prefix=place.name)

        async with (
            connect(own.mongodb_url, "t_shown") as database,
            speaking(place, "accounts") as (accounts,),
            grouped(place, projecting(database, {PrefixAssigned: show})) as group,
        ):
            member = group.join()
            await accounts.say(*(assigned(1000 + n) for n in range(50)))
            await until(lambda: _count(database, 50), within=60, what="the first records")
            await until(lambda: _ready(member), within=20)
            generation = member.consumer._generation
            own.store.stop()
            try:
                await accounts.say(*(assigned(2000 + n) for n in range(100)))
                await until(lambda: _unready(member), within=60, what="readiness red")
                assert all(part.ok for part in member.consumer.health.liveness())
            finally:
                own.store.cont()
            await until(lambda: _count(database, 150), within=60, what="the same batch applied")
            await until(lambda: _ready(member), within=30, what="ready again")
            assert member.consumer._generation == generation


async def _more_than(applied: set[str], before: int) -> bool:
    return len(applied) > before


async def _true(value: bool) -> bool:  # noqa: FBT001
    return value


async def _count(database: Any, wanted: int) -> bool:
    return bool(await database["shown"].count_documents({}) == wanted)


async def _ready(member: Member) -> bool:
    return all(part.ok for part in member.consumer.health.readiness())


async def _unready(member: Member) -> bool:
    return any("the store" in part.why for part in member.consumer.health.readiness())
