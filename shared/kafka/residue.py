"""What is left in a log of envelopes whose keys are named: counted without any key.

An envelope says in clear which key it is under (privacy design 4.6). Where the log folders of all
brokers can be read every file is decoded, what the broker is about to delete too; elsewhere every
topic is read from beginning to end, aborted transactions included.
"""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.events.orders import KeptUnits
from shared.kafka.cluster import partitions
from shared.kafka.fetched import Record
from shared.kafka.segments import segment_files, stored
from shared.kafka.topics import declared
from shared.kafka.whole import read_whole
from shared.runtime.faults import Transient

MARK: Final = b"pe1."
ENVELOPE: Final = re.compile(
    rb"pe1\.([a-z0-9]{8,64}\.[a-z][a-z-]{0,40})\.([A-Za-z0-9_:-]{1,128})\."
)

LISTINGS: Final = 2  # of a partition's folder


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

    Raises ``Transient`` where a file cannot be read whole.
    """
    places = Places(sought)
    for folder in folders:
        for path, below, _ in os.walk(folder):
            directory = Path(path)
            topic = directory.name.rpartition("-")[0]
            if not below and topic and topic.startswith(prefix):
                _look_into(directory, topic.removeprefix(prefix), places)
    return places


def _look_into(directory: Path, topic: str, places: Places) -> None:
    """Look into one partition: all that was there when this began.

    Files come and go while a broker cleans. What a file held that went before it was read is in one
    that came; so the folder is listed until all that was listed was read, and once more for what
    changed its name while it was listed. What is written meanwhile is nobody's concern here: a
    partition that is written to all the time would never be done.
    """
    seen: set[tuple[int, int]] = set()
    listings = LISTINGS
    while listings:
        listings -= 1
        for path in segment_files(directory):
            try:
                status = path.stat()
                if (status.st_dev, status.st_ino) in seen:
                    continue
                for record in stored(path, growing=path.suffix == ".log"):
                    places.look(topic, record.data, record.codec)
                seen.add((status.st_dev, status.st_ino))
            except FileNotFoundError:
                listings = 1  # under another name now, or gone
            except ValueError as fault:
                raise Transient(f"a segment of {topic} cannot be read: {fault}") from None


async def look_into_topics(bootstrap: str, sought: Sought, *, prefix: str = "") -> Places:
    """Read every topic whose name begins so, from its beginning to where it ends now.

    Raises ``Transient``, also where a topic may not be read.
    """
    places = Places(sought)
    where = await partitions(bootstrap, prefix=prefix)
    unseen = {prefix + name for name in declared()} - {topic for topic, _ in where}
    if unseen:  # a broker does not name to us what we may not read
        raise Transient(f"{len(unseen)} declared topics cannot be read")
    records = read_whole(bootstrap, where)
    async with contextlib.aclosing(records):
        async for topic, record in records:
            places.look(topic.removeprefix(prefix), _data(record))
    return places


def _data(record: Record) -> bytes:
    parts = [record.key or b"", record.value or b""]
    for name, value in record.headers:
        parts += [name.encode(), value or b""]
    return b"\n".join(parts)
