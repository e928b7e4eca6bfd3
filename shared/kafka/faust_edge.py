"""Faust as far as it may be trusted: a consumer that commits nothing it was not told is done.

Faust 0.15.3 loses messages by itself: its offsets pass a message that was delivered and never
acknowledged where that is the first one missing (faust issue 606), creep where records were written
in transactions, and it reads records of transactions that were given up. The overrides here mend
that; tests/unit/shared/test_faust_edge.py and tests/faults/test_killed_clocks.py fail without them.
It makes no topic, starts no producer, no web site and no table, and reaches the broker by the same
address as every other client.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

import aiokafka
import faust
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.app.base import BootStrategy
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from shared.kafka.connection import client, parse
from shared.kafka.produce import GREATEST_RECORD

COMMIT_SECONDS: Final = 1.0
SESSION_SECONDS: Final = 10.0
ASKING_SECONDS: Final = 15.0  # for the broker's ends of partitions


class NothingButAConsumer(BootStrategy):
    """Starts no producer, no site, and no sensors."""

    enable_kafka_producer = False
    enable_web = False


class GuardedThread(AIOKafkaConsumerThread):
    """Reads what was committed, with the address and the limits of all our consumers.

    ``handed``: the offset of the last record that was given to Faust, of each partition.
    """

    handed: dict[TP, int]

    async def _fetch_records(self, *args: Any, **named: Any) -> Any:
        # In the client's own loop and with nothing awaited in between: whoever asks it how far it
        # read finds here what it gave away until then.
        records = await super()._fetch_records(*args, **named)
        for where, some in records.items():
            if some:
                self.handed[TP(where.topic, where.partition)] = some[-1].offset
        return records

    def _create_worker_consumer(self, _transport: Transport) -> aiokafka.AIOKafkaConsumer:
        app = self.app
        assert isinstance(app, GuardedApp)
        # By range, both topics that tell of an account come to the same worker.
        self._assignor = RangePartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            **client(app.address),
            group_id=app.conf.id,
            # An empty name is a name, too, and two members of one name would fence each other.
            group_instance_id=app.conf.consumer_group_instance_id or None,
            partition_assignment_strategy=(RangePartitionAssignor,),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=1024 * 1024,
            fetch_max_bytes=GREATEST_RECORD,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=2_000,
            request_timeout_ms=15_000,
        )


class GuardedConsumer(Consumer):
    """Never commits past a message that was delivered and not acknowledged."""

    def _new_consumer_thread(self) -> GuardedThread:
        thread = GuardedThread(self, loop=self.loop, beacon=self.beacon)
        thread.handed = {}
        return thread

    def _new_offset(self, tp: TP) -> int | None:
        """Return the next offset to commit: none where the first message is still in hand."""
        pending = [one.offset for one in self._unacked_messages if one.tp == tp and not one.acked]
        if not pending:
            return super()._new_offset(tp)
        floor = min(pending)
        acked = self._acked[tp]
        ready = sorted(offset for offset in acked if offset < floor)
        held = [offset for offset in acked if offset >= floor]
        if not ready:
            return None
        acked[:] = ready
        try:
            return super()._new_offset(tp)
        finally:
            acked.extend(held)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note offsets that hold no message; the one that was just delivered is none of them."""
        await super()._add_gap(tp, offset_from, offset_to - 1)

    async def verify_all_partitions_active(self) -> None:
        """Say nothing of partitions in which nothing happens: ``behind`` knows what is late."""


class GuardedTransport(Transport):
    """Makes guarded consumers."""

    Consumer = GuardedConsumer


class GuardedApp(faust.App):
    """An app that only consumes; ``address`` is the broker's, with user and password."""

    address: str = ""
    BootStrategy = NothingButAConsumer

    def _new_transport(self) -> GuardedTransport:
        return GuardedTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make no folder of tables in the working directory: there are no tables."""


def guarded_app(group: str, address: str, *, member: str | None = None) -> GuardedApp:
    """Make an app of a group; ``member`` is its name there, so that a restart moves nothing."""
    app = GuardedApp(
        group,
        # Shown in its logs: without the password.
        broker=";".join(f"kafka://{one}" for one in parse(address).servers.split(",")),
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        processing_guarantee="at_least_once",
        stream_wait_empty=False,
        stream_publish_on_commit=False,
        stream_buffer_maxsize=1000,
        broker_commit_interval=COMMIT_SECONDS,
        broker_commit_every=1000,
        broker_session_timeout=SESSION_SECONDS,
        broker_rebalance_timeout=60.0,
        consumer_group_instance_id=member or "",
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,
    )
    app.address = address
    return app


def committed_by(app: faust.App) -> Mapping[TP, int | None]:
    """Return what it committed last, by partition."""
    return dict(app.consumer._committed_offset)  # type: ignore[attr-defined]  # noqa: SLF001


async def ends_of(app: faust.App) -> dict[TP, int]:
    """Return where the partitions of this worker end now, by what the broker says."""
    async with asyncio.timeout(ASKING_SECONDS):
        ours = set(app.consumer.assignment())
        ends: dict[TP, int] = dict(await app.consumer.highwaters(*ours))
        return ends


async def read_up_to(app: faust.App, ends: Mapping[TP, int]) -> bool:
    """Say whether the client of this worker stands at these ends or beyond.

    It passes the control record behind a transaction: the offset that is committed never does.
    """
    async with asyncio.timeout(ASKING_SECONDS):
        for where, end in ends.items():
            if (await app.consumer.position(where) or 0) < end:
                return False
    return True


def unacknowledged(app: faust.App) -> bool:
    """Say whether an agent has something in hand."""
    consumer, generation = app.consumer, app.consumer_generation_id
    ours = set(consumer.assignment())
    return any(
        not one.acked and one.tp in ours and one.generation_id == generation
        for one in consumer.unacked
    )


def handed(app: faust.App, places: Collection[TP]) -> dict[TP, int]:
    """Return the last record that the client gave away of each of these partitions, by offset.

    Between client and agent a record stands in no list of Faust's: it is counted where the client
    gives it away.
    """
    given = app.consumer._thread.handed  # type: ignore[attr-defined]  # noqa: SLF001
    return {where: given[where] for where in places if where in given}


def all_done(app: faust.App, given: Mapping[TP, int], done: Mapping[TP, int]) -> bool:
    """Say whether what was ``handed`` by then is done.

    ``done``: the last offset that was, of each; what others did before is committed.
    """
    committed = committed_by(app)
    return all(
        offset <= max(done.get(where, -1), (committed.get(where) or 0) - 1)
        for where, offset in given.items()
    )


def named(topic: str, partition: int) -> str:
    """Return the name of a partition."""
    return f"{topic}/{partition}"


def place(message: Any) -> TopicPartition:
    """Return where a message stood."""
    return TopicPartition(message.topic, message.partition)
