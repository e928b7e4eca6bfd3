"""The AsyncAPI 3.1 document of the topics, from ``deploy/topics.toml`` and the event classes.

It becomes docs/interfaces/asyncapi.json (``python -m deploy.docs write``). Here is what concerns
topics: servers, channels and operations; ``messages`` has what stands on them.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from deploy.asyncapi.messages import BINDING, JSON, Node, messages, schemas
from shared.events import NUDGE_KEY, REGISTRY, WATERMARK_KEY
from shared.events.records import NUDGE_TYPE, WATERMARK_TYPE
from shared.kafka.topics import Topic, declared

VERSION: Final = "3.1.0"
PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"

ABOUT: Final = (
    "Every topic of the registry, who writes it, how it is kept, and what a record of it holds."
    " Events are CloudEvents 1.0 in binary mode: attributes in headers, the whole state after the"
    " event as JSON in the value. Read committed. The newest record of a key is what holds."
    " Keys that begin with two underscores are reserved for the topic itself; skip records with"
    " such a key, and records of a type that you do not know."
    " `send` operations name the one service that writes a topic, `receive` operations who reads"
    " it. For indexers: docs/interfaces/topics.md."
)
SERVERS: Final[Node] = {
    "local": {
        "host": "127.0.0.1:9092",
        "protocol": "kafka",
        "description": "What `make run` starts: for one machine, without users.",
    },
    "secured": {
        "host": "{host}",
        "protocol": "kafka-secure",
        "description": "A broker with users; ask the operator for its address.",
        "variables": {
            "host": {"default": "broker.example:9092", "description": "Host and port."},
        },
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    },
}
SCRAM: Final[Node] = {
    "type": "scramSha256",
    "description": "SASL with SCRAM-SHA-256. An indexer's user is `indexer-<organisation>`, and"
    " what it may read follows its organisation's agreement.",
}


def text() -> str:
    """Return the document as the file has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Node:
    """Return the AsyncAPI document of every declared topic and every event."""
    topics = declared().values()
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Colophon topics",
            "version": project["version"],
            "description": ABOUT,
            "license": {"name": project["license"]["text"]},
        },
        "defaultContentType": JSON,
        "servers": SERVERS,
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operations(topics)),
        "components": {
            "schemas": schemas(),
            "messages": dict(messages()),
            "securitySchemes": {"scram": SCRAM},
        },
    }


def messages_of(topic: Topic) -> list[str]:
    """Return the names of the messages that stand on a topic, as the components have them."""
    if _parking(topic):
        return ["dead.letter", "dead.resolution"]
    if _replaying(topic):
        return ["dead.replayed"]
    events = sorted(kind for kind, event in REGISTRY.items() if event.topic == topic.name)
    marks = [WATERMARK_TYPE] if topic.gate else []
    return events + marks + ([NUDGE_TYPE] if topic.nudge else [])


def _parking(topic: Topic) -> bool:
    return topic.name.endswith(".dead.v1")


def _replaying(topic: Topic) -> bool:
    return topic.name.endswith(".replay.v1")


def _channel(topic: Topic) -> Node:
    return {
        "address": topic.name,
        "description": " ".join(_described(topic)),
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in messages_of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "topicConfiguration": {
                    name: _configured(name, value) for name, value in topic.config.items()
                },
                "bindingVersion": BINDING,
            }
        },
        "x-key": topic.key,
        "x-writer": topic.writer,
    }


def _described(topic: Topic) -> Iterator[str]:
    yield f"Written by {topic.writer} alone, keyed by {topic.key}."
    if _parking(topic):
        yield "Records that the group could not apply, with the reason, and what became of them."
    elif _replaying(topic):
        yield "Parked records that the group is handed again; it reads them beside its topics."
    elif topic.config["cleanup.policy"] == "compact":
        yield "Compacted: the newest record of a key stays and holds the whole state."
    else:
        yield "Observations, kept for a time."
    if topic.gate:
        yield (
            f"A gate topic: it decides permissions, and each second a `{WATERMARK_KEY.decode()}`"
            " record in each partition says up to when it is complete."
        )
    if topic.audience:
        yield (
            f"A product for indexers of the audience `{topic.audience}`: a work as that audience"
            " may see it. The order of a key is its offset."
        )
    if topic.nudge:
        yield (
            f"While a partition waits to be compacted, a `{NUDGE_KEY.decode()}` record is written"
            f" to it each {topic.nudge:g} s."
        )


def _configured(name: str, value: str) -> Any:
    if name == "cleanup.policy":
        return value.split(",")
    if re.fullmatch(r"[0-9]+", value):
        return int(value)
    return float(value) if re.fullmatch(r"[0-9]+\.[0-9]+", value) else value


def _operations(topics: Iterable[Topic]) -> Iterator[tuple[str, Node]]:
    for topic in topics:
        channel: Node = {"channel": {"$ref": f"#/channels/{topic.name}"}}
        yield (
            f"{topic.name}.send",
            {
                "action": "send",
                **channel,
                "summary": f"{topic.writer} writes it, and nobody else.",
                "tags": [{"name": topic.writer}],
            },
        )
        yield f"{topic.name}.receive", {"action": "receive", **channel, **_readers(topic)}


def _readers(topic: Topic) -> Node:
    if topic.audience:
        own = {"type": "string", "pattern": r"^indexer-[0-9]+\..+$"}
        return {
            "summary": "Any indexer with a user."
            if topic.audience == "public"
            else "Indexers while their organisation's Metadata Plus agreement runs.",
            "tags": [{"name": "indexers"}],
            "bindings": {"kafka": {"groupId": own, "bindingVersion": BINDING}},
        }
    if topic.gate:
        return {"summary": "Every process that shows works, from the start and without a group."}
    if _parking(topic):
        return {"summary": "Operators, who replay or drop what is parked."}
    if _replaying(topic):
        return {"summary": "The group itself."}
    return {"summary": "The registry's own services."}
