"""Broker and store in containers, where a Docker engine answers.

The images are those of docker-compose.yml. State lies in named volumes that belong to one state
folder; testcontainers removes the containers of a process that was killed. This file could not be
run where it was written, for want of an engine; the embedded pair is what the tests run on.
"""

import contextlib
import hashlib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.obstacle import Obstacle
from deploy.local.ports import HOST, answers
from deploy.local.waiting import until

KAFKA_IMAGE = "apache/kafka:4.3.0"
MONGO_IMAGE = "mongo:8.0"
KAFKA_DATA = "/var/lib/kafka/data"
MONGO_DATA = "/data/db"
ENGINE_PATIENCE = 2  # seconds that an engine has to answer
START_PATIENCE = 120.0  # seconds, once the image is there
END_GRACE = 10  # seconds
REPLICA_SET = "colophon"
ALREADY_INITIALISED = 23  # MongoDB's code for it


@dataclass(slots=True)
class Contained:
    """A node in a container, made when it is first started."""

    name: str
    make: Callable[[], Any]
    is_ready: Callable[[], bool]
    container: Any = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        if self.container is None:
            self.container = self.make().start()
        else:
            self._wrapped().start()
        if not until(self.is_ready, START_PATIENCE):
            end = self._wrapped().logs(tail=15).decode(errors="replace")
            self.kill()
            raise Obstacle(
                f"The {self.name} did not answer within {START_PATIENCE:.0f} seconds. The end of"
                f" its log:\n{end}",
                "Remove its volume (`docker volume ls --filter name=colophon` names it), or start"
                " the embedded pair with COLOPHON_PLATFORM=embedded.",
            )

    def end(self) -> None:
        """Stop and remove the container; its volume stays."""
        if self.container is not None:
            self._wrapped().stop(timeout=END_GRACE)
            self.container.stop()
            self.container = None

    def kill(self) -> None:
        """Kill the container; the next start goes on over its volume."""
        self._wrapped().kill()

    def stop(self) -> None:
        """Pause the container."""
        self._wrapped().pause()

    def cont(self) -> None:
        """Let it go on."""
        self._wrapped().unpause()

    def _wrapped(self) -> Any:
        return self.container.get_wrapped_container()


def engine_answers() -> bool:
    """Whether there is a Docker engine to start containers on."""
    # Asked first: a client that finds no socket leaks the one it tried with.
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    try:
        docker = importlib.import_module("docker")  # not there without the tests' tools
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=ENGINE_PATIENCE)
    except docker.errors.DockerException:
        return False
    with contextlib.closing(client):
        try:
            return bool(client.ping())
        except docker.errors.DockerException:
            return False


def broker(state: Path, port: int) -> Contained:
    """Apache Kafka, alone, reachable on this machine only."""
    environment = {
        "CLUSTER_ID": "Q29sb3Bob25Db2xvcGhvbg",
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_TRANSACTION_MAX_TIMEOUT_MS": "60000",
        "KAFKA_LOG_DIRS": KAFKA_DATA,
    }

    def make() -> Any:
        container = _container(KAFKA_IMAGE, 9092, port)
        container.with_envs(**environment)
        return container.with_volume_mapping(_volume("kafka", state), KAFKA_DATA, "rw")

    return Contained("broker", make, lambda: answers(port))


def store(state: Path, port: int) -> Contained:
    """MongoDB as a replica set of one, reachable on this machine only, without users."""

    def make() -> Any:
        container = _container(MONGO_IMAGE, port, port)
        container.with_command(f"--replSet {REPLICA_SET} --bind_ip_all --port {port}")
        return container.with_volume_mapping(_volume("mongo", state), MONGO_DATA, "rw")

    return Contained("store", make, lambda: answers(port) and _is_primary(port))


def store_url(port: int) -> str:
    """Return the store's address."""
    return f"mongodb://{HOST}:{port}/?directConnection=true"


def _is_primary(port: int) -> bool:
    """Make the replica set where it is not yet; True once its one member takes writes."""
    member = {"_id": 0, "host": f"{HOST}:{port}"}
    client: MongoClient[dict[str, Any]]
    with MongoClient(store_url(port), serverSelectionTimeoutMS=2_000) as client:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        except OperationFailure as failure:
            if failure.code != ALREADY_INITIALISED:
                raise
        except PyMongoError:  # it is starting
            return False
    return False


def _container(image: str, inside: int, outside: int) -> Any:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - as docker above

    container: Any = DockerContainer(image)
    container.ports[f"{inside}/tcp"] = (HOST, outside)
    return container


def _volume(name: str, state: Path) -> str:
    return f"colophon-{name}-{hashlib.sha256(str(state).encode()).hexdigest()[:12]}"
