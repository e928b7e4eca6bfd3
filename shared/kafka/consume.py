"""The consumer loop: every group of Colophon runs this one.

What it promises (law L5): a committed offset never passes a record that was not applied; a store
that is away is waited for, with the same batch in hand; a record that cannot be read or applied is
parked on the group's dead-letter topic and never lost; when too many would be parked the circuit
opens, and the consumer stops and says so.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.events import Received
from shared.kafka import dead
from shared.kafka.circuit import Circuit, CircuitOpen
from shared.kafka.connection import client
from shared.kafka.fetched import Fetched, Record
from shared.kafka.produce import GREATEST_RECORD, Sender, stop
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import jitter
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

POLL_MS: Final = 250
COMMIT_SECONDS: Final = 1.0  # a commit is a 5 ms round trip: on a timer, never per batch
FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 10.0  # seconds, full jitter

# By range, partitions of the same number meet at one member; in turn, they spread evenly.
ASSIGNORS: Final = {
    True: (RangePartitionAssignor,),
    False: (RoundRobinPartitionAssignor,),
}

log = get_log(__name__)
Place: TypeAlias = tuple[str, int]
Handler = Callable[[Sequence[Received]], Awaitable[None]]


class Abandoned(Exception):
    """The partitions in hand were taken away; whoever has them now starts at the last commit."""


@dataclass(slots=True)
class Consumer:
    """One member of a group. ``handler`` applies a batch whole, or raises ``Transient``.

    Any other exception of the handler makes the loop try the batch one by one, to find the records
    that cannot be applied. The handler must be idempotent: batches come again. ``together`` keeps
    partitions of the same number at the same member; ``holds`` hears which partitions of which
    topic are this member's now, none while they are given anew.
    """

    group: str
    topics: Sequence[str]
    service: str
    handler: Handler
    bootstrap: str
    prefix: str = ""
    most: int = 1000
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    member: str | None = None
    together: bool = False
    holds: Callable[[Collection[Place]], None] = lambda _: None
    _taken_away: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand: asyncio.Lock = field(default_factory=asyncio.Lock)
    _applied: dict[TopicPartition, int] = field(default_factory=dict)
    _committed: dict[TopicPartition, int] = field(default_factory=dict)
    _generation: int = 0
    _circuit: Circuit = field(default_factory=Circuit)

    async def run(self, draining: asyncio.Event) -> None:
        """Consume until told to drain; a broker that is away is waited for."""
        self.health.promise(self.group, within=120)
        self.health.unready(self.group, "has no partitions yet")
        while not draining.is_set():
            try:
                await self._consume(draining)
            except CircuitOpen as opened:
                log.error("circuit open", group=self.group, reason=str(opened))  # noqa: TRY400
                self.health.unready(self.group, f"circuit open: {opened}")
                self.health.retire(self.group)
                await draining.wait()
            except (KafkaError, Transient) as fault:
                log.warning("consumer interrupted", group=self.group, reason=type(fault).__name__)
                self.health.unready(self.group, f"interrupted: {type(fault).__name__}")
                self.health.beat(self.group)
                await wait_any(draining, timeout=1.0)
        self.health.retire(self.group)

    async def _consume(self, draining: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            **client(self.bootstrap),
            group_id=self.prefix + self.group,
            group_instance_id=self.member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            partition_assignment_strategy=ASSIGNORS[self.together],
            # A partition of which something is in hand is not in the fetch under way: what follows
            # in it waits for that fetch to end. Longer saves an idle broker work, not a busy one.
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=1024 * 1024,
            fetch_max_bytes=GREATEST_RECORD,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            request_timeout_ms=15_000,
        )
        parking = Sender(self.bootstrap, self.service, self.prefix)
        try:
            await parking.start()
            await consumer.start()
            consumer.subscribe(
                [self.prefix + topic for topic in (*self.topics, dead.replay_topic(self.group))],
                listener=_Listener(self, consumer),
            )
            try:
                await self._loop(consumer, parking, draining)
            except CircuitOpen:
                await self._commit(consumer, self._applied)  # what was parked is not parked again
                raise
            await self._commit(consumer, self._applied)
        finally:
            await stop(consumer)
            await parking.stop()

    async def _loop(
        self, consumer: AIOKafkaConsumer, parking: Sender, draining: asyncio.Event
    ) -> None:
        committed = self.clock.monotonic()
        while not draining.is_set():
            # Not under the lock: during a rebalance this waits for the new assignment, and the
            # rebalance waits in _Listener for the lock.
            batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=self.most)
            # Only now: what came belongs to the assignment of this moment, not of the call.
            generation = self._generation
            async with self._in_hand:
                if batch and not (
                    generation == self._generation and await self._take(consumer, parking, batch)
                ):
                    _give_back(consumer, batch)
                due = self.clock.monotonic() - committed >= COMMIT_SECONDS
                if due and not self._taken_away.is_set():
                    # Nothing is in hand, so the position is what was applied; unlike the last
                    # record's offset it passes the control record behind a transaction.
                    await self._commit(
                        consumer,
                        {where: await consumer.position(where) for where in consumer.assignment()},
                    )
                    committed = self.clock.monotonic()
                    crashpoint("consume.committed")
            self.health.beat(self.group)

    async def _take(
        self, consumer: AIOKafkaConsumer, parking: Sender, batch: dict[TopicPartition, list[Record]]
    ) -> bool:
        """Apply a batch; False where it was taken away before it was applied."""
        try:
            await self._apply(consumer, parking, batch)
        except Abandoned:
            return False
        crashpoint("consume.applied")
        for where, records in batch.items():
            self._applied[where] = records[-1].offset + 1
        return True

    async def _apply(
        self, consumer: AIOKafkaConsumer, parking: Sender, batch: dict[TopicPartition, list[Record]]
    ) -> None:
        started = self.clock.monotonic()
        fetched = Fetched(self.group, self.prefix, batch)
        fetched.refuse(await self._handle(consumer, fetched.received))
        # Before parking: a bad build pours nothing out, and a good one finds it all in the log.
        self._circuit.judge(fetched.offsets, fetched.poison)
        await self._park(consumer, parking, fetched)
        took = self.clock.monotonic() - started
        fetched.measure(consumer.highwater, now=self.clock.now(), took=took)

    async def _handle(
        self, consumer: AIOKafkaConsumer, received: Sequence[Received]
    ) -> dict[int, str]:
        """Apply the batch; return by index what cannot be applied, and why."""
        if not received:
            return {}
        try:
            await self._insist(consumer, lambda: self.handler(received))
        except (Abandoned, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001  (whatever it is, it is found below, record by record)
            log.warning("batch refused, trying one by one", group=self.group, records=len(received))
        else:
            return {}
        refused = {}
        for index, one in enumerate(received):
            try:
                await self._insist(consumer, lambda one=one: self.handler([one]))  # type: ignore[misc]
            except (Abandoned, asyncio.CancelledError):
                raise
            except Exception as fault:  # noqa: BLE001  (parked with the name of what it was)
                refused[index] = f"handler: {type(fault).__name__}"
        return refused

    async def _insist(
        self, consumer: AIOKafkaConsumer, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Do ``work`` until it succeeds or fails for good; while it waits, stay in the group."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                await work()
            except Transient as fault:
                self.health.unready(self.group, str(fault))
                self.health.beat(self.group)  # waiting is not stalling: a restart mends nothing
                consumer.pause(*consumer.assignment())
                await wait_any(self._taken_away, timeout=backoff * jitter())
                if self._taken_away.is_set():
                    raise Abandoned from None
                # Paused: hands out nothing, but tells the coordinator that we are alive.
                await consumer.getmany(timeout_ms=0)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            else:
                consumer.resume(*consumer.paused())
                self.health.ready(self.group)
                return

    async def _park(self, consumer: AIOKafkaConsumer, parking: Sender, fetched: Fetched) -> None:
        letters = fetched.letters(self.clock.now())
        if not letters:
            return
        await self._insist(consumer, lambda: parking.send(letters))
        crashpoint("consume.dead-letter-sent")
        fetched.tell_parked()

    async def _commit(self, consumer: AIOKafkaConsumer, applied: dict[TopicPartition, int]) -> None:
        """Commit where it moved."""
        moved = {at: to for at, to in applied.items() if to > self._committed.get(at, -1)}
        if not moved:
            return
        try:
            await consumer.commit(moved)
        except (CommitFailedError, IllegalStateError):
            log.info("commit overtaken by a rebalance", group=self.group)
        else:
            self._committed |= moved

    async def _revoked(self, consumer: AIOKafkaConsumer) -> None:
        """Finish or abandon what is in hand, commit what was applied, let the partitions go."""
        self._generation += 1
        self._taken_away.set()
        async with self._in_hand:
            self.holds(())
            await self._commit(consumer, self._applied)

    def _assigned(self, ours: Sequence[TopicPartition]) -> None:
        """Start over from what the broker says is committed."""
        self.holds([(one.topic.removeprefix(self.prefix), one.partition) for one in ours])
        self._taken_away.clear()
        self._applied.clear()
        self._committed.clear()
        self._circuit.start_over()
        self.health.ready(self.group)


def _give_back(consumer: AIOKafkaConsumer, batch: dict[TopicPartition, list[Record]]) -> None:
    """Have a batch that was not applied fetched again where the partition is still ours."""
    for where, records in batch.items():
        with contextlib.suppress(IllegalStateError):
            consumer.seek(where, records[0].offset)
    consumer.resume(*consumer.paused())


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets nothing be taken away while it is in hand."""

    def __init__(self, owner: Consumer, consumer: AIOKafkaConsumer) -> None:
        self.owner = owner
        self.consumer = consumer

    async def on_partitions_revoked(self, _revoked: Sequence[TopicPartition]) -> None:
        await self.owner._revoked(self.consumer)  # noqa: SLF001  (one thing in two parts)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self.owner._assigned(assigned)  # noqa: SLF001
        log.info("partitions assigned", group=self.owner.group, count=len(assigned))
