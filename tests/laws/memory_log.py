"""A log in memory with the manners of aiokafka 0.14 and a broker's group, on a clock of its own.

Manners that matter, each read in the client's source: a call of ``getmany`` that began before a
rebalance returns records of the assignment after it; none is returned while one is going on; the
old assignment stands until the new one comes; revocation waits for the listener; ``position`` moves
when records are handed out, and past control records without any; paused partitions hand out
nothing; a new assignment starts from the committed offsets, unpaused; a member that the broker
expelled goes on with what it has and learns of it at its next commit or heartbeat.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalStateError,
    KafkaConnectionError,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)  # when a virtual loop begins
SESSION_SECONDS = 10.0
HEARTBEAT_SECONDS = 2.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next thing to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Jump(self._selector, self)  # type: ignore[has-type]

    def time(self) -> float:
        return self._now


@dataclass(slots=True)
class _Jump:
    inner: Any
    loop: VirtualLoop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits and nothing will ever happen")
        self.loop._now += timeout
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Clock:
    """The clock of what runs on a virtual loop."""

    def now(self) -> datetime:
        return AT + timedelta(seconds=now())

    def monotonic(self) -> float:
        return now()


@dataclass(frozen=True, slots=True)
class Stored:
    """One record of a partition, as a consumer gets it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class Broker:
    """Partitions, one group, and what was committed; None in a partition is a control record."""

    logs: dict[TopicPartition, list[Stored | None]]
    latency: Callable[[], float]
    watch: Callable[[TopicPartition, int], None]
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    parked: list[Any] = field(default_factory=list)
    parking_fails_until: float = 0.0
    members: list["Member"] = field(default_factory=list)
    generation: int = 0
    _joining: dict[int, tuple["Member", "asyncio.Future[Any]"]] = field(default_factory=dict)

    def consumer(self, **_options: Any) -> "Member":
        return Member(self)

    def producer(self, **_options: Any) -> "Producer":
        return Producer(self)

    async def join(self, member: "Member") -> tuple[int, list[TopicPartition]] | None:
        """Wait for the group's next generation; None where the broker expelled the member."""
        if member not in self.members:
            self.members.append(member)
        answer = asyncio.get_running_loop().create_future()
        self._joining[id(member)] = (member, answer)
        self._call_others()
        self._complete()
        found: tuple[int, list[TopicPartition]] | None = await answer
        return found

    def expel(self, member: "Member") -> None:
        """Take a member out, for whatever reason; the others share what it had."""
        if member in self.members:
            self.members.remove(member)
            _, answer = self._joining.pop(id(member), (None, None))
            if answer and not answer.done():
                answer.set_result(None)
            self._call_others()
            self._complete()
            asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._tell_expelled, member)

    def commit(self, member: "Member", offsets: dict[TopicPartition, int]) -> None:
        if member not in self.members or member.generation != self.generation:
            raise CommitFailedError
        for where, offset in offsets.items():
            self.watch(where, offset)
            self.committed[where] = offset

    def _call_others(self) -> None:
        for one in self.members:
            if id(one) not in self._joining:
                later = asyncio.get_running_loop().call_later
                later(self.latency(), self._call, one, self.generation)

    def _call(self, member: "Member", generation: int) -> None:
        if self.generation == generation and id(member) not in self._joining:
            member.rejoin.set()

    def _tell_expelled(self, member: "Member") -> None:
        if member not in self.members:
            member.rejoin.set()

    def _complete(self) -> None:
        if not self.members or len(self._joining) < len(self.members):
            return
        self.generation += 1
        waiting, self._joining = list(self._joining.values()), {}
        shares: list[list[TopicPartition]] = [[] for _ in waiting]
        for n, where in enumerate(self.logs):
            shares[(n + self.generation) % len(shares)].append(where)
        for (_, answer), share in zip(waiting, shares, strict=True):
            if not answer.done():
                answer.set_result((self.generation, share))


@dataclass(eq=False, slots=True)
class Member:
    """What shared.kafka.consume uses of AIOKafkaConsumer."""

    broker: Broker
    listener: Any = None
    generation: int = -1
    dead: bool = False  # killed: nothing it does reaches the broker any more
    rejoin: asyncio.Event = field(default_factory=asyncio.Event)
    _positions: dict[TopicPartition, int | None] = field(default_factory=dict)
    _paused: set[TopicPartition] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)  # no reassignment goes on
    _ready_at: float = 0.0
    _closed: bool = False
    _task: Any = None

    async def start(self) -> None:
        await asyncio.sleep(self.broker.latency())

    def subscribe(self, _topics: Sequence[str], *, listener: Any) -> None:
        self.listener = listener
        self._task = asyncio.ensure_future(self._coordinate())

    async def _coordinate(self) -> None:
        while True:
            self.rejoin.clear()
            self._settled.clear()
            await self.listener.on_partitions_revoked(set(self._positions))
            while (joined := await self.broker.join(self)) is None:  # noqa: ASYNC110
                await asyncio.sleep(self.broker.latency())
            self.generation, share = joined
            await asyncio.sleep(self.broker.latency())
            self._positions = dict.fromkeys(share)
            self._paused.clear()
            self._settled.set()
            await asyncio.sleep(0)
            fetching = asyncio.ensure_future(self._fetch_positions(self._positions))
            await self.listener.on_partitions_assigned(set(share))
            await fetching
            await self.rejoin.wait()

    async def _fetch_positions(self, mine: dict[TopicPartition, int | None]) -> None:
        await asyncio.sleep(self.broker.latency())
        for where, position in list(mine.items()):
            if position is None:
                mine[where] = self.broker.committed.get(where, 0)
        self._ready_at = now() + self.broker.latency()

    async def getmany(
        self, *, timeout_ms: int, max_records: int = 500
    ) -> dict[TopicPartition, list[Stored]]:
        if self._closed:
            raise ConsumerStoppedError
        left = timeout_ms / 1000
        while True:
            if not self._settled.is_set():
                await self._settled.wait()
            found = self._drain(max_records)
            if found or left <= 0:
                return found
            # What is on its way may come during this call, even from behind a rebalance.
            until_something = self.broker.latency() if self._expects() else left
            await asyncio.sleep(min(left, until_something))
            if until_something >= left:
                return {}
            left -= until_something

    def _expects(self) -> bool:
        return any(
            position is None or position < len(self.broker.logs[where])
            for where, position in self._positions.items()
            if where not in self._paused
        )

    def _drain(self, most: int) -> dict[TopicPartition, list[Stored]]:
        found: dict[TopicPartition, list[Stored]] = {}
        if now() < self._ready_at:
            return found
        for where, position in self._positions.items():
            if position is None or where in self._paused:
                continue
            at = position
            while at < len(self.broker.logs[where]) and most > 0:
                record = self.broker.logs[where][at]
                at += 1
                if record is not None:
                    found.setdefault(where, []).append(record)
                    most -= 1
            self._positions[where] = at
        return found

    def pause(self, *places: TopicPartition) -> None:
        self._must_have(places)
        self._paused |= set(places)

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    def resume(self, *places: TopicPartition) -> None:
        self._must_have(places)
        self._paused -= set(places)

    def seek(self, where: TopicPartition, offset: int) -> None:
        self._must_have([where])
        self._positions[where] = offset

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    def highwater(self, where: TopicPartition) -> int:
        return len(self.broker.logs[where])

    async def position(self, where: TopicPartition) -> int:
        while True:
            self._must_have([where])
            found = self._positions[where]
            if found is not None:
                return found
            await asyncio.sleep(0.01)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self._must_have(list(offsets))
        await asyncio.sleep(self.broker.latency())
        if not self.dead:
            self.broker.commit(self, offsets)
        await asyncio.sleep(self.broker.latency())

    async def stop(self) -> None:
        self._closed = True
        if self._task:
            self._task.cancel()
        if not self.dead:
            self.broker.expel(self)

    def kill(self) -> None:
        self.dead = True
        if self._task:
            self._task.cancel()
        asyncio.get_running_loop().call_later(SESSION_SECONDS, self.broker.expel, self)

    def _must_have(self, places: Sequence[TopicPartition]) -> None:
        if not set(places) <= set(self._positions):
            raise IllegalStateError(f"not assigned: {places}")


@dataclass(slots=True)
class Producer:
    """What shared.kafka.produce uses of AIOKafkaProducer, for letters."""

    broker: Broker

    async def start(self) -> None:
        await asyncio.sleep(self.broker.latency())

    async def send(
        self, topic: str, value: bytes | None, *, key: bytes, partition: int | None, headers: Any
    ) -> Any:
        assert partition is None
        await asyncio.sleep(0)
        return asyncio.ensure_future(self._deliver((topic, key, value, dict(headers))))

    async def _deliver(self, letter: Any) -> Any:
        await asyncio.sleep(self.broker.latency())
        if now() < self.broker.parking_fails_until:
            raise KafkaConnectionError
        self.broker.parked.append(letter)
        taken = SimpleNamespace(offset=len(self.broker.parked) - 1)
        await asyncio.sleep(self.broker.latency())
        return taken

    async def stop(self) -> None:
        return
