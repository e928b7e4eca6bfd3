"""What is left in a log of envelopes whose keys are named: counted without any key.

An envelope says in clear which key it is under (privacy design 4.6). Where the log folders of all
brokers can be read every file is decoded, what the broker is about to delete too; elsewhere every
topic is read from beginning to end, aborted transactions included.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events.orders import KeptUnits
from shared.kafka.cluster import partitions
from shared.kafka.connection import client
from shared.kafka.produce import GREATEST_RECORD, stop
from shared.kafka.segments import segments, stored
from shared.kafka.topics import declared
from shared.runtime.faults import Transient

MARK: Final = b"pe1."
ENVELOPE: Final = re.compile(
    rb"pe1\.([a-z0-9]{8,64}\.[a-z][a-z-]{0,40})\.([A-Za-z0-9_:-]{1,128})\."
)
POLL_MS: Final = 200
MOST: Final = 2_000  # records of one poll


@dataclass(frozen=True, slots=True)
class Key:
    """One unit's key of one person in one class."""

    keys_id: str
    unit: str


@dataclass(slots=True)
class Sought:
    """Keys that are looked for: units by ``person.class``, none named: all."""

    units: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, records: Iterable[KeptUnits]) -> "Sought":
        """Look for these; where somebody's keys are named twice, once whole, they are whole."""
        units: dict[str, frozenset[str]] = {}
        for one in records:
            named = frozenset(one.units)
            known = units.get(one.keys_id)
            whole = not named or known == frozenset()
            units[one.keys_id] = frozenset() if whole else named | (known or frozenset())
        return cls(units)

    def means(self, key: Key) -> bool:
        """Say whether a key is looked for."""
        units = self.units.get(key.keys_id)
        return units is not None and (not units or key.unit in units)


@dataclass(slots=True)
class Places:
    """What was looked at, by topic, and where which key was found.

    ``found`` counts by key, topic and codec; a codec is "" where the client does not tell it.
    """

    sought: Sought
    records: Counter[str] = field(default_factory=Counter)
    octets: Counter[str] = field(default_factory=Counter)
    found: Counter[tuple[Key, str, str]] = field(default_factory=Counter)

    def look(self, topic: str, data: bytes, codec: str = "") -> None:
        """Look into a record."""
        self.records[topic] += 1
        self.octets[topic] += len(data)
        if MARK not in data:
            return
        for match in ENVELOPE.finditer(data):
            key = Key(match[1].decode(), match[2].decode())
            if self.sought.means(key):
                self.found[key, topic, codec] += 1


def look_into_files(folders: Iterable[Path], sought: Sought, *, prefix: str = "") -> Places:
    """Decode every segment of topics below ``folders`` whose names begin so; blocking.

    Files come and go while a broker cleans: it looks until there is none that it has not seen.
    Raises ``Transient`` where a file cannot be read whole.
    """
    places = Places(sought)
    for folder in folders:
        seen: set[tuple[int, int]] = set()
        while fresh := [one for one in _segments(folder, prefix) if one[2] not in seen]:
            for topic, path, inode in fresh:
                seen.add(inode)
                try:
                    for record in stored(path, growing=path.suffix == ".log"):
                        places.look(topic, record.data, record.codec)
                except FileNotFoundError:
                    seen.discard(inode)  # under another name now, or gone
                except ValueError as fault:
                    raise Transient(f"a segment of {topic} cannot be read: {fault}") from None
    return places


def _segments(folder: Path, prefix: str) -> list[tuple[str, Path, tuple[int, int]]]:
    found = []
    for directory, path in segments(folder):
        topic = directory.rpartition("-")[0]
        if not topic.startswith(prefix):
            continue
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((topic.removeprefix(prefix), path, (status.st_dev, status.st_ino)))
    return found


async def look_into_topics(bootstrap: str, sought: Sought, *, prefix: str = "") -> Places:
    """Read every topic whose name begins so, from its beginning to where it ends now.

    Raises ``Transient``, also where a topic may not be read.
    """
    places = Places(sought)
    where = [TopicPartition(*one) for one in await partitions(bootstrap, prefix=prefix)]
    unseen = {prefix + name for name in declared()} - {one.topic for one in where}
    if unseen:  # a broker does not name to us what we may not read
        raise Transient(f"{len(unseen)} declared topics cannot be read")
    consumer = AIOKafkaConsumer(
        **client(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_uncommitted",
        max_partition_fetch_bytes=GREATEST_RECORD,
        request_timeout_ms=15_000,
    )
    try:
        await consumer.start()
        consumer.assign(where)
        await consumer.seek_to_beginning(*where)
        ends = await consumer.end_offsets(where)
        while any([await consumer.position(one) < ends[one] for one in where]):
            for at, records in (
                await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST)
            ).items():
                for record in records:
                    places.look(at.topic.removeprefix(prefix), _data(record))
                await asyncio.sleep(0)
    except (KafkaError, OSError) as fault:
        raise Transient(f"a topic was not read: {type(fault).__name__}") from fault
    finally:
        await stop(consumer)
    return places


def _data(record: object) -> bytes:
    parts = [getattr(record, "key", None) or b"", getattr(record, "value", None) or b""]
    for name, value in getattr(record, "headers", ()):
        parts += [name.encode(), value or b""]
    return b"\n".join(parts)
