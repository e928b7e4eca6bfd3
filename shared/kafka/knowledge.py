"""Gate knowledge: what the topics that decide permissions say, held in memory, with its age.

Every reader assigns itself all partitions, without a group, from the start. Where a record cannot
be read its key is unknown, and unknown denies, until a higher version of that key is read; where
not even the key can be read the whole partition counts as stale until this process starts again.

Age is judged by two clocks: the watermark's own time against this host's, where the future counts
as unknown beyond the allowed skew, and the time passed since it came, so that no step of a clock
makes old knowledge young.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from shared.events import Event, Received, Watermark, from_record
from shared.kafka.follow import Batch, Place, Record, keep_following
from shared.kafka.topics import declared
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import GATE_UNKNOWN, KNOWLEDGE_AGE

LONGEST: Final = 18  # digits of a version
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
SKEW: Final = timedelta(seconds=1)  # of what a policy calls stale, this much is for the clocks
SILENT_SECONDS: Final = 15.0  # watermarks come every second; without one for so long, ask anew

log = get_log(__name__)
T = TypeVar("T")
Listener = Callable[[Received], None]


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest watermark of a partition, and when it came on the monotonic clock."""

    at: datetime = NEVER
    came: float = float("-inf")


@dataclass(slots=True)
class Denied:
    """A key whose newest record cannot be read; ``version`` is what it must exceed to be known."""

    version: int


@dataclass(slots=True)
class Knowledge:
    """What a set of gate topics says.

    ``stale_after`` is the age beyond which knowledge no longer counts; it comes from the policy
    file. ``listeners`` hear each event that became current, in order per key, and ``denials`` the
    topic and key of each record that cannot be read, so that its key denies. Where a partition
    falls silent for ``silent_seconds`` it is asked by a new client: the old one may be deaf to it.
    """

    topics: Sequence[str]
    bootstrap: str
    stale_after: timedelta
    prefix: str = ""
    clock: Clock = SYSTEM
    health: Health = field(default_factory=Health)
    silent_seconds: float = SILENT_SECONDS
    listeners: list[Listener] = field(default_factory=list)
    denials: list[Callable[[str, str], None]] = field(default_factory=list)
    _held: dict[tuple[str, str], Event | Denied] = field(default_factory=dict)
    _marks: dict[Place, Mark] = field(default_factory=dict)
    _positions: dict[Place, int] = field(default_factory=dict)
    _broken: set[Place] = field(default_factory=set)
    _caught_up: bool = False
    _asked: float = float("-inf")  # when the present client began
    _appended: Mark = field(default_factory=Mark)  # the newest record since all was read

    def __post_init__(self) -> None:
        """Every partition starts with no watermark at all."""
        for topic in self.topics:
            for partition in range(declared()[topic].partitions):
                self._marks[topic, partition] = Mark()

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

    def broker_time(self) -> datetime | None:
        """Return the broker's clock by the newest record and the time that passed since it came.

        What was read to catch up says nothing of now: None until something was written afterwards.
        """
        if self._appended.at == NEVER:
            return None
        return self._appended.at + timedelta(seconds=self.clock.monotonic() - self._appended.came)

    def get(self, topic: str, key: str) -> Event | None:
        """Return the newest event of ``key``, or None where there is none or it cannot be read."""
        held = self._held.get((topic, key))
        return None if isinstance(held, Denied) else held

    def denied(self, topic: str, key: str) -> bool:
        """Whether the newest record of ``key`` cannot be read."""
        return isinstance(self._held.get((topic, key)), Denied)

    def denied_keys(self, topic: str) -> list[str]:
        """Return the keys of a topic whose newest record cannot be read."""
        return [
            key
            for (name, key), held in self._held.items()
            if name == topic and isinstance(held, Denied)
        ]

    def age(self, topic: str) -> timedelta:
        """Return the age of the oldest watermark of a topic."""
        now = self.clock.now()
        return max(now - mark.at for (name, _), mark in self._marks.items() if name == topic)

    def fresh(self, *topics: str) -> bool:
        """Whether knowledge of ``topics`` (all, if none is named) is whole and young enough."""
        if not self._caught_up:
            return False
        now, elapsed = self.clock.now(), self.clock.monotonic()
        chosen = topics or self.topics
        return all(
            place not in self._broken
            and -SKEW <= now - mark.at <= self.stale_after
            and elapsed - mark.came <= self.stale_after.total_seconds()
            for place, mark in self._marks.items()
            if place[0] in chosen
        )

    def knows_since(self, at: datetime, *topics: str) -> bool:
        """Whether all that was decided before ``at`` has been read; to be asked after ``fresh``."""
        chosen = topics or self.topics
        return all(mark.at >= at for place, mark in self._marks.items() if place[0] in chosen)

    async def run(self, draining: asyncio.Event) -> None:
        """Follow the topics until told to drain; a broker that is away is waited for."""
        self.health.unready("gate", "has not read the gate topics to their end yet")
        await keep_following(
            "gate",
            self.bootstrap,
            self.topics,
            draining,
            take=self._take,
            health=self.health,
            start=self._ask,
            prefix=self.prefix,
        )

    def _ask(self) -> dict[Place, int]:
        """Begin where it was interrupted: what was read before holds and is not judged again."""
        self._asked = self.clock.monotonic()
        return self._positions

    async def _take(self, batch: Batch) -> None:
        for (topic, partition), record in batch.records:
            self.take(topic, partition, record)
        if self._caught_up and batch.records:
            newest = max(record.timestamp for _, record in batch.records)
            appended = datetime.fromtimestamp(newest / 1000, UTC)
            self._appended = Mark(appended, self.clock.monotonic())
        self._positions = dict(batch.positions)
        if not self._caught_up and not batch.behind:
            self._caught_up = True
            log.info("gate knowledge caught up", keys=len(self._held))
        self._report()
        if self._silent():
            raise TimeoutError("a partition of a gate topic says nothing")  # and is asked anew

    def _silent(self) -> bool:
        # What never said anything may have no writer, as the topic of keys has where none retains.
        came = [mark.came for mark in self._marks.values() if mark.at > NEVER]
        heard = max(self._asked, min(came, default=float("inf")))
        return self._caught_up and self.clock.monotonic() - heard > self.silent_seconds

    def _report(self) -> None:
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
                self._marks[topic, partition] = Mark(at, self.clock.monotonic())
            case Received(event) if event.topic == topic:
                self._learn(topic, content, event)
            case _:
                self._deny(topic, partition, record)

    def _learn(self, topic: str, received: Received, event: Event) -> None:
        version = event.aggregate_version or 0
        held = self._held.get((topic, event.key))
        if version <= _known(held):
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
        known, stated = _known(held), _version(record.headers)
        if stated is not None and stated < known:
            return  # repeated from before what is known
        if isinstance(held, Denied):
            self._held[topic, key] = Denied(max(stated or 0, known))
            return
        # One that does not state its version may be the next one.
        self._held[topic, key] = Denied(known + 1 if stated is None else stated)
        GATE_UNKNOWN.labels(topic).inc()
        for told in self.denials:
            told(topic, key)
        log.error("gate record unreadable, its key denies", topic=topic, offset=record.offset)


def _known(held: Event | Denied | None) -> int:
    if isinstance(held, Denied):
        return held.version
    return (held and held.aggregate_version) or 0


def _version(headers: Sequence[tuple[str, bytes | None]]) -> int | None:
    for name, text in headers:
        if name == "ce_aggregateversion" and text and text.isdigit() and len(text) <= LONGEST:
            return int(text)
    return None
