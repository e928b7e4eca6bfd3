"""Nudges: records that say nothing, so that a broker compacts what stands before them.

Kafka closes a segment when a record comes after its time, never by itself, and compacts only closed
ones. A partition in which nothing more is written would keep what had to go for good. So it is
written to, until the records that took the place of others are compacted themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.events.records import Outgoing, nudge
from shared.kafka.topics import Topic, declared, partition_of

CLEANER_SECONDS: Final = 60.0  # the cleaner's pause (15 s by default) and its work, amply
FILES_MS: Final = 60_000  # file.delete.delay.ms, where a topic does not say otherwise


def compacted_within(topic: Topic, every: float) -> float:
    """Return in how many seconds after a record its segment is compacted, nudged ``every`` seconds.

    privacy.md section 8: the segment's time, one nudge, the cleaner; then the broker deletes the
    files after ``file.delete.delay.ms``, one minute by default.
    """
    closed = min(int(topic.config[name]) for name in ("segment.ms", "max.compaction.lag.ms"))
    return closed / 1000 + every + CLEANER_SECONDS


def gone_within(topic: Topic, every: float) -> float:
    """Return in how many seconds after a tombstone nothing of it is left, nudged ``every`` seconds.

    What stood under its key goes with the first compaction; the tombstone itself with one that
    comes ``delete.retention.ms`` later; the files of both a while after (privacy.md section 8).
    """
    kept = int(topic.config["delete.retention.ms"])
    files = int(topic.config.get("file.delete.delay.ms", FILES_MS))
    return 2 * compacted_within(topic, every) + (kept + files) / 1000


@dataclass(slots=True)
class Nudges:
    """When to nudge one partition: each ``every`` seconds while what changed is not compacted.

    Twice the time, for a segment that was just compacted holds what stood in it once more.
    """

    every: float
    lasts: float
    _until: float = field(default=float("-inf"))
    _written: float = field(default=float("-inf"))

    def changed(self, now: float) -> None:
        """Take note of records that took the place of others."""
        self._until = now + self.lasts
        self._written = now

    def nudged(self, now: float) -> None:
        """Take note of a nudge."""
        self._written = now

    def due(self, now: float) -> bool:
        """Whether to nudge now."""
        return now < self._until and now - self._written >= self.every


def nudges_of(topics: Mapping[str, Topic], *, every: float | None = None) -> Nudges:
    """Return the nudges that serve all of ``topics``; ``every`` overrides what they declare."""
    pace = every or min(topic.nudge for topic in topics.values() if topic.nudge)
    return Nudges(pace, 2 * max(compacted_within(topic, pace) for topic in topics.values()))


@dataclass(slots=True)
class PersonalNudges:
    """When to nudge which partition of the personal topics that a service writes.

    Whatever is published there may take the place of something, a tombstone does for certain: so
    each record counts. ``every`` overrides what the topics declare.
    """

    service: str
    every: float | None = None
    _places: dict[tuple[str, int], Nudges] = field(init=False)

    def __post_init__(self) -> None:
        """Make ready each partition."""
        self._places = {
            (topic.name, partition): Nudges(pace, gone_within(topic, pace))
            for topic in declared().values()
            if topic.writer == self.service and topic.by_person and topic.nudge
            for pace in [self.every or topic.nudge]
            for partition in range(topic.partitions)
        }

    def begun(self, now: float) -> None:
        """Take note of a new writer: what its predecessor wrote is not known."""
        for one in self._places.values():
            one.changed(now)

    def published(self, records: Iterable[Outgoing], now: float) -> None:
        """Take note of what was published."""
        for record in records:
            if (record.topic, 0) in self._places:
                self._places[record.topic, partition_of(record.topic, record.key)].changed(now)

    def due(self, now: float) -> Sequence[tuple[str, int]]:
        """Return the partitions that are to be nudged now."""
        return [place for place, one in self._places.items() if one.due(now)]

    def records(self, places: Iterable[tuple[str, int]], at: str) -> list[Outgoing]:
        """Return the nudges of these partitions; ``at`` is RFC 3339."""
        source = f"/services/{self.service}"
        return [nudge(topic, partition, at, source=source) for topic, partition in places]

    def nudged(self, places: Iterable[tuple[str, int]], now: float) -> None:
        """Take note of nudges."""
        for place in places:
            self._places[place].nudged(now)
