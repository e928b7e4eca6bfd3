"""Dead letters: records a group could not apply, parked with the reason, until somebody acts.

A letter is the record as it was, plus ``dead_`` headers, on ``<group>.dead.v1`` under the key
``topic-partition-offset``; acting on it writes a resolution under the same key. A replay goes to
``<group>.replay.v1``, which the group reads beside its topics, never back to the topic itself:
there an old version would become the last one of its key.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.events import Outgoing
from shared.kafka.connection import client
from shared.kafka.produce import Sender, stop
from shared.kafka.topics import declared
from shared.runtime.clock import rfc3339

RESOLUTION: Final = "dead_resolution"
SHOWN: Final = (
    "dead_reason",
    "dead_topic",
    "dead_partition",
    "dead_offset",
    "dead_time",
    "ce_type",
    "ce_id",
)


def dead_topic(group: str) -> str:
    """Name the topic where a group parks."""
    return f"{group}.dead.v1"


def replay_topic(group: str) -> str:
    """Name the topic a group reads replays from."""
    return f"{group}.replay.v1"


@dataclass(frozen=True, slots=True)
class Letter:
    """A parked record; ``about`` holds its ``dead_`` and ``ce_`` headers, never its content."""

    id: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def about(self) -> dict[str, str]:
        """What may be shown of it."""
        named = {name: text.decode(errors="replace") for name, text in self.headers}
        return {name: named[name] for name in SHOWN if name in named}


def letter(
    record: ConsumerRecord[Any, Any], *, group: str, topic: str, reason: str, at: datetime
) -> Outgoing:
    """Wrap a record for the parking topic; ``reason`` never quotes what it holds."""
    place = f"{topic}-{record.partition}-{record.offset}"
    headers = (
        *record.headers,
        ("dead_key", record.key or b""),
        ("dead_reason", reason.encode()),
        ("dead_group", group.encode()),
        ("dead_topic", topic.encode()),
        ("dead_partition", str(record.partition).encode()),
        ("dead_offset", str(record.offset).encode()),
        ("dead_time", rfc3339(at).encode()),
    )
    return Outgoing(dead_topic(group), place.encode(), record.value, headers)


async def open_letters(bootstrap: str, group: str, *, prefix: str = "") -> list[Letter]:
    """Return the letters of a group that nobody acted on, oldest first."""
    waiting: dict[str, Letter] = {}
    async for record in _whole(bootstrap, prefix + dead_topic(group)):
        place = (record.key or b"").decode()
        named = dict(record.headers)
        if RESOLUTION in named:
            waiting.pop(place, None)
        else:
            waiting[place] = Letter(
                place, named.get("dead_key") or None, record.value, tuple(record.headers)
            )
    return list(waiting.values())


async def replay(sender: Sender, group: str, letters: Sequence[Letter], *, at: datetime) -> None:
    """Hand letters to the group again and note it; a letter that fails again is parked again."""
    await sender.send(
        [
            Outgoing(
                replay_topic(group),
                one.key or b"",
                one.value,
                tuple(h for h in one.headers if not h[0].startswith("dead_")),
            )
            for one in letters
        ]
    )
    await _resolve(sender, group, letters, "replayed", at=at)


async def drop(
    sender: Sender, group: str, letters: Sequence[Letter], *, reason: str, at: datetime
) -> None:
    """Give letters up for good, with a reason that stays on the topic as long as they would."""
    await _resolve(sender, group, letters, f"dropped: {reason}", at=at)


async def _resolve(
    sender: Sender, group: str, letters: Sequence[Letter], what: str, *, at: datetime
) -> None:
    await sender.send(
        [
            Outgoing(
                dead_topic(group),
                one.id.encode(),
                b"",
                ((RESOLUTION, what.encode()), ("dead_time", rfc3339(at).encode())),
            )
            for one in letters
        ]
    )


async def _whole(bootstrap: str, topic: str) -> AsyncIterator[ConsumerRecord[Any, Any]]:
    """Read a topic from its start to where it ended when asked."""
    consumer = AIOKafkaConsumer(
        **client(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        partitions = [
            TopicPartition(topic, part)
            for part in sorted(consumer.partitions_for_topic(topic) or {0})
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        for where in partitions:
            while await consumer.position(where) < ends[where]:
                for records in (await consumer.getmany(where, timeout_ms=200)).values():
                    for record in records:
                        yield record
    finally:
        await stop(consumer)


def groups() -> list[str]:
    """Return every group that has a parking topic."""
    return sorted(name.removesuffix(".dead.v1") for name in declared() if name.endswith(".dead.v1"))
