"""The loop anybody would write first, as a process: what comes replaces what is there."""

import asyncio
import json
import sys
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from pymongo import AsyncMongoClient, ReplaceOne


async def main(task: dict[str, Any]) -> None:
    works = AsyncMongoClient(task["url"])[task["database"]]["works"]
    consumer = AIOKafkaConsumer(
        task["topic"],
        bootstrap_servers=task["bootstrap"],
        group_id=task["prefix"] + "plain",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    committed = time.monotonic()
    while True:
        batch = await consumer.getmany(timeout_ms=250, max_records=task["batch"])
        last = {
            one.key.decode(): orjson.loads(one.value) for some in batch.values() for one in some
        }
        if last:
            await works.bulk_write(
                [ReplaceOne({"_id": doi}, event, upsert=True) for doi, event in last.items()],
                ordered=False,
            )
        if time.monotonic() - committed > 1:
            await consumer.commit()
            committed = time.monotonic()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
