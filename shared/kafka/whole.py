"""Reading partitions whole, committed or not: what a broker gives of all that it still holds."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.fetched import Record
from shared.kafka.follow import answering
from shared.kafka.produce import GREATEST_RECORD
from shared.runtime.clock import SYSTEM
from shared.runtime.faults import Transient

POLL_MS: Final = 200
MOST: Final = 2_000  # records of one poll
STALLED_SECONDS: Final = 30.0


@contextlib.asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Connect, to read what is not committed, too. The broker's faults become ``Transient``."""
    async with answering(
        bootstrap,
        isolation_level="read_uncommitted",
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=GREATEST_RECORD,
    ) as consumer:
        yield consumer


async def read_whole(
    bootstrap: str, places: Collection[tuple[str, int]]
) -> AsyncGenerator[tuple[str, Record], None]:
    """Give every record of some partitions, with its topic, up to where they end now.

    Raises ``Transient``, also where nothing comes for half a minute.
    """
    where = [TopicPartition(topic, partition) for topic, partition in places]
    async with reader(bootstrap) as consumer:
        consumer.assign(where)
        begin = await consumer.beginning_offsets(where)
        ends = await consumer.end_offsets(where)
        for one in where:
            consumer.seek(one, begin[one])
        open_ones = {one for one in where if begin[one] < ends[one]}
        progressed = SYSTEM.monotonic()
        while open_ones:
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST)
            for at, records in fetched.items():
                for record in records:
                    yield at.topic, record
            left = {one for one in open_ones if await consumer.position(one) < ends[one]}
            if fetched or left != open_ones:
                progressed = SYSTEM.monotonic()
            elif SYSTEM.monotonic() - progressed > STALLED_SECONDS:
                raise Transient(f"{len(left)} partitions cannot be read to their end")
            open_ones = left
