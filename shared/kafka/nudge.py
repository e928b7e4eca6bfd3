"""Nudges: records that say nothing, so that a broker compacts what stands before them.

Kafka closes a segment when a record comes after its time, never by itself, and compacts only closed
ones. A partition in which nothing more is written would keep what had to go for good. So it is
written to, until the records that took the place of others are compacted themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.kafka.topics import Topic

CLEANER_SECONDS: Final = 60.0  # the cleaner's pause (15 s by default) and its work, amply


def compacted_within(topic: Topic, every: float) -> float:
    """Return in how many seconds after a record its segment is compacted, nudged ``every`` seconds.

    privacy.md section 8: the segment's time, one nudge, the cleaner; then the broker deletes the
    files after ``file.delete.delay.ms``, one minute by default.
    """
    closed = min(int(topic.config[name]) for name in ("segment.ms", "max.compaction.lag.ms"))
    return closed / 1000 + every + CLEANER_SECONDS


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
