"""Projector: our consumer with guarded writes, against a plain loop with unguarded ones.

Both read the same topic from its start into an empty collection with the same indexes, fetch 1,000
records at a time (every tenth deposits an earlier work again), write the same fields and commit
once a second. Figures are records a second.
"""

import asyncio
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from pymongo import ReplaceOne

from services.distribution.projections import TABLE, WORKS, cited
from services.distribution.store import prepare
from shared.events import Meta, to_record
from shared.kafka.consume import Consumer
from shared.kafka.produce import Sender
from shared.mongo import Database, projecting
from tests.bench.rig import Rig, close, console, in_turn, rig, work

TOPIC = "deposits.works.v1"
BATCH = 1_000


async def main(*, works: int = 4_000, rounds: int = 5) -> None:
    """Print the ratio of both rates."""
    async with rig() as here:
        await load(here, works)
        console.print(
            f"{works:,} works, batches of {BATCH:,}, commit once a second, {rounds} rounds"
        )
        ours, bare = await in_turn(
            rounds,
            lambda number: guarded(here, works, f"ours{number}"),
            lambda number: plain(here, works, f"bare{number}"),
        )
        close("projector", ours, bare, "records/s")


async def load(here: Rig, works: int) -> None:
    """Fill the topic."""
    sender = Sender(here.bootstrap, "deposits", here.prefix)
    await sender.start()
    meta = Meta("bench", "/services/deposits", "2026-01-01T00:00:00Z")
    for start in range(0, works, BATCH):
        await sender.send([to_record(said(n), meta) for n in range(start, start + BATCH)])
    await sender.stop()


def said(number: int) -> Any:
    """Return the record of a place in the topic: every tenth says an earlier work again."""
    return work(number) if number % 10 else work(max(number - 5, 1), version=2)


async def guarded(here: Rig, works: int, group: str) -> float:
    """Run our consumer until it has projected everything."""
    database = await empty(here, group)
    project = projecting(database, TABLE)
    clock, seen = Stopwatch(), 0
    draining = asyncio.Event()

    async def handler(batch: Any) -> None:
        nonlocal seen
        clock.start()
        await project(batch)
        seen += len(batch)
        if seen >= works:
            clock.stop()
            draining.set()

    consumer = Consumer(
        "distribution.projector",
        [TOPIC],
        "distribution",
        handler,
        here.bootstrap,
        here.prefix,
        most=BATCH,
    )
    consumer.group = group
    await consumer.run(draining)
    return works / clock.seconds


async def plain(here: Rig, works: int, group: str) -> float:
    """Run the loop anybody would write first."""
    database = await empty(here, group)
    consumer = AIOKafkaConsumer(
        here.prefix + TOPIC,
        bootstrap_servers=here.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    clock, seen, committed = Stopwatch(), 0, time.monotonic()
    while seen < works:
        batch = await consumer.getmany(timeout_ms=250, max_records=BATCH)
        operations = []
        for records in batch.values():
            for record in records:
                clock.start()
                event = orjson.loads(record.value)
                operations.append(
                    ReplaceOne(
                        {"_id": event["doi"]},
                        {
                            "v": event["version"],
                            "prefix": event["prefix"],
                            "created": event["created"],
                            "deposited": event["deposited"],
                            "work": event["work"],
                            "cites": cited(event["work"]),
                        },
                        upsert=True,
                    )
                )
        if operations:
            await database[WORKS].bulk_write(operations, ordered=False)
            seen += len(operations)
        if time.monotonic() - committed > 1:
            await consumer.commit()
            committed = time.monotonic()
    clock.stop()
    await consumer.stop()
    return works / clock.seconds


async def empty(here: Rig, name: str) -> Database:
    """Begin with no works and the indexes of the real collection, in a database of its own.

    The embedded store drops a collection key by key, each one synced: nothing is dropped.
    """
    database: Database = here.database.client.get_database(
        f"{here.database.name}{name}", write_concern=here.database.write_concern
    )
    await prepare(database)
    return database


class Stopwatch:
    """Seconds from the first ``start`` to ``stop``."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.seconds = 0.0

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self.began is None:
            self.began = time.perf_counter()

    def stop(self) -> None:
        """End."""
        assert self.began is not None
        self.seconds = time.perf_counter() - self.began
