"""Rebuild: a whole rebuild, against a bare replay with unguarded bulk writes of the same topic.

Ours fills a new generation from the topic, counts who cites each work, compares everything with the
live generation, document by document, and changes over, at full pace. The bare loop reads the same
topic from its start and upserts the same fields into an empty collection with the same indexes; it
counts nothing, compares nothing, and of a repeated work keeps what came last. Every tenth record
deposits an earlier work again. Figures are records a second; ``SCALE=`` multiplies the 2,000.
"""

import time
from datetime import timedelta

import orjson
from aiokafka import AIOKafkaConsumer
from pymongo import ReplaceOne

from services.distribution.projections import WORKS, cited
from services.distribution.rebuild.changing import Changed, Changing
from services.distribution.rebuild.filling import pace_of
from services.distribution.rebuild.source import Log
from services.distribution.rebuild.telling import report
from tests.bench.projector import BATCH, TOPIC, empty, load
from tests.bench.rig import Rig, close, console, in_turn, rig, sized


async def main(*, rounds: int = 3) -> None:
    """Print the ratio of both rates, and what a rebuild spends its time on."""
    records = sized(2_000)
    async with rig() as here:
        await load(here, records)
        # The live generation that the rounds are compared with.
        first = await rebuilt(here, despite=True)
        assert not [
            said for said in first.outcome.differs.values() if "not in the live" not in said
        ]
        console.print(f"{records:,} records, batches of {BATCH:,}, {rounds} rounds")
        ours, bare = await in_turn(
            rounds, lambda _: whole(here, records), lambda number: plain(here, records, number)
        )
        console.print("the same at the gentle pace, that is with rests:")
        report(console, await rebuilt(here, gentle=True))
        close("rebuild", ours, bare, "records/s")


async def whole(here: Rig, records: int) -> float:
    """Rebuild and change over."""
    began = time.perf_counter()
    changed = await rebuilt(here)
    took = time.perf_counter() - began
    report(console, changed)
    return records / took


async def rebuilt(here: Rig, *, gentle: bool = False, despite: bool = False) -> Changed:
    """Run a rebuild to its change-over."""
    changing = Changing(
        here.database,
        Log(here.bootstrap, here.prefix),
        pace_of(gentle=gentle),
        "bench",
        timedelta(hours=1),
        despite=despite,
        patience=0.5 if despite else 30.0,
    )
    changed = await changing.rebuild()
    assert changed.over, changed.outcome.differs
    return changed


async def plain(here: Rig, records: int, number: int) -> float:
    """Run the loop anybody would write first."""
    database = await empty(here, f"bare{number}")
    began = time.perf_counter()
    consumer = AIOKafkaConsumer(
        here.prefix + TOPIC, bootstrap_servers=here.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen = 0
    while seen < records:
        batch = await consumer.getmany(timeout_ms=250, max_records=BATCH)
        operations = []
        for some in batch.values():
            for record in some:
                event = orjson.loads(record.value)
                fields = {
                    "v": event["version"],
                    "prefix": event["prefix"],
                    "created": event["created"],
                    "deposited": event["deposited"],
                    "work": event["work"],
                    "cites": cited(event["work"]),
                }
                operations.append(ReplaceOne({"_id": event["doi"]}, fields, upsert=True))
        if operations:
            await database[WORKS].bulk_write(operations, ordered=False)
            seen += len(operations)
    took = time.perf_counter() - began
    await consumer.stop()
    return records / took
