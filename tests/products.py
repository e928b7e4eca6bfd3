"""Reading the topic products as an indexer does, and as the broker's files hold them."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from shared.events import OpenWorkPublished, PlusWorkPublished
from shared.kafka.topics import declared
from tests.processes import Place

OPEN: Final = OpenWorkPublished.topic
PLUS: Final = PlusWorkPublished.topic


@dataclass(frozen=True, slots=True)
class Published:
    """One record of a product; ``at`` is the broker's time in milliseconds."""

    topic: str
    partition: int
    offset: int
    at: int
    doi: str
    version: int
    work: Mapping[str, Any]
    setting: str | None

    @property
    def shows(self) -> bool:
        """Whether it holds references."""
        return "reference" in self.work


def parsed(topic: str, record: Any) -> Published | None:
    """Return a record of a product, None for a nudge."""
    if record.key == b"__nudge":
        return None
    said = orjson.loads(record.value)
    assert record.key.decode() == said["doi"]
    return Published(
        topic,
        record.partition,
        record.offset,
        record.timestamp,
        said["doi"],
        said["work_version"],
        said["work"],
        said["standing"]["setting"],
    )


async def everything(place: Place, *topics: str) -> list[Published]:
    """Return what the products hold now, in the order of each partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        names = topics or (OPEN, PLUS)
        places = [
            TopicPartition(place.name + name, part)
            for name in names
            for part in range(declared()[name].partitions)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Published] = []
        while any([await consumer.position(one) < ends[one] for one in places]):
            for where, records in (await consumer.getmany(timeout_ms=100)).items():
                topic = where.topic.removeprefix(place.name)
                found += [one for record in records if (one := parsed(topic, record))]
        return found
    finally:
        await consumer.stop()


async def fold(place: Place, topic: str) -> dict[str, Published]:
    """Return the newest record of each work."""
    return {one.doi: one for one in await everything(place, topic)}


def files(state: Path, place: Place, topic: str) -> Iterator[Path]:
    """Return the files of a topic in a broker's state, those about to be deleted included."""
    for folder in sorted((state / "data").glob(f"{place.name}{topic}-*")):
        yield from sorted(folder.glob("*.log*"))


def decoded(path: Path) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Return key and value of every record in a file, whatever it is compressed with."""
    try:
        held = MemoryRecords(path.read_bytes())
    except FileNotFoundError:
        return
    while held.has_next():
        batch = held.next_batch()
        if batch is None or batch.is_control_batch:
            continue
        for record in batch:
            yield record.key, record.value


async def at_rest(state: Path, place: Place, topic: str) -> list[Published]:
    """Return every record that the files of a topic still hold."""

    def look() -> list[Published]:
        found = []
        for path in files(state, place, topic):
            for key, value in decoded(path):
                if key not in {None, b"__nudge"} and value:
                    said = orjson.loads(value)
                    found.append(
                        Published(
                            topic, 0, 0, 0, said["doi"], said["work_version"], said["work"],
                            said["standing"]["setting"],
                        )
                    )
        return found

    return await asyncio.to_thread(look)
