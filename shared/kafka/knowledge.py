"""Gate knowledge: what the topics that decide permissions say, held in memory, with its age.

Every reader assigns itself all partitions, without a group, from the start. Where a record cannot
be read its key is unknown, and unknown denies, until a higher version of that key is read; where
not even the key can be read the whole partition counts as stale until its next start.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.events import Event, Received, Unknown, Unreadable, Watermark, from_record
from shared.kafka.produce import stop
from shared.kafka.topics import declared
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import GATE_UNKNOWN, KNOWLEDGE_AGE
from shared.runtime.service import wait_any

POLL_MS: Final = 200
RETRY_SECONDS: Final = 0.5
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = get_log(__name__)
Listener = Callable[[Received], None]


@dataclass(slots=True)
class Denied:
    """A key whose newest record cannot be read; ``version`` is what it must exceed to be known."""

    version: int


@dataclass(slots=True)
class Knowledge:
    """What a set of gate topics says.

    ``stale_after`` is the age beyond which knowledge no longer counts; it comes from the policy
    file. ``listeners`` hear each event that became current, in order per key.
    """

    topics: Sequence[str]
    bootstrap: str
    stale_after: timedelta
    prefix: str = ""
    clock: Clock = SYSTEM
    health: Health = field(default_factory=Health)
    listeners: list[Listener] = field(default_factory=list)
    _held: dict[tuple[str, str], Event | Denied] = field(default_factory=dict)
    _marks: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _broken: set[tuple[str, int]] = field(default_factory=set)
    _caught_up: bool = False

    def __post_init__(self) -> None:
        """Every partition starts with no watermark at all."""
        for topic in self.topics:
            for partition in range(declared()[topic].partitions):
                self._marks[topic, partition] = NEVER

    def get(self, topic: str, key: str) -> Event | None:
        """Return the newest event of ``key``, or None where there is none or it cannot be read."""
        held = self._held.get((topic, key))
        return None if isinstance(held, Denied) else held

    def denied(self, topic: str, key: str) -> bool:
        """Whether the newest record of ``key`` cannot be read."""
        return isinstance(self._held.get((topic, key)), Denied)

    def age(self, topic: str) -> timedelta:
        """Return the age of the oldest watermark of a topic."""
        now = self.clock.now()
        return max(now - at for (name, _), at in self._marks.items() if name == topic)

    def fresh(self, *topics: str) -> bool:
        """Whether knowledge of ``topics`` (all, if none is named) is whole and young enough."""
        if not self._caught_up:
            return False
        limit = self.clock.now() - self.stale_after
        chosen = topics or self.topics
        return all(
            at >= limit and (name, partition) not in self._broken
            for (name, partition), at in self._marks.items()
            if name in chosen
        )

    async def run(self, draining: asyncio.Event) -> None:
        """Follow the topics until told to drain; a broker that is away is waited for."""
        self.health.unready("gate", "has not read the gate topics to their end yet")
        self.health.promise("gate", within=60)
        while not draining.is_set():
            try:
                await self._follow(draining)
            except KafkaError as fault:
                log.warning("gate knowledge interrupted", reason=type(fault).__name__)
                self.health.beat("gate")
                await wait_any(draining, timeout=RETRY_SECONDS)
        self.health.retire("gate")

    async def _follow(self, draining: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=POLL_MS,
            request_timeout_ms=15_000,
        )
        try:
            await consumer.start()
            partitions = [TopicPartition(self.prefix + topic, part) for topic, part in self._marks]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            self._broken.clear()
            while not draining.is_set():
                batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=5_000)
                for where, records in batch.items():
                    for record in records:
                        self.take(where.topic.removeprefix(self.prefix), where.partition, record)
                if not self._caught_up:
                    await self._catch_up(consumer, ends)
                self._report()
        finally:
            await stop(consumer)

    async def _catch_up(self, consumer: AIOKafkaConsumer, ends: dict[Any, int]) -> None:
        for where, end in ends.items():
            if await consumer.position(where) < end:
                return
        self._caught_up = True
        log.info("gate knowledge caught up", keys=len(self._held))

    def _report(self) -> None:
        self.health.beat("gate")
        for topic in self.topics:
            KNOWLEDGE_AGE.labels(topic).set(min(self.age(topic).total_seconds(), 1e9))
        if self.fresh():
            self.health.ready("gate")
        else:
            self.health.unready("gate", "knowledge of permissions is stale")

    def take(self, topic: str, partition: int, record: ConsumerRecord[Any, Any]) -> None:
        """Take one record in. Never raises on what it holds."""
        content = from_record(record.key, record.value, record.headers)
        match content:
            case Watermark(at):
                self._marks[topic, partition] = max(at, self._marks[topic, partition])
            case Received(event):
                self._learn(topic, content, event)
            case Unknown() | Unreadable():
                self._deny(topic, partition, record)

    def _learn(self, topic: str, received: Received, event: Event) -> None:
        version = event.aggregate_version or 0
        held = self._held.get((topic, event.key))
        known = held.version if isinstance(held, Denied) else (held and held.aggregate_version) or 0
        if version <= known:
            return
        self._held[topic, event.key] = event
        if isinstance(held, Denied):
            GATE_UNKNOWN.labels(topic).dec()
        for listener in self.listeners:
            listener(received)

    def _deny(self, topic: str, partition: int, record: ConsumerRecord[Any, Any]) -> None:
        try:
            key = record.key.decode()
        except (AttributeError, UnicodeDecodeError):
            self._broken.add((topic, partition))
            log.warning("gate record without a readable key", topic=topic, offset=record.offset)
            return
        held = self._held.get((topic, key))
        known = held.version if isinstance(held, Denied) else (held and held.aggregate_version) or 0
        version = max(_version(record.headers), known + (0 if isinstance(held, Denied) else 1))
        if not isinstance(held, Denied):
            GATE_UNKNOWN.labels(topic).inc()
        self._held[topic, key] = Denied(version)
        log.error("gate record unreadable, its key denies", topic=topic, offset=record.offset)


def _version(headers: Sequence[tuple[str, bytes]]) -> int:
    for name, text in headers:
        if name == "ce_aggregateversion" and text.isdigit():
            return int(text)
    return 0
