"""Topic products in tests: what they follow from, and reading them as indexers and as files do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from shared.events import (
    OpenWorkPublished,
    OrganisationRegistered,
    PlusWorkPublished,
    PrefixAssigned,
    ReferencePreferenceSet,
    TitleRegistered,
    TitleTransferred,
    WorkRegistered,
    WorkUpdated,
)
from shared.kafka.topics import declared
from tests.events import AT, Voice
from tests.processes import Place, Running, service, until

OPEN: Final = OpenWorkPublished.topic
PLUS: Final = PlusWorkPublished.topic
JOURNAL: Final = "journal:1234-5679"


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
                            topic,
                            0,
                            0,
                            0,
                            said["doi"],
                            said["work_version"],
                            said["work"],
                            said["standing"]["setting"],
                        )
                    )
        return found

    return await asyncio.to_thread(look)


SETTINGS: Final = {"10.5001": "closed", "10.5002": "limited", "10.5003": "open", "10.5004": None}


def work(doi: str, *, version: int = 1, references: int = 2, title: str | None = None) -> Any:
    kind = WorkRegistered if version == 1 else WorkUpdated
    listed = [
        {"key": f"r{n}", "unstructured": f"Reference {n} of {doi}"} for n in range(references)
    ]
    return kind(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        title=title,
        work={
            "type": "journal-article",
            "DOI": doi,
            "title": [f"Version {version}"],
            **({"reference": listed} if listed else {}),
            "references-count": references,
            "reference-count": references,
        },
    )


def assigned(prefix: str, setting: str | None, *, owner: int = 78, version: int = 1) -> Any:
    kind = PrefixAssigned if version == 1 else ReferencePreferenceSet
    return kind(
        prefix=prefix,
        owner=owner,
        owner_name=f"Press {owner}",
        setting=setting,
        assigned_at=AT,
        version=version,
    )


async def known(accounts: Voice) -> None:
    """Have four prefixes, one of each setting and one whose owner never chose."""
    await accounts.say(
        OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
        *(assigned(prefix, setting) for prefix, setting in SETTINGS.items()),
    )


@contextlib.asynccontextmanager
async def publishing(
    place: Place, *, ready: bool = True, **environment: str
) -> AsyncIterator[Running]:
    """Run the projector and the products."""
    roles = ("projector", "products")
    async with service("distribution", place, *roles, ready=ready, **environment) as running:
        yield running


async def shows(place: Place, topic: str, expected: dict[str, bool], *, version: int = 1) -> None:
    """Wait until the newest records show references as expected, at least at ``version``."""
    seen: dict[str, Any] = {}

    async def agreed() -> bool:
        nonlocal seen
        seen = await fold(place, topic)
        return all(
            doi in seen and seen[doi].version >= version and seen[doi].shows is shown
            for doi, shown in expected.items()
        )

    try:
        await until(agreed, within=30, what=f"{topic} as expected")
    except AssertionError:
        wrong = {doi: seen.get(doi) for doi in expected}
        raise AssertionError(f"{topic} shows {wrong}") from None


def title(prefix: str, version: int) -> Any:
    """Say who owns the journal 1234-5679."""
    kind = TitleRegistered if version == 1 else TitleTransferred
    return kind(subject=JOURNAL, name="Annals", owner_prefix=prefix, version=version)
