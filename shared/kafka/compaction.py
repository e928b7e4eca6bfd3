"""Receipts of compaction: whether a replica's log was cleaned beyond an offset.

A broker's cleaner writes down how far it came. Where its log folder can be read, that is the
receipt. Elsewhere the partition is read from beginning to end: below the offset no key may stand
twice. That shows the replica that leads, and no other.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka.cluster import replicas
from shared.kafka.connection import client
from shared.kafka.produce import GREATEST_RECORD, stop
from shared.runtime.faults import Transient

CHECKPOINT: Final = "cleaner-offset-checkpoint"
POLL_MS: Final = 200
How = Literal["cleaner-checkpoint", "full-read"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A replica on ``broker`` is cleaned up to ``cleaned``, the first offset that was not."""

    broker: int
    cleaned: int
    how: How


async def log_end(bootstrap: str, topic: str, partition: int, *, prefix: str = "") -> int:
    """Return the offset behind the last record of a partition, committed or not.

    Raises ``Transient`` while the broker is away.
    """
    where = TopicPartition(prefix + topic, partition)
    consumer = _reader(bootstrap)
    try:
        await consumer.start()
        consumer.assign([where])
        return int((await consumer.end_offsets([where]))[where])
    except (KafkaError, OSError) as fault:
        raise _away(fault) from fault
    finally:
        await stop(consumer)


async def receipts(
    bootstrap: str,
    topic: str,
    partition: int,
    before: int,
    *,
    files: Mapping[int, Path],
    prefix: str = "",
) -> list[Receipt]:
    """Return a receipt of each replica once all are cleaned up to ``before`` or beyond.

    ``files`` are log folders by broker. Of replicas whose folder is not among them the one that
    leads is read; the others give none. Nothing is returned while one is not cleaned so far.
    Raises ``Transient``.
    """
    held = await replicas(bootstrap, topic, partition, prefix=prefix)
    given: list[Receipt] = []
    for broker in held.brokers:
        if broker in files:
            cleaned = await asyncio.to_thread(
                checkpoint, files[broker], f"{prefix}{topic}", partition
            )
            if cleaned is None or cleaned < before:
                return []
            given.append(Receipt(broker, cleaned, "cleaner-checkpoint"))
    if len(given) < len(held.brokers) and held.leader not in files:
        if not await reads_clean(bootstrap, topic, partition, before, prefix=prefix):
            return []
        given.append(Receipt(held.leader, before, "full-read"))
    return given


def checkpoint(folder: Path, topic: str, partition: int) -> int | None:
    """Return how far the cleaner came in a partition, None where it has not been there; blocking.

    ``folder`` holds one log folder or several of them.
    """
    for log in folder.rglob(f"{topic}-{partition}"):
        try:
            lines = (log.parent / CHECKPOINT).read_text("ascii").splitlines()
        except FileNotFoundError:
            continue
        # The first line is the file's version, the second how many follow.
        for line in lines[2:]:
            name, number, offset = line.split()
            if (name, int(number)) == (topic, partition):
                return int(offset)
    return None


async def reads_clean(
    bootstrap: str, topic: str, partition: int, before: int, *, prefix: str = ""
) -> bool:
    """Read a whole partition; say whether no key stands twice below ``before``.

    Records of transactions that were aborted count, too. Raises ``Transient``.
    """
    where = TopicPartition(prefix + topic, partition)
    consumer = _reader(bootstrap)
    seen: set[bytes | None] = set()
    try:
        await consumer.start()
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        end = min((await consumer.end_offsets([where]))[where], before)
        while await consumer.position(where) < end:
            fetched = await consumer.getmany(where, timeout_ms=POLL_MS)
            for record in fetched.get(where, []):
                if record.offset < before and record.key in seen:
                    return False
                seen.add(record.key)
    except (KafkaError, OSError) as fault:
        raise _away(fault) from fault
    finally:
        await stop(consumer)
    return True


def _reader(bootstrap: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **client(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_uncommitted",
        max_partition_fetch_bytes=GREATEST_RECORD,
        request_timeout_ms=15_000,
    )


def _away(fault: BaseException) -> Transient:
    return Transient(f"the broker did not answer: {type(fault).__name__}")
