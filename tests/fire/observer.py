"""Follows the topics from the start and writes down every record: what was said, where and when.

``begin`` of an entry is the broker's LogAppendTime on our clock, ``end`` when a reader of committed
records had it.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import (
    OfferedWork,
    OwnershipState,
    PrefixState,
    Received,
    SubmissionState,
    TitleState,
    Unreadable,
    WorkState,
    from_record,
)
from shared.kafka.follow import Batch, keep_following
from shared.kafka.topics import declared
from shared.runtime.health import Health
from tests.fire.history import History
from tests.processes import Place, until

TOPICS: Final = (
    "accounts.prefixes.v1",
    "deposits.ownership.v1",
    "deposits.works.v1",
    "deposits.submissions.v1",
)
PRODUCTS: Final = {"distribution.open.v1": "public", "distribution.plus.v1": "plus"}


def version_of(title: str) -> int:
    """Return the timestamp that a work's title says."""
    return int(title.split()[1])


@dataclass(slots=True)
class Observer:
    """One reader of everything. ``ends`` are the offsets read so far, by topic and partition."""

    place: Place
    history: History
    products: bool = False
    positions: dict[tuple[str, int], int] = field(default_factory=dict)

    async def run(self, draining: asyncio.Event) -> None:
        """Follow until told to drain; a broker that is away is waited for."""
        await keep_following(
            "observer",
            self.place.kafka_bootstrap,
            self.topics,
            draining,
            take=self._take,
            health=Health(),
            start=lambda: self.positions,
            prefix=self.place.name,
        )

    @property
    def topics(self) -> list[str]:
        """What is followed."""
        return [*TOPICS, *(PRODUCTS if self.products else ())]

    async def whole(self) -> None:
        """Wait until everything that stands in the topics now was read."""
        ends = await ends_of(self.place, self.topics)

        async def read() -> bool:
            return all(self.positions.get(where, 0) >= end for where, end in ends.items())

        await until(read, within=60, what="all records observed")

    async def _take(self, batch: Batch) -> None:
        seen = time.monotonic()
        ago = time.time()
        for (topic, partition), record in batch.records:
            said = told(topic, record)
            if said is None:
                continue
            appended = seen - max(ago - record.timestamp / 1000, 0.0)
            where = {"topic": topic, "partition": partition, "offset": record.offset}
            self.history.note("seen", begin=appended, end=seen, **where, **said)
        self.positions = dict(batch.positions)


def told(topic: str, record: Any) -> dict[str, Any] | None:
    """Return what a record says; None where it is a watermark or a nudge."""
    key = (record.key or b"").decode(errors="replace")
    match from_record(record.key, record.value, record.headers):
        case Received(event, meta):
            return {"key": key, "version": event.aggregate_version, "id": meta.id, **_of(event)}
        case Unreadable():
            stated = dict(record.headers).get("ce_aggregateversion", b"").decode()
            floor = int(stated) if stated.isdigit() else None
            return {"key": key, "version": None, "unreadable": True, "floor": floor}
    return None


def _of(event: Any) -> dict[str, Any]:
    match event:
        case PrefixState():
            setting = event.setting or event.account_default or "limited"
            return {"owner": event.owner, "setting": setting}
        case TitleState() | OwnershipState():
            return {"owner_prefix": event.owner_prefix}
        case WorkState():
            return {"timestamp": int(event.timestamp), "submission": event.submission}
        case SubmissionState():
            return {"status": event.status}
        case OfferedWork():
            return offered(event)
    return {}


def offered(event: OfferedWork) -> dict[str, Any]:
    """Return what a record of a product shows."""
    work = event.work
    return {
        "version": event.work_version,
        "timestamp": version_of(work["title"][0]),
        "shown": len(work.get("reference", ())),
        "count": work.get("references-count", 0),
        "reason": (work.get("references-withheld") or {}).get("reason", ""),
        "leaked": event.model_dump_json().count("Xyzzyography") - len(work.get("reference", ())),
    }


async def ends_of(place: Place, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return the offsets at which topics end now, by topic and partition."""
    client = AIOKafkaConsumer(bootstrap_servers=place.kafka_bootstrap, group_id=None)
    await client.start()
    try:
        places = [(topic, number) for topic in topics for number in range(partitions(topic))]
        ends = await client.end_offsets([TopicPartition(place.name + t, n) for t, n in places])
    finally:
        await client.stop()
    return {
        (where.topic.removeprefix(place.name), where.partition): end for where, end in ends.items()
    }


def partitions(topic: str) -> int:
    """Return how many partitions a topic has."""
    return declared()[topic].partitions
