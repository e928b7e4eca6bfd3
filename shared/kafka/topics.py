"""Topics as data: deploy/topics.toml says what exists, who writes it and how it is kept."""

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

from shared.kafka.connection import client

TOPICS_FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "topics.toml"

Audience = Literal["public", "plus"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as declared; ``config`` holds the broker's own settings.

    ``audience`` is that of the policy, of products alone; ``nudge`` is in seconds, null: none.
    ``by_person``: what stands before the first ``|`` of a key decides its partition.
    """

    name: str
    writer: str
    key: str
    partitions: int
    replication: int
    gate: bool = False
    audience: Audience | None = None
    nudge: float | None = None
    by_person: bool = False
    config: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> timedelta | None:
        """How old a record gets before it is deleted, newest of its key or not; null: any age."""
        if "delete" not in self.config["cleanup.policy"]:
            return None
        return timedelta(milliseconds=int(self.config["retention.ms"]))


class NotTheWriter(Exception):
    """A service tried to write a topic that another one owns (one-writer rule)."""


@cache
def declared(path: Path = TOPICS_FILE) -> dict[str, Topic]:
    """Return every declared topic by name. Raises ``ValueError`` naming the place of a mistake."""
    document = tomllib.loads(path.read_text())
    topics = {}
    for row in document["topic"]:
        topic = _topic(row, document, path)
        if topic.name in topics:
            raise ValueError(f"{path}: {topic.name} is declared twice")
        topics[topic.name] = topic
    return topics


def _topic(row: dict[str, Any], document: dict[str, Any], path: Path) -> Topic:
    defaults = document["defaults"]
    try:
        profile = document["profiles"][row["profile"]]
        return Topic(
            name=row["name"],
            writer=row["writer"],
            key=row["key"],
            partitions=row.get("partitions", defaults["partitions"]),
            replication=defaults["replication"],
            gate=row.get("gate", False),
            audience=row.get("audience"),
            nudge=row.get("nudge"),
            by_person=row.get("by_person", False),
            config=defaults["config"] | profile["config"] | row.get("config", {}),
        )
    except KeyError as missing:
        raise ValueError(f"{path}: topic {row.get('name', '?')} lacks {missing}") from None


def owned(topic: str, *, by: str) -> Topic:
    """Return the topic if ``by`` is its writer; otherwise raise ``NotTheWriter``."""
    found = declared().get(topic)
    if found is None or found.writer != by:
        writer = found.writer if found else "nobody: deploy/topics.toml does not name it"
        raise NotTheWriter(f"{by} may not write {topic}; its writer is {writer}")
    return found


def partition_of(topic: str, key: bytes) -> int:
    """Return the partition of a key, as every Java-compatible producer computes it."""
    found = declared()[topic]
    deciding = key.partition(b"|")[0] if found.by_person else key
    return int((murmur2(deciding) & 0x7FFFFFFF) % found.partitions)


async def create(bootstrap: str, *, prefix: str = "", replication: int | None = None) -> list[str]:
    """Create the declared topics that do not exist; return the names that were new."""
    admin = AIOKafkaAdminClient(**client(bootstrap))
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        wanted = [
            NewTopic(
                prefix + topic.name,
                topic.partitions,
                replication or topic.replication,
                topic_configs=topic.config,
            )
            for topic in declared().values()
            if prefix + topic.name not in existing
        ]
        if wanted:
            answer = await admin.create_topics(wanted)
            for name, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)(f"creating {name}")
            await _led(bootstrap, wanted)
        return [topic.name.removeprefix(prefix) for topic in wanted]
    finally:
        await admin.close()


async def _led(bootstrap: str, made: list[NewTopic]) -> None:
    """Wait until every new partition answers: a topic exists a moment before it has a leader."""
    # Following all from the start: asked for one by one, each takes a tenth of a second.
    consumer = AIOKafkaConsumer(*(one.name for one in made), **client(bootstrap))
    await consumer.start()
    try:
        await consumer.end_offsets(
            [TopicPartition(one.name, part) for one in made for part in range(one.num_partitions)]
        )
    finally:
        await consumer.stop()
