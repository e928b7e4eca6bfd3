"""A real broker and a real store for tests: one pair for a whole run, or one that a test breaks.

They come from `deploy.local`: addresses from the environment, else containers, else the embedded
pair. They die with the test run, however it ends.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.home import Home
from deploy.local.nodes import Node
from deploy.local.platform import Platform as Running
from deploy.local.platform import Wishes, platform
from deploy.local.ports import free_ports


@dataclass(frozen=True, slots=True)
class Platform:
    """What a run's tests share; made of plain values, so that it can be handed to other processes.

    The sources say whether each is `embedded`, of `containers` or given by the `environment`.
    `broker_files` is the folder of the broker's state, where it can be looked at.
    """

    kafka_bootstrap: str
    mongodb_url: str
    broker_source: str
    store_source: str
    broker_files: str | None


@dataclass(frozen=True, slots=True)
class OwnPlatform:
    """A platform that a test may break.

    `broker` and `store` each have `kill()`, `stop()` (freeze), `cont()`, `start()` (blocks until it
    answers) and `end()`.
    """

    kafka_bootstrap: str
    mongodb_url: str
    broker: Node
    store: Node


@contextlib.contextmanager
def shared_platform(kept: Path | None = None) -> Iterator[Platform]:
    """One broker and one store for a test run, in a folder that goes when it ends, or is kept."""
    with _home(kept) as home, platform(home, free_ports(["kafka", "store"])) as running:
        files = getattr(running.broker.node, "state", None)
        yield Platform(
            running.kafka_bootstrap,
            running.mongodb_url,
            running.broker.source,
            running.store.source,
            str(files) if files else None,
        )
        if kept is None:
            _discard(running)


@contextlib.contextmanager
def own_platform() -> Iterator[OwnPlatform]:
    """A broker and a store that nobody else uses, whatever addresses the environment has."""
    wishes = Wishes(own=True)
    ports = free_ports(["kafka", "store"])
    with _home() as home, platform(home, ports, wishes) as running:
        assert running.broker.node is not None
        assert running.store.node is not None
        yield OwnPlatform(
            running.kafka_bootstrap, running.mongodb_url, running.broker.node, running.store.node
        )
        _discard(running)


def _discard(running: Running) -> None:
    """Kill what is ours: nothing of its state is wanted, so nobody waits for an end in order."""
    for part in (running.broker, running.store):
        if part.node is not None:
            part.node.kill()


@contextlib.contextmanager
def _home(kept: Path | None = None) -> Iterator[Home]:
    with contextlib.ExitStack() as stack:
        if kept is None:
            folder = tempfile.TemporaryDirectory(
                prefix="colophon-test-", ignore_cleanup_errors=True
            )
            kept = Path(stack.enter_context(folder))
        home = Home(kept)
        home.logs.mkdir(parents=True, exist_ok=True)
        yield home
