"""Where broker and store come from: the environment, else containers, else the embedded pair."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from deploy.local import containers, store
from deploy.local.broker.jars import require_program
from deploy.local.broker.server import broker
from deploy.local.children import kill_all
from deploy.local.home import Home
from deploy.local.nodes import Node
from deploy.local.obstacle import Obstacle
from deploy.local.ports import HOST, require_free

Source = Literal["environment", "containers", "embedded"]


_StorePart = tuple["Part", dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller wants of a platform besides its place.

    `rights` are the store's users with the databases each may read and write. `keep_open` are file
    descriptors that the processes inherit. `own` asks for a broker and a store that nobody else
    uses, whatever addresses the environment has.
    """

    rights: store.Rights | None = None
    keep_open: tuple[int, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One half of a platform; `node` is None where the environment gave the address."""

    address: str
    source: Source
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """A broker and a store that answer; `store_urls` has one address per user asked for."""

    broker: Part
    store: Part
    store_urls: Mapping[str, str]

    @property
    def kafka_bootstrap(self) -> str:
        """The broker's address."""
        return self.broker.address

    @property
    def mongodb_url(self) -> str:
        """The store's address for its administrator."""
        return self.store.address


@contextlib.contextmanager
def platform(
    home: Home, ports: Mapping[str, int], wishes: Wishes | None = None
) -> Iterator[Platform]:
    """Broker and store over the state of `home`, started together, ended together.

    Blocks until both answer; to be called from a thread in asynchronous code. Raises Obstacle.
    """
    wishes = wishes or Wishes()
    source = _source(home)
    _look_first(ports, wishes, source)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        broker_half = pool.submit(_broker, home, ports, wishes, source)
        store_half = pool.submit(_store, home, ports, wishes, source)
        stack.callback(_end, broker_half)
        stack.callback(_end, store_half)
        try:
            broker_part, (store_part, urls) = broker_half.result(), store_half.result()
        except KeyboardInterrupt:
            kill_all()  # nobody waits for the rest of a start
            raise
        yield Platform(broker_part, store_part, urls)


def _source(home: Home) -> Source:
    """Say what starts what the environment does not give.

    A state folder that began with the embedded pair stays with it, also when an engine is
    installed later; `COLOPHON_PLATFORM` decides otherwise.
    """
    asked = os.environ.get("COLOPHON_PLATFORM")
    match asked:
        case "embedded" | "containers":
            return asked
        case None | "":
            begun = (home.path / "broker" / "state").exists() or (home.path / "store").exists()
            return "embedded" if begun or not containers.engine_answers() else "containers"
        case _:
            raise Obstacle(
                f"COLOPHON_PLATFORM is {asked!r}.", "Set it to embedded or containers, or unset it."
            )


def _given(variable: str, wishes: Wishes) -> Part | None:
    address = None if wishes.own else os.environ.get(variable)
    return Part(address, "environment") if address else None


def _look_first(ports: Mapping[str, int], wishes: Wishes, source: Source) -> None:
    """Raise Obstacle for what can be seen before anything is started."""
    if _given("KAFKA_BOOTSTRAP", wishes) is None:
        require_free(["kafka"], ports)
        if source == "embedded":
            require_program()
    if _given("MONGODB_URL", wishes) is None:
        require_free(["store"], ports)


def _broker(home: Home, ports: Mapping[str, int], wishes: Wishes, source: Source) -> Part:
    if given := _given("KAFKA_BOOTSTRAP", wishes):
        return given
    port = ports["kafka"]
    state = home.path / "broker" / "state"
    node: Node
    if source == "containers":
        node = containers.broker(state, port)
    else:
        node = broker(
            state,
            port,
            log=home.log("kafka"),
            keep_open=wishes.keep_open,
        )
    node.start()
    return Part(f"{HOST}:{port}", source, node)


def _store(home: Home, ports: Mapping[str, int], wishes: Wishes, source: Source) -> _StorePart:
    rights = wishes.rights or {}
    if given := _given("MONGODB_URL", wishes):
        return given, dict.fromkeys(rights, given.address)
    port = ports["store"]
    state = home.path / "store"
    if source == "containers":
        contained = containers.store(state, port)
        contained.start()
        address = containers.store_url(port)
        return Part(address, source, contained), dict.fromkeys(rights, address)
    node = store.store(state, port, log=home.log("store"), keep_open=wishes.keep_open)
    node.start()
    part = Part(store.administrator_url(state, port), source, node)
    return part, store.grant(state, port, rights)


def _end(start: "Future[Part] | Future[_StorePart]") -> None:
    """End what a start brought up; one that failed left nothing."""
    if start.exception() is not None:
        return
    match start.result():
        case Part(node=node) | (Part(node=node), _) if node is not None:
            node.end()
