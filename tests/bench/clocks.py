"""Clocks: the stream of facts against a bare consumer that writes the same documents.

Both read the same topics from their start into an empty collection with the same indexes. Ours maps
each event to dated facts, folds them by the schedule and writes on condition of what was known,
under Faust with its guard; the bare one parses JSON and replaces documents that were made before.
Figures are records a second. Then, over 100,000 clocks (``SCALE=``), the time from the moment that
a clock is due until its erasure is asked for.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import InsertOne, ReplaceOne

from services.retention.commands.dues import Dues
from services.retention.commands.facts import Facts
from services.retention.commands.timing import Timing
from services.retention.model.mapping import hear, record_of
from services.retention.model.records import KeptFact, KeptRecord
from services.retention.settings import Settings
from services.retention.store import prepare
from services.retention.store.bursts import open_bursts
from services.retention.store.claims import Claims
from services.retention.store.hearing import Hearing
from services.retention.store.records import RECORDS, open_records
from services.retention.stream import Stream
from services.retention.wiring import Due, House, Rooms
from shared.events import Event, Meta, Received, to_record
from shared.events.decisions import Accepted
from shared.events.orders import KeptUnits
from shared.kafka.dead import replay_topic
from shared.kafka.produce import Sender
from shared.mongo import Aggregates, Database
from shared.policy.retention import load_retention
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from tests.bench.projector import Stopwatch
from tests.bench.rig import Rig, close, console, in_turn, rig, sized
from tests.processes import ROOT
from tests.retaining import application, archived, moment, pseudonym, registered

CLOCKS: Final = sized(100_000)
TOPICS: Final = ("accounts.people.v1", "accounts.volunteers.v1")
BATCH: Final = 500
AT: Final = "2026-01-01T00:00:00.000Z"
SCHEDULE: Final = load_retention(ROOT / "deploy" / "policies" / "retention.toml")


async def main(*, records: int = 6_000, rounds: int = 5, due: int = 20) -> None:
    """Print the ratio of both rates, and how late what is due is found."""
    async with rig() as here:
        documents = await load(here, records)
        console.print(f"{records:,} records, batches of {BATCH:,}, {rounds} rounds")
        ours, bare = await in_turn(
            rounds,
            lambda number: streamed(here, records, f"ours{number}"),
            lambda number: plain(here, documents, f"bare{number}"),
        )
        await detected(here, CLOCKS, due)
        close("clocks", ours, bare, "records/s")


def events(records: int) -> list[Event]:
    """Make one event of each record: half are accounts, half applications of volunteers."""
    half = records // 2
    accounts = [registered(n, "2020-02-29") for n in range(half)]
    return [*accounts, *(archived(n, "2026-01-31") for n in range(half))]


async def load(here: Rig, records: int) -> dict[str, dict[str, Any]]:
    """Fill the topics; return the documents that come of them, by record."""
    sender = Sender(here.bootstrap, "accounts", here.prefix)
    await sender.start()
    meta = Meta("bench", "/services/accounts", AT)
    every = events(records)
    for start in range(0, len(every), BATCH):
        await sender.send([to_record(one, meta) for one in every[start : start + BATCH]])
    await sender.stop()
    table = open_records(here.database, lambda: SCHEDULE)
    documents = {}
    for one in every:
        name, state = record_of(one), hear(None, one, moment("2026-01-01"), ()).state
        assert name is not None
        assert state is not None
        documents[one.key] = document(table, state)
    return documents


def document(table: Aggregates[KeptRecord], state: KeptRecord) -> dict[str, Any]:
    """Return the document of a record."""
    change = table.change(state.name, Accepted(state, ()), at=AT, correlation=None)
    return {"_id": change.key, **change.shown, **change.pushed}


async def streamed(here: Rig, records: int, group: str) -> float:
    """Run our stream until it has written everything."""
    database = await empty(here, group)
    facts = Facts(open_records(database, lambda: SCHEDULE), frozenset())
    clock, draining = Stopwatch(), asyncio.Event()
    names: set[str | None] = set()

    async def heard(batch: Sequence[Received]) -> None:
        clock.start()
        await facts.hear(batch)
        names.update(record_of(one.event) for one in batch)
        if len(names) >= records:
            clock.stop()
            draining.set()

    await made(here, here.prefix + replay_topic(group))
    stream = Stream(group, TOPICS, "retention", heard, here.bootstrap, here.prefix)
    await stream.run(draining)
    return records / clock.seconds


async def made(here: Rig, topic: str) -> None:
    """Make the topic that a group of this bench reads replays from."""
    admin = AIOKafkaAdminClient(bootstrap_servers=here.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def plain(here: Rig, documents: dict[str, dict[str, Any]], group: str) -> float:
    """Run the loop anybody would write first, over documents that are ready."""
    database = await empty(here, group)
    consumer = AIOKafkaConsumer(
        *(here.prefix + topic for topic in TOPICS),
        bootstrap_servers=here.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    clock, seen, committed = Stopwatch(), set[str](), time.monotonic()
    while len(seen) < len(documents):
        batch = await consumer.getmany(timeout_ms=250, max_records=BATCH)
        operations = []
        for records in batch.values():
            for record in records:
                clock.start()
                event = orjson.loads(record.value)
                key = event.get("person") or event["application"]
                seen.add(key)
                whole = documents[key]
                operations.append(ReplaceOne({"_id": whole["_id"]}, whole, upsert=True))
        if operations:
            await database[RECORDS].bulk_write(operations, ordered=False)
        if time.monotonic() - committed > 1:
            await consumer.commit()
            committed = time.monotonic()
    clock.stop()
    await consumer.stop()
    return len(documents) / clock.seconds


@dataclass(slots=True)
class Asked:
    """Takes what is due."""

    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def due(self, due: Due) -> str:
        """Note it."""
        self.heard.put_nowait(due.clock)
        return due.clock


async def detected(here: Rig, clocks: int, due: int) -> None:
    """Print how long what is due waits among many clocks that are not."""
    database = await empty(here, "due")
    table = open_records(database, lambda: SCHEDULE)
    began = time.perf_counter()
    for start in range(0, clocks, 5_000):
        sleeping = (sleeper(n, moment("2026-01-31")) for n in range(start, start + 5_000))
        rows = [InsertOne(document(table, one) | {"next_due": LATER}) for one in sleeping]
        await database[RECORDS].bulk_write(rows, ordered=False)
    console.print(f"{clocks:,} clocks entered in {time.perf_counter() - began:.0f} s")
    asked = Asked()
    claims, hearing = (
        Claims(table, SYSTEM),
        Hearing(database, ["all"], timedelta(days=1), SYSTEM.now),
    )
    await hearing.note(frozenset({"all"}), SYSTEM.now())
    timing = Timing(SYSTEM, Health(), (), timedelta(minutes=1))
    rooms = Rooms(erasing=asked)  # type: ignore[arg-type]
    bursts = open_bursts(database)
    dues = Dues(house(database), rooms, claims, hearing.all_heard, timing, bursts)
    stop = asyncio.Event()

    async def looking() -> None:
        while not stop.is_set():
            if not await dues.step():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), Settings().clocks_seconds)

    task = asyncio.ensure_future(looking())
    late: list[float] = []
    # The rule counts whole days: what makes a clock due at a moment is that it was let go of then.
    for number in range(due):
        now = SYSTEM.now()
        record = sleeper(clocks + number, now - timedelta(days=900))
        row = document(table, record) | {"next_due": now}
        await database[RECORDS].insert_one(row)
        inserted = time.perf_counter()
        await asked.heard.get()
        late.append(time.perf_counter() - inserted)
        await asyncio.sleep(0.13)  # so that they do not come in step with the looks
    stop.set()
    await task
    late.sort()
    console.print(
        f"due among {clocks:,}: found after p50 {statistics.median(late) * 1000:.0f} ms,"
        f" worst of {due}: {late[-1] * 1000:.0f} ms"
    )


LATER: Final = datetime.fromisoformat("2099-01-01T00:00:00+00:00")


def sleeper(number: int, archived_at: datetime) -> KeptRecord:
    """Make a record with one clock."""
    name = application(number)
    return KeptRecord(
        kind="volunteer-application",
        record=name,
        service="accounts",
        facts=(KeptFact(what="archived", at=archived_at),),
        keys=(KeptUnits(keys_id=f"{pseudonym(number)}.volunteer-application", units=(name,)),),
        version=1,
    )


def house(database: Database) -> House:
    """Make as much of a house as the due loop looks at."""
    unused: Any = None
    return House(
        settings=Settings(),
        database=database,
        key_documents=unused,
        keys=unused,
        ring=unused,
        index=unused,
        personal=unused,
        schedule=SCHEDULE,
        health=Health(),
        clock=SYSTEM,
        wake=unheard,
        roles=frozenset(),
    )


async def empty(here: Rig, name: str) -> Database:
    """Begin with no records and the indexes of the real collection, in a database of its own."""
    database: Database = here.database.client.get_database(
        f"{here.database.name}{name}", write_concern=here.database.write_concern
    )
    await prepare(database, database)
    return database
