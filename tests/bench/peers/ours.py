"""Our consumer and guarded writes, as a process."""

import asyncio
import json
import sys
from typing import Any

from shared.events import Received, WorkRegistered
from shared.kafka.consume import Consumer
from shared.mongo import Put, connect, projecting


def put(event: WorkRegistered, _received: Received) -> list[Put]:
    fields = {
        "prefix": event.prefix,
        "title": event.title,
        "timestamp": event.timestamp,
        "created": event.created,
        "deposited": event.deposited,
        "submission": event.submission,
        "work": event.work,
        "version": event.version,
    }
    return [Put("works", event.doi, event.version, fields)]


async def main(task: dict[str, Any]) -> None:
    async with connect(task["url"], task["database"]) as database:
        consumer = Consumer(
            "distribution.projector",
            ["deposits.works.v1"],
            "distribution",
            projecting(database, {WorkRegistered: put}),
            task["bootstrap"],
            task["prefix"],
            most=task["batch"],
        )
        await consumer.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
