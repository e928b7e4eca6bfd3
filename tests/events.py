"""Speaking for a service on its topics, where a test needs its events and not the service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.events import Event, Meta, Outgoing, to_record
from shared.events.records import watermark
from shared.kafka.produce import FencedSender
from shared.kafka.topics import declared
from shared.runtime.clock import SYSTEM, rfc3339
from shared.runtime.faults import Superseded
from shared.runtime.ids import new_id
from tests.processes import Place

AT = datetime(2026, 1, 1, tzinfo=UTC)
TRIES: Final = 2  # with another sender, before a test hears of it


@dataclass(slots=True)
class Voice:
    """A service's one writer: sends events, and watermarks each half second while ``marking``."""

    service: str
    sender: FencedSender
    gate: tuple[str, ...]
    marking: bool = True
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Publish records as they are; a transaction at a time, whoever else of the test speaks.

        As a relay does, it goes on with another sender where one cannot be used any more: then they
        may come twice.
        """
        async with self._lock:
            for _ in range(TRIES):
                with contextlib.suppress(Superseded):
                    await self.sender.send(records)
                    return
                await self.sender.stop()
                await self.sender.start()
            await self.sender.send(records)

    async def say(self, *events: Event, at: datetime | None = None) -> None:
        """Publish events; returns when readers may see them."""
        time = rfc3339(at or SYSTEM.now())
        source = f"/services/{self.service}"
        await self.send([to_record(event, Meta(new_id(), source, time)) for event in events])

    async def mark(self, *, age: timedelta = timedelta(0)) -> None:
        """Write a watermark of ``age`` to every partition of this service's gate topics."""
        at = rfc3339(SYSTEM.now() - age)
        await self.send(
            [
                watermark(topic, partition, at, source=f"/services/{self.service}")
                for topic in self.gate
                for partition in range(declared()[topic].partitions)
            ]
        )


@contextlib.asynccontextmanager
async def speaking(place: Place, *services: str) -> AsyncIterator[Sequence[Voice]]:
    """Open the voice of each service, and keep its gate topics fresh while the block runs."""
    voices = [
        Voice(
            name,
            FencedSender(place.kafka_bootstrap, name, "relay", place.name),
            tuple(t.name for t in declared().values() if t.gate and t.writer == name),
        )
        for name in services
    ]
    for voice in voices:
        await voice.sender.start()
    done = asyncio.Event()

    async def marks() -> None:
        while not done.is_set():
            for voice in voices:
                if voice.marking:
                    await voice.mark()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.5)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(marks())
            try:
                yield voices
            finally:
                done.set()
    finally:
        for voice in voices:
            await voice.sender.stop()
