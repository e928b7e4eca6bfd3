"""What a consumer fetched at once, record by record: what it can apply, and what it must park."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from aiokafka import ConsumerRecord, TopicPartition

from shared.events import Nudge, Outgoing, Received, Unknown, Unreadable, Watermark, from_record
from shared.kafka import dead
from shared.runtime import metrics
from shared.runtime.log import get_log

Record: TypeAlias = ConsumerRecord

log = get_log(__name__)


@dataclass(slots=True)
class Fetched:
    """A batch of one group; ``received`` is what can be read of it, in order per partition."""

    group: str
    prefix: str
    records: Mapping[TopicPartition, Sequence[Record]]
    received: list[Received] = field(default_factory=list)
    _came: list[tuple[TopicPartition, Record]] = field(default_factory=list)  # each ``received``
    _bad: list[tuple[TopicPartition, Record, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what can be read; watermarks, nudges and what is newer than we are pass by."""
        for where, records in self.records.items():
            for record in records:
                match from_record(record.key, record.value, record.headers):
                    case Received() as received:
                        self.received.append(received)
                        self._came.append((where, record))
                    case Unreadable(reason):
                        self._bad.append((where, record, reason))
                    case Unknown():
                        metrics.RECORDS_UNKNOWN.labels(self.group).inc()
                    case Watermark() | Nudge():
                        pass

    def refuse(self, refused: Mapping[int, str]) -> None:
        """Have those of ``received`` parked that could not be applied: by index, and why."""
        self._bad += [(*self._came[index], reason) for index, reason in refused.items()]

    @property
    def offsets(self) -> dict[TopicPartition, list[int]]:
        """The offsets of all records."""
        return {at: [record.offset for record in them] for at, them in self.records.items()}

    @property
    def poison(self) -> set[tuple[TopicPartition, int]]:
        """Where those stand that are to be parked."""
        return {(where, record.offset) for where, record, _ in self._bad}

    def letters(self, at: datetime) -> list[Outgoing]:
        """Return what is to be parked as letters of the time ``at``."""
        return [
            dead.letter(record, group=self.group, topic=self._topic(where), reason=reason, at=at)
            for where, record, reason in self._bad
        ]

    def tell_parked(self) -> None:
        """Count and log what was parked."""
        for where, record, reason in self._bad:
            topic = self._topic(where)
            metrics.RECORDS_DEAD.labels(self.group, topic).inc()
            log.warning(
                "record parked", group=self.group, topic=topic, offset=record.offset, reason=reason
            )

    def measure(
        self, ends: Callable[[TopicPartition], int | None], *, now: datetime, took: float
    ) -> None:
        """Measure what was done in ``took`` seconds; ``ends`` tells where a partition ends."""
        metrics.APPLY_SECONDS.labels(self.group).observe(took)
        behind: Counter[str] = Counter()
        for where, records in self.records.items():
            topic = self._topic(where)
            metrics.RECORDS_APPLIED.labels(self.group, topic).inc(len(records))
            behind[topic] += max((ends(where) or 0) - records[-1].offset - 1, 0)
        for topic, count in behind.items():
            metrics.CONSUMER_LAG.labels(self.group, topic).set(count)
        seconds = 0.0
        for received in self.received:
            decided = datetime.fromisoformat(received.meta.time)
            seconds = max((now - decided).total_seconds(), 0)
            metrics.EVENT_SECONDS.labels(self.group).observe(seconds)
        if self.received:
            metrics.LAG_SECONDS.labels(self.group).set(seconds)

    def _topic(self, where: TopicPartition) -> str:
        return str(where.topic).removeprefix(self.prefix)
