"""The programs that are compared, each as the command line of a process of its own."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from deploy.local.ports import free_port
from tests.bench.peers.installing import Installed
from tests.processes import ROOT

HERE: Final = Path(__file__).parent
TOPIC: Final = "deposits.works.v1"
BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Task:
    """What one run reads and writes; ``folder`` is its own."""

    bootstrap: str
    prefix: str
    url: str
    database: str
    folder: str
    batch: int = BATCH

    @property
    def topic(self) -> str:
        """The topic it reads."""
        return self.prefix + TOPIC


@dataclass(frozen=True, slots=True)
class Program:
    """One sink; ``command`` may write the files that it needs into the task's folder."""

    name: str
    command: Callable[[Task, Installed], Sequence[str]]


def _module(name: str) -> Callable[[Task, Installed], Sequence[str]]:
    return lambda task, _: [sys.executable, "-m", f"tests.bench.peers.{name}", _said(task)]


def _quix(task: Task, installed: Installed) -> Sequence[str]:
    return [str(installed.python), str(HERE / "quix.py"), _said(task)]


def _said(task: Task) -> str:
    return json.dumps(asdict(task) | {"topic": task.topic})


def _connector(tasks: int) -> Callable[[Task, Installed], Sequence[str]]:
    def command(task: Task, installed: Installed) -> Sequence[str]:
        folder = Path(task.folder)
        worker = _properties(
            folder / "worker.properties",
            {
                "bootstrap.servers": task.bootstrap,
                "listeners": f"http://127.0.0.1:{free_port()}",
                "key.converter": "org.apache.kafka.connect.storage.StringConverter",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
                "offset.storage.file.filename": str(folder / "offsets"),
                "offset.flush.interval.ms": "1000",
                "consumer.isolation.level": "read_committed",
                "consumer.max.poll.records": str(task.batch),
            },
        )
        sink = _properties(
            folder / "sink.properties",
            {
                "name": "works",
                "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
                "tasks.max": str(tasks),
                "topics": task.topic,
                "connection.uri": task.url,
                "database": task.database,
                "collection": "works",
                # The key is the DOI, and becomes the document's _id.
                "transforms": "id",
                "transforms.id.type": "org.apache.kafka.connect.transforms.HoistField$Key",
                "transforms.id.field": "_id",
                "document.id.strategy": "com.mongodb.kafka.connect.sink.processor.id.strategy."
                "ProvidedInKeyStrategy",
                "consumer.override.group.id": f"{task.prefix}connector",
            },
        )
        java = ["java", "-Xms256m", "-Xmx1g", "-cp", f"{installed.libs}/*"]
        return [*java, "org.apache.kafka.connect.cli.ConnectStandalone", worker, sink]

    return command


def _properties(path: Path, settings: Mapping[str, str]) -> str:
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return str(path)


def environment() -> dict[str, str]:
    """Return what every process sees."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


OURS: Final = "Consumer, guarded writes"
CONNECTOR: Final = "MongoDB Kafka Connector 2.0.1"
QUIX: Final = "Quix Streams 3.28.1 MongoDBSink"
PROGRAMS: Final = (
    Program("plain aiokafka loop", _module("plain")),
    Program(OURS, _module("ours")),
    Program(f"{CONNECTOR}, 1 task", _connector(1)),
    Program(f"{CONNECTOR}, 4 tasks", _connector(4)),
    Program(QUIX, _quix),
)
PEERS: Final = tuple(one.name for one in PROGRAMS[2:])
