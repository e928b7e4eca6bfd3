"""Receipts of compaction: whether a replica's log was cleaned beyond an offset.

A broker's cleaner writes down how far it came. Where its log folder can be read, that is the
receipt. Elsewhere the partition is read from beginning to end: below the offset no key may stand
twice. That shows the replica that leads, and no other.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiokafka import TopicPartition

from shared.kafka.cluster import replicas
from shared.kafka.whole import read_whole, reader

CHECKPOINT: Final = "cleaner-offset-checkpoint"
How = Literal["cleaner-checkpoint", "full-read"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A replica on ``broker`` is cleaned up to ``cleaned``, the first offset that was not.

    ``replicas``: how many its partition has, be they seen or not.
    """

    broker: int
    cleaned: int
    how: How
    replicas: int


async def log_end(bootstrap: str, topic: str, partition: int, *, prefix: str = "") -> int:
    """Return the offset behind the last record of a partition, committed or not.

    Raises ``Transient`` while the broker is away.
    """
    where = TopicPartition(prefix + topic, partition)
    async with reader(bootstrap) as consumer:
        return int((await consumer.end_offsets([where]))[where])


async def receipts(
    bootstrap: str,
    topic: str,
    partition: int,
    before: int,
    *,
    files: Mapping[int, Path],
    prefix: str = "",
) -> list[Receipt]:
    """Return a receipt of each replica that can be seen, once these are cleaned up to ``before``.

    ``files`` are log folders by broker. Of replicas whose folder is not among them the one that
    leads is read; the others give none, and every receipt says how many there are. Nothing is
    returned while one that can be seen is not cleaned so far.
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
            given.append(Receipt(broker, cleaned, "cleaner-checkpoint", len(held.brokers)))
    if len(given) < len(held.brokers) and held.leader not in files:
        if not await reads_clean(bootstrap, topic, partition, before, prefix=prefix):
            return []
        given.append(Receipt(held.leader, before, "full-read", len(held.brokers)))
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
    seen: set[bytes | None] = set()
    records = read_whole(bootstrap, [(prefix + topic, partition)])
    async with contextlib.aclosing(records):
        async for _, record in records:
            if record.offset >= before:
                break
            if record.key in seen:
                return False
            seen.add(record.key)
    return True
