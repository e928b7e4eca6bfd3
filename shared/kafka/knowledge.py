"""Gate knowledge: what the topics that decide permissions say, held in memory, with its age.

Every reader assigns itself all partitions, without a group, from the start. Where a record cannot
be read its key is unknown, and unknown denies, until a higher version of that key is read; where
not even the key can be read the whole partition counts as stale until its next start.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from shared.events import Event, Received, Unknown, Unreadable, Watermark, from_record
from shared.kafka.follow import FOLLOW_FAULTS, Record, follow
from shared.kafka.topics import declared
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import GATE_UNKNOWN, KNOWLEDGE_AGE
from shared.runtime.service import wait_any

RETRY_SECONDS: Final = 0.5
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

log = get_log(__name__)
T = TypeVar("T")
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

    @property
    def caught_up(self) -> bool:
        """Whether everything that stood in the topics at the start has been read."""
        return self._caught_up

    def held(self, topic: str, kind: type[T]) -> list[T]:
        """Return the newest readable event of every key of a topic, as ``kind``."""
        return [
            event
            for (name, _), event in self._held.items()
            if name == topic and isinstance(event, kind)
        ]

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
            except FOLLOW_FAULTS as fault:
                log.warning("gate knowledge interrupted", reason=type(fault).__name__)
                self.health.beat("gate")
                await wait_any(draining, timeout=RETRY_SECONDS)
        self.health.retire("gate")

    async def _follow(self, draining: asyncio.Event) -> None:
        self._broken.clear()
        batches = follow(self.bootstrap, self.topics, draining, prefix=self.prefix)
        async with contextlib.aclosing(batches):
            async for batch in batches:
                for (topic, partition), record in batch.records:
                    self.take(topic, partition, record)
                if not self._caught_up and not batch.behind:
                    self._caught_up = True
                    log.info("gate knowledge caught up", keys=len(self._held))
                self._report()

    def _report(self) -> None:
        self.health.beat("gate")
        for topic in self.topics:
            KNOWLEDGE_AGE.labels(topic).set(min(self.age(topic).total_seconds(), 1e9))
        if self.fresh():
            self.health.ready("gate")
        else:
            self.health.unready("gate", "knowledge of permissions is stale")

    def take(self, topic: str, partition: int, record: Record) -> None:
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

    def _deny(self, topic: str, partition: int, record: Record) -> None:
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
