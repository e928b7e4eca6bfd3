"""The relay on the real pair: at least once, in order per key, fenced, and by itself back again."""

import asyncio
import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import Received, WorkRegistered, from_record
from shared.events.records import watermark
from shared.kafka import topics
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import SEND_SECONDS, FencedSender
from shared.kafka.relay import Relay, Source
from shared.kafka.topics import declared
from shared.mongo import Database, Lease, Outbox, connect
from shared.mongo.aggregates import outbox_entry
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Superseded, Transient
from shared.runtime.health import Health
from tests import nursery
from tests.events import AT
from tests.integration.relays import PREFIXES, STALE, change, prefixes_of, relay_of
from tests.platform import Platform, own_platform
from tests.processes import until

KEYS = [f"10.{5000 + n}" for n in range(12)]
FOUND = pytest.mark.parametrize("docketed", [False, True], ids=["marks", "docket"])


@contextlib.asynccontextmanager
async def running(*roles: Any) -> AsyncIterator[asyncio.Event]:
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for role in roles:
            group.create_task(role(draining))
        try:
            yield draining
        finally:
            draining.set()


async def log_of(bootstrap: str, prefix: str, topic: str = PREFIXES) -> dict[str, list[int]]:
    """Return the versions of each key as a reader of committed records finds them, in order."""
    client = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, isolation_level="read_committed"
    )
    await client.start()
    versions: dict[str, list[int]] = defaultdict(list)
    try:
        places = [TopicPartition(prefix + topic, n) for n in range(declared()[topic].partitions)]
        client.assign(places)
        await client.seek_to_beginning(*places)
        ends = await client.end_offsets(places)
        while any([await client.position(one) < ends[one] for one in places]):
            for records in (await client.getmany(timeout_ms=200)).values():
                for record in records:
                    match from_record(record.key, record.value, record.headers):
                        case Received(event):
                            versions[event.key].append(event.aggregate_version or 0)
    finally:
        await client.stop()
    return versions


async def published(database: Database) -> bool:
    return (
        await database["prefixes"].find_one({"dirty": True}) is None
        and await database["prefixes.docket"].find_one({}) is None
    )


def in_order(versions: Sequence[int]) -> bool:
    """Whether the first occurrences of the versions are 1, 2, 3 ... and the last is the highest."""
    first = list(dict.fromkeys(versions))
    return first == list(range(1, len(first) + 1)) and versions[-1] == max(versions)


@dataclass(slots=True)
class Forgetful:
    """An outbox whose store fails now and then, just when something published is to be removed."""

    box: Any
    failures: int = 0
    _calls: int = field(default=0)

    @property
    def name(self) -> str:
        name: str = self.box.name
        return name

    async def page(self, most: int) -> list[Any]:
        found: list[Any] = await self.box.page(most)
        return found

    async def take_out(self, done: Sequence[Any]) -> None:
        self._calls += 1
        if self._calls % 3 == 1:
            self.failures += 1
            raise Transient("the store went away in between")
        await self.box.take_out(done)


@pytest.mark.law("L1")
@pytest.mark.law("L2")
@FOUND
async def test_every_event_is_published_at_least_once_and_in_order_per_key_through_faults(
    database: Database,
    platform: Platform,
    prefix: str,
    docketed: bool,  # noqa: FBT001
) -> None:
    prefixes = prefixes_of(database, docketed=docketed)
    relay = relay_of(database, platform.kafka_bootstrap, prefix, "one", docketed=docketed)
    box = Forgetful(relay.sources[0].box)
    relay.sources = [Source(box, (PREFIXES,))]
    await box.box.prepare()

    async def changes(key: str) -> None:
        for _ in range(6):
            await change(prefixes, key)

    async with running(relay.run):
        await asyncio.gather(*(changes(key) for key in KEYS))
        await until(lambda: published(database), within=60, what="empty outboxes")
    log = await log_of(platform.kafka_bootstrap, prefix)
    assert set(log) == set(KEYS)
    for key, versions in log.items():
        assert set(versions) == set(range(1, 7)), key
        assert in_order(versions), (key, versions)
    assert box.failures
    assert sum(map(len, log.values())) > 6 * len(KEYS)  # repeats there were


@contextlib.asynccontextmanager
async def apart(
    platform: Platform, database: Database, prefix: str, folder: Path, crash: str, *, docketed: bool
) -> AsyncIterator[tuple[nursery.Forked, Path]]:
    """Run a relay in a process of its own."""
    log = folder / "relay.log"
    process = nursery.start(
        "tests.integration.relays",
        environment=os.environ
        | {
            "KAFKA_BOOTSTRAP": platform.kafka_bootstrap,
            "MONGODB_URL": platform.mongodb_url,
            "TOPIC_PREFIX": prefix,
            "DATABASE": database.name,
            "HOLDER": "apart",
            "DOCKETED": "yes" if docketed else "",
            "COLOPHON_CRASH": crash,
        },
        log=log,
    )
    try:
        yield process, log
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        async with asyncio.timeout(20):
            await process.wait()


@pytest.mark.law("L2")
@FOUND
async def test_a_relay_frozen_past_its_lease_and_thawed_is_refused_and_waits_as_standby(
    database: Database,
    platform: Platform,
    prefix: str,
    tmp_path: Path,
    docketed: bool,  # noqa: FBT001
) -> None:
    prefixes = prefixes_of(database, docketed=docketed)
    await Outbox(database["prefixes"], "").prepare()
    for key in KEYS:
        await change(prefixes, key)
    frozen_at = "relay.before-commit:1:stop"  # version 1 sent, its transaction open
    found_by = {"docketed": docketed}
    async with apart(platform, database, prefix, tmp_path, frozen_at, **found_by) as (process, log):
        await until(lambda: _stopped(process.pid), within=40, what="the relay frozen")
        for key in KEYS:
            await change(prefixes, key)
        successor = relay_of(database, platform.kafka_bootstrap, prefix, "successor", **found_by)
        async with running(successor.run):
            await until(lambda: published(database), within=60, what="the successor published")
            process.send_signal(signal.SIGCONT)
            await until(lambda: _said(log, "relay interrupted"), within=40, what="refused")
            for key in KEYS:
                await change(prefixes, key)
            await until(lambda: published(database), within=60)
        # The successor left: what was refused waits no longer and goes on where it stood.
        for key in KEYS:
            await change(prefixes, key)
        await until(lambda: published(database), within=60, what="the standby took over")
    found = await log_of(platform.kafka_bootstrap, prefix)
    assert {key: versions[-1] for key, versions in found.items()} == dict.fromkeys(KEYS, 4)
    assert all(in_order(versions) for versions in found.values()), found


@pytest.mark.law("L1")
@pytest.mark.law("L3")
async def test_relay_and_knowledge_come_back_by_themselves_after_the_broker_was_killed(
    tmp_path: Path,
) -> None:
    with own_platform() as own:
        prefix = "t."
        await topics.create(own.kafka_bootstrap, prefix=prefix)
        async with connect(own.mongodb_url, "t_accounts") as database:
            prefixes = prefixes_of(database)
            relay = relay_of(database, own.kafka_bootstrap, prefix, "one")
            await relay.sources[0].box.prepare()  # type: ignore[attr-defined]
            knowledge = Knowledge([PREFIXES], own.kafka_bootstrap, STALE, prefix, health=Health())
            async with running(relay.run, knowledge.run):
                await change(prefixes, KEYS[0])
                await until(lambda: _knows(knowledge, 1), within=60, what="version 1")
                await asyncio.to_thread(own.broker.kill)
                await change(prefixes, KEYS[0])
                await until(lambda: _is(not knowledge.fresh()), within=30, what="stale")
                held = knowledge.get(PREFIXES, KEYS[0])
                assert held
                assert held.aggregate_version == 1
                await asyncio.to_thread(own.broker.start)
                await until(lambda: _knows(knowledge, 2), within=90, what="version 2")
            assert in_order((await log_of(own.kafka_bootstrap, prefix))[KEYS[0]])


@pytest.mark.soak
@pytest.mark.law("L1")
async def test_a_send_that_never_ends_is_given_up_and_the_next_sender_gets_through() -> None:
    with own_platform() as own:
        await topics.create(own.kafka_bootstrap)
        sender = FencedSender(own.kafka_bootstrap, "accounts", "relay", patience=1.0)
        await sender.start()
        records = [watermark(PREFIXES, 0, "2026-01-01T00:00:00Z", source="/services/accounts")]
        await sender.send(records)
        own.broker.stop()
        began = SYSTEM.monotonic()
        with pytest.raises(Superseded, match="TimeoutError"):
            await sender.send(records)
        assert SYSTEM.monotonic() - began < SEND_SECONDS / 2
        own.broker.cont()
        await sender.stop()
        await sender.start()
        assert await sender.send(records)
        await sender.stop()


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_a_flood_of_works_delays_neither_preferences_nor_watermarks(
    database: Database, platform: Platform, prefix: str
) -> None:
    """Both in one service here, which is harder than what runs: gate topics come first."""
    prefixes = prefixes_of(database)
    await database["works"].insert_many([_work(n) for n in range(1_000)])
    gate = relay_of(database, platform.kafka_bootstrap, prefix, "gate")
    flood = Relay(
        "deposits",
        [
            Source(Outbox(database["ownership"], "/s"), ("deposits.ownership.v1",)),
            Source(Outbox(database["works"], "/s")),
        ],
        Lease(database["leases"], "flood", "one"),
        platform.kafka_bootstrap,
        prefix,
    )
    for source in (*gate.sources, *flood.sources):
        await source.box.prepare()  # type: ignore[attr-defined]
    topics_read = [PREFIXES, "deposits.ownership.v1"]
    knowledge = Knowledge(topics_read, platform.kafka_bootstrap, STALE, prefix, health=Health())
    stale_while_flooded = 0
    async with running(knowledge.run, gate.run, flood.run):
        await change(prefixes, KEYS[0])
        await until(lambda: _knows(knowledge, 1), within=60, what="fresh with version 1")
        assert await _waiting(database)
        for version in range(2, 4):
            await change(prefixes, KEYS[0])
            await until(partial(_knows, knowledge, version), within=20)
            stale_while_flooded += not knowledge.fresh()
        assert await _waiting(database), "the flood was over too soon to show anything"
        assert not stale_while_flooded


@dataclass(slots=True)
class Watched:
    """An outbox, and how often it was looked at."""

    box: Outbox
    looks: int = 0

    @property
    def name(self) -> str:
        return self.box.name

    async def page(self, most: int) -> list[Any]:
        self.looks += 1
        return await self.box.page(most)

    async def take_out(self, published: Sequence[Any]) -> None:
        await self.box.take_out(published)


@pytest.mark.law("L1")
async def test_what_another_process_wrote_is_published_however_long_the_relay_has_rested(
    database: Database, platform: Platform, prefix: str
) -> None:
    gate, works = (Watched(Outbox(database[name], "/s")) for name in ("ownership", "works"))
    relay = Relay(
        "deposits",
        [Source(gate, ("deposits.ownership.v1",)), Source(works)],
        Lease(database["leases"], "relay", "one"),
        platform.kafka_bootstrap,
        prefix,
    )
    for watched in (gate, works):
        await watched.box.prepare()
    async with running(relay.run):
        for number in range(2):
            rested = works.looks + 6  # by then it looks as seldom as it ever does
            await until(partial(_looked, works, rested), within=30, what="the relay resting")
            await database["works"].insert_one(_work(number))
            await until(lambda: _is_not(_waiting(database)), within=30, what="the work published")
    assert gate.looks > works.looks


async def test_who_rings_is_published_at_once_and_others_are_not_looked_at_for_that(
    database: Database, platform: Platform, prefix: str
) -> None:
    works, submissions = (
        Watched(Outbox(database[name], "/s")) for name in ("works", "submissions")
    )
    relay = Relay(
        "deposits",
        [Source(works), Source(submissions)],
        Lease(database["leases"], "relay", "one"),
        platform.kafka_bootstrap,
        prefix,
    )
    for watched in (works, submissions):
        await watched.box.prepare()
    async with running(relay.run):
        await until(partial(_looked, works, 6), within=30, what="the relay resting")
        begun, others = works.looks, submissions.looks
        for number in range(20):
            await database["works"].insert_one(_work(number))
            relay.bell.ring("works")
            await until(lambda: _is_not(_waiting(database)), within=30, what="the work published")
    assert submissions.looks - others < works.looks - begun


async def test_sources_of_gate_topics_come_before_all_others(database: Database) -> None:
    relay = relay_of(database, "nowhere:9", "", "one")
    works = Source(Outbox(database["works"], "/services/accounts"))
    with pytest.raises(ValueError, match="before all others"):
        replace(relay, sources=[works, *relay.sources])


def _work(number: int) -> dict[str, Any]:
    doi = f"10.5555/{number}"
    made = WorkRegistered(
        doi=doi,
        prefix="10.5555",
        timestamp="1",
        created=AT,
        deposited=AT,
        submission="1#0",
        work={"type": "other", "title": ["x" * 2000]},
        version=1,
    )
    entry = outbox_entry(made, at="2026-01-01T00:00:00Z", correlation=None)
    return {"_id": doi, "version": 1, "dirty": True, "outbox": [entry]}


async def _waiting(database: Database) -> bool:
    return await database["works"].find_one({"dirty": True}) is not None


async def _knows(knowledge: Knowledge, version: int) -> bool:
    held = knowledge.get(PREFIXES, KEYS[0])
    return held is not None and held.aggregate_version == version and knowledge.fresh()


async def _is(value: bool) -> bool:  # noqa: FBT001
    return value


async def _looked(watched: Watched, times: int) -> bool:
    return watched.looks > times


async def _is_not(asked: Awaitable[bool]) -> bool:
    return not await asked


async def _said(log: Path, words: str) -> bool:
    return words in log.read_text()  # noqa: ASYNC240  (a test's own small file)


async def _stopped(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat").read_text()  # noqa: ASYNC240
    return status.rpartition(")")[2].split()[0] == "T"
