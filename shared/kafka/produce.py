"""Producers: one a successor can fence, one for observations. Both obey the one-writer rule."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiokafka.producer.sender
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.events import Outgoing
from shared.kafka.connection import client
from shared.kafka.topics import declared, owned, partition_of
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Outdated, Superseded, Transient

TRANSACTION_MS: Final = 10_000  # an abandoned transaction delays readers this long at most
SEND_SECONDS: Final = 30.0  # well beyond the client's own limit of 15 s, should it not keep it
GREATEST_RECORD: Final = 16 * 1024 * 1024  # bytes; as max.message.bytes of the topics
LETTER_ROOM: Final = 1024 * 1024  # bytes more than a record, for what a dead letter says of it
STOP_SECONDS: Final = 5.0

# The client sleeps 20 ms after each commit while it looks for the transaction's end; at 2 ms small
# transactions are four times faster (streams.md 9.5, measured).
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.002


def _producer(bootstrap: str, **more: Any) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client(bootstrap),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=0,
        max_batch_size=1024 * 1024,
        max_request_size=GREATEST_RECORD + LETTER_ROOM,
        request_timeout_ms=15_000,
        **more,
    )


async def _post(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], *, service: str, prefix: str
) -> list[int]:
    """Send records in order and wait for their acknowledgements; only to topics of ``service``.

    Returns their offsets; -1 stands for one that the broker had taken at an earlier try.
    """
    sent = [
        await producer.send(
            prefix + owned(one.topic, by=service).name,
            one.value,
            key=one.key,
            partition=_partition(one),
            headers=list(one.headers),
        )
        for one in records
    ]
    return [taken.offset for taken in await asyncio.gather(*sent)]


def _partition(one: Outgoing) -> int | None:
    if one.partition is None and declared()[one.topic].by_person:
        return partition_of(one.topic, one.key)
    return one.partition


@dataclass(slots=True)
class FencedSender:
    """Sends for one role of one service; starting a successor voids what this one still holds.

    The transaction is a fence, not a transaction: an old relay that wakes up late is refused by
    the broker, so an old version can never land behind a newer one. A transaction that is older
    than ``timeout_ms`` when its sender wakes up is refused, too.
    """

    bootstrap: str
    service: str
    role: str
    prefix: str = ""
    timeout_ms: int = TRANSACTION_MS
    patience: float = SEND_SECONDS
    _producer: AIOKafkaProducer = field(init=False)

    async def start(self) -> None:
        """Connect and fence any predecessor. Raises ``Transient`` while the broker is away."""
        self._producer = _producer(
            self.bootstrap,
            transactional_id=f"{self.prefix}{self.service}.{self.role}",
            transaction_timeout_ms=self.timeout_ms,
        )
        try:
            await self._producer.start()
        except KafkaError as fault:
            await self.stop()
            raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault

    async def send(
        self, records: Sequence[Outgoing], *, still: Callable[[], bool] = lambda: True
    ) -> list[int]:
        """Publish all records or none, in order; returns their offsets when readers may see them.

        Asks ``still`` last, before it commits: where what the records rest on no longer holds,
        none is published and it raises ``Outdated``. Raises ``Superseded`` on any fault, and after
        ``patience`` seconds: then this sender must be stopped and another one started, which finds
        out whether the role is still ours. An offset of -1 was not told.
        """
        try:
            async with asyncio.timeout(self.patience):
                return await self._send(records, still)
        # A fenced producer answers with ProducerFenced, IllegalOperation or AssertionError
        # (streams.md 9.5); none of them leaves it usable.
        except (KafkaError, AssertionError, TimeoutError) as fault:
            raise Superseded(f"sending ended: {type(fault).__name__}") from fault

    async def _send(self, records: Sequence[Outgoing], still: Callable[[], bool]) -> list[int]:
        await self._producer.begin_transaction()
        offsets = await _post(self._producer, records, service=self.service, prefix=self.prefix)
        crashpoint("relay.before-commit")
        if not still():
            await self._producer.abort_transaction()
            raise Outdated("what the records rest on changed before they were published")
        await self._producer.commit_transaction()
        return offsets

    async def stop(self) -> None:
        """Let go of the connection, waiting a few seconds at most."""
        await stop(self._producer)


@dataclass(slots=True)
class Sender:
    """Sends observations (receipts, dead letters) without a fence: order between them is free."""

    bootstrap: str
    service: str
    prefix: str = ""
    _producer: AIOKafkaProducer = field(init=False)

    async def start(self) -> None:
        """Connect. Raises ``Transient`` while the broker is away."""
        self._producer = _producer(self.bootstrap)
        try:
            await self._producer.start()
        except KafkaError as fault:
            await self.stop()
            raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Publish; returns when all are acknowledged by all replicas, or raises ``Transient``."""
        try:
            await _post(self._producer, records, service=self.service, prefix=self.prefix)
        except KafkaError as fault:
            raise Transient(f"the broker did not take it: {type(fault).__name__}") from fault

    async def stop(self) -> None:
        """Flush and let go of the connection, waiting a few seconds at most."""
        await stop(self._producer)


async def stop(client: Any) -> None:
    """Stop a Kafka client; one that cannot reach its broker is given up after a few seconds.

    A consumer's own fetches end as cancelled when it is stopped, and now and then it hands that on:
    a cancellation that nobody asked for would end whoever follows a topic, without a word.
    """
    us = asyncio.current_task()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await client.stop()
    except (TimeoutError, KafkaError, AssertionError):
        return
    except asyncio.CancelledError:
        if us is None or us.cancelling():
            raise
