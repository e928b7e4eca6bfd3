"""Following topics without a group: all partitions, from offsets the caller keeps.

For what every process must know by itself: gate knowledge, the search index of a host.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.connection import client
from shared.kafka.produce import GREATEST_RECORD, stop
from shared.kafka.topics import declared
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

POLL_MS: Final = 200
FETCH_MS: Final = 500  # that a fetch waits at the broker where nothing comes
WHOLE_POLL_MS: Final = 20  # another topic waits for the fetch that found nothing more
WHOLE_BYTES: Final = 4 * 1024 * 1024  # of one fetch; a greater record comes all the same
RETRY_SECONDS: Final = 0.5
STALLED_SECONDS: Final = 120.0
FOLLOW_FAULTS: Final = (KafkaError, OSError)  # the broker is away: follow again later

log = get_log(__name__)

Place: TypeAlias = tuple[str, int]
Record: TypeAlias = ConsumerRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in one poll, maybe nothing, in order within each partition.

    ``positions`` are the offsets to start from after this batch; ``behind`` is how many records
    are known to follow it.
    """

    records: tuple[tuple[Place, Record], ...]
    positions: Mapping[Place, int]
    behind: int


@contextlib.asynccontextmanager
async def connected(bootstrap: str, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Connect a consumer of no group that reads what is committed; ``more`` are its settings.

    Raises what the client does.
    """
    settings = {"isolation_level": "read_committed", "request_timeout_ms": 15_000, **more}
    consumer = AIOKafkaConsumer(
        **client(bootstrap), group_id=None, enable_auto_commit=False, **settings
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await stop(consumer)


@contextlib.asynccontextmanager
async def answering(bootstrap: str, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Connect as ``connected`` does; the broker's faults become ``Transient``."""
    try:
        async with connected(bootstrap, **more) as consumer:
            yield consumer
    except FOLLOW_FAULTS as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault


def places_of(topics: Sequence[str], prefix: str) -> dict[TopicPartition, Place]:
    """Return every partition of declared topics, as the broker calls it and as we do."""
    return {
        TopicPartition(prefix + topic, partition): (topic, partition)
        for topic in topics
        for partition in range(declared()[topic].partitions)
    }


async def keep_following(
    part: str,
    bootstrap: str,
    topics: Sequence[str],
    draining: asyncio.Event,
    *,
    take: Callable[[Batch], Awaitable[None]],
    health: Health,
    start: Callable[[], Mapping[Place, int]] = dict,
    prefix: str = "",
    most: int = 5_000,
) -> None:
    """Hand every batch to ``take`` until draining; a broker that is away is waited for.

    After an interruption it goes on from ``start()``. ``part`` is this reader's name in health.
    """
    health.promise(part, within=STALLED_SECONDS)
    while not draining.is_set():
        batches = follow(bootstrap, topics, draining, prefix=prefix, start=start(), most=most)
        try:
            async with contextlib.aclosing(batches):
                async for batch in batches:
                    await take(batch)
                    health.beat(part)
        except FOLLOW_FAULTS as fault:
            log.warning("following interrupted", part=part, reason=type(fault).__name__)
            health.beat(part)
            await wait_any(draining, timeout=RETRY_SECONDS)
    health.retire(part)


async def follow(
    bootstrap: str,
    topics: Sequence[str],
    draining: asyncio.Event,
    *,
    prefix: str = "",
    start: Mapping[Place, int] | None = None,
    most: int = 5_000,
) -> AsyncGenerator[Batch, None]:
    """Yield batches from ``start`` (where it names no offset, the beginning) until draining.

    Yields at least five times a second, with an empty batch where nothing came, so that callers
    can do what is due. Raises ``KafkaError`` when the broker is away at the start; later outages
    are waited for inside.
    """
    places = places_of(topics, prefix)
    async with connected(
        bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_MS,
        fetch_max_bytes=GREATEST_RECORD,
    ) as consumer:
        consumer.assign(list(places))
        for where, place in places.items():
            if start and place in start:
                consumer.seek(where, start[place])
            else:
                await consumer.seek_to_beginning(where)
        ends = await consumer.end_offsets(list(places))
        while not draining.is_set():
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=most)
            yield await _batch(consumer, fetched, places, ends)


async def _batch(
    consumer: AIOKafkaConsumer,
    fetched: Mapping[TopicPartition, Sequence[Record]],
    places: Mapping[TopicPartition, Place],
    ends: Mapping[TopicPartition, int],
) -> Batch:
    positions = {place: await consumer.position(where) for where, place in places.items()}
    return Batch(
        tuple((places[where], record) for where, records in fetched.items() for record in records),
        positions,
        sum(
            max(max(consumer.highwater(where) or 0, end) - positions[places[where]], 0)
            for where, end in ends.items()
        ),
    )


async def read_to_end(
    bootstrap: str, topic: str, partition: int, *, start: int, prefix: str = "", most: int = 2_000
) -> AsyncGenerator[tuple[list[Record], int], None]:
    """Yield what a partition holds from ``start`` to where it ends when asked, and the next offset.

    ``start`` beyond the end raises ``ValueError``: the topic is not the one that was read before.
    Raises ``Transient`` when the broker is away.
    """
    where = TopicPartition(prefix + topic, partition)
    async with answering(
        bootstrap, fetch_max_wait_ms=POLL_MS, max_partition_fetch_bytes=GREATEST_RECORD
    ) as consumer:
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        if start > end:
            raise ValueError(f"{topic}-{partition} ends at {end}, before {start}")
        consumer.seek(where, start)
        while await consumer.position(where) < end:
            fetched = await consumer.getmany(where, timeout_ms=POLL_MS, max_records=most)
            yield fetched.get(where, []), await consumer.position(where)


async def read_whole(
    bootstrap: str, places: Mapping[str, Sequence[int]], *, prefix: str = "", most: int = 500
) -> AsyncGenerator[tuple[str, list[Record], Mapping[int, int]], None]:
    """Yield all that partitions of topics hold, to where they end when asked: topic by topic.

    With each few records come the next offsets of their topic's partitions. One consumer reads
    everything, so that an empty partition costs nothing. Raises ``Transient`` when the broker is
    away.
    """
    async with answering(
        bootstrap,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WHOLE_POLL_MS,
        fetch_max_bytes=WHOLE_BYTES,
    ) as consumer:
        for topic, partitions in places.items():
            wanted = [TopicPartition(prefix + topic, one) for one in partitions]
            ends = await consumer.end_offsets(wanted) if wanted else {}
            begins = await consumer.beginning_offsets(wanted) if wanted else {}
            left = [where for where in wanted if begins[where] < ends[where]]
            yield topic, [], {where.partition: ends[where] for where in wanted}
            consumer.assign(left)
            for where in left:
                consumer.seek(where, begins[where])
            while left:
                fetched = await consumer.getmany(*left, timeout_ms=POLL_MS, max_records=most)
                at = {where: await consumer.position(where) for where in left}
                records = [record for several in fetched.values() for record in several]
                yield topic, records, {where.partition: end for where, end in at.items()}
                left = [where for where in left if at[where] < ends[where]]
