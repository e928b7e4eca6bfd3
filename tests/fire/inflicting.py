"""Carrying a schedule out, and writing down what was done to whom, from when until when."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.events import Outgoing
from shared.events.records import Meta, headers_of
from shared.kafka.produce import Sender
from shared.runtime.faults import Transient
from tests.fire import faults
from tests.fire.disks import Disks
from tests.fire.faults import Fault
from tests.fire.fleet import Fleet
from tests.fire.history import OK, UNKNOWN, History
from tests.fire.observer import partitions
from tests.fire.world import POISONED
from tests.platform import OwnPlatform

PROJECTOR: Final = "distribution.projector"
SOURCES: Final = ("deposits.works.v1", "accounts.organisations.v1", "accounts.prefixes.v1")


@dataclass(slots=True)
class Inflicting:
    """Does to a fleet, and to the platform where it is ours, what a schedule says."""

    fleet: Fleet
    history: History
    seed: int
    platform: OwnPlatform | None = None
    disks: Disks | None = None
    poisoned: int = field(default=0)

    async def run(self, schedule: Sequence[Fault], done: asyncio.Event) -> None:
        """Carry out every fault at its time; faults on different targets may overlap."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in schedule:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(began + fault.at - time.monotonic(), 0)):
                        await done.wait()
                if done.is_set():
                    return
                group.create_task(self.inflict(fault))

    async def in_turn(
        self, steps: Sequence[Sequence[Fault]], recovered: Callable[[], Awaitable[None]]
    ) -> None:
        """Carry out step after step, the faults of each together; wait in between for recovery."""
        for step in steps:
            await recovered()
            await asyncio.gather(*(self.inflict(fault) for fault in step))
        await recovered()

    async def inflict(self, fault: Fault) -> None:
        """Carry out one fault; returns when it is over."""
        began, outcome, holds = time.monotonic(), OK, list[str]()
        try:
            holds = await self._do(fault)
        except (KafkaError, TimeoutError, Transient):
            outcome = UNKNOWN  # a broker that is away, or slow, cannot be asked for a fault
        said: dict[str, Any] = {"what": fault.what, "target": fault.target, "much": fault.much}
        said |= {"point": fault.point} if fault.point else {}
        self.history.note("fault", begin=began, outcome=outcome, holds=holds, **said)

    async def _do(self, fault: Fault) -> list[str]:
        """Return whom it held."""
        target = fault.target
        if target in self.fleet.berths:
            async with self.fleet.berths[target].hand:
                await self._slot(fault)
            return [target]
        match fault.what:
            case faults.REPLAY:
                await self.replay()
            case faults.POISON_WORKS | faults.POISON_GATE:
                await self.poison(fault.what)
            case _:
                await self._node(fault)
                return [target]
        return []

    async def _slot(self, fault: Fault) -> None:
        fleet, name = self.fleet, fault.target
        match fault.what:
            case faults.TERM:
                fleet.send(name, signal.SIGTERM)
                await fleet.gone(name)
                fleet.start(name)
            case faults.KILLS:
                await self._kills(name, fault.seconds)
            case faults.PAUSE:
                fleet.send(name, signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                fleet.send(name, signal.SIGCONT)
            case faults.LEAVE:
                await fleet.end(name)
                await asyncio.sleep(fault.seconds)
                fleet.start(name)
            case faults.CRASH:
                await self._crash(fault)
            case faults.JUMP:
                file = fleet.place.folder / f"clock-{name}"
                file.write_text(str(fault.much))
                await asyncio.sleep(fault.seconds)
                file.unlink()

    async def _kills(self, name: str, seconds: float) -> None:
        chance = random.Random(f"{self.seed} {name} {seconds}")
        until = time.monotonic() + seconds
        while True:
            self.fleet.send(name, signal.SIGKILL)
            await self.fleet.gone(name)
            self.fleet.start(name)
            if time.monotonic() >= until:
                return
            await asyncio.sleep(chance.uniform(0.1, 1.0))

    async def _crash(self, fault: Fault) -> None:
        """Start a process that dies, or freezes for a while, where it is told to.

        One that does not come there in time is killed where it is.
        """
        fleet, name = self.fleet, fault.target
        fleet.send(name, signal.SIGKILL)
        await fleet.gone(name)
        fleet.start(name, COLOPHON_CRASH=fault.point)
        with suppress(TimeoutError):
            async with asyncio.timeout(fault.seconds):
                while fleet.berths[name].alive and not fleet.stands_still(name):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # of another process
        if fleet.stands_still(name):
            await asyncio.sleep(fault.seconds)
            fleet.send(name, signal.SIGCONT)
            return
        fleet.send(name, signal.SIGKILL)
        await fleet.gone(name)
        fleet.start(name)

    async def _node(self, fault: Fault) -> None:
        assert self.platform is not None
        node: Any = getattr(self.platform, fault.target)
        match fault.what.partition("-")[2]:
            case "kill":
                await asyncio.to_thread(node.kill)
                await asyncio.sleep(fault.seconds)
                await asyncio.to_thread(node.start)
            case "freeze":
                node.stop()
                await asyncio.sleep(fault.seconds)
                node.cont()
            case "full":
                assert self.disks is not None
                await self.disks.fill(fault.target, node, fault.seconds)

    async def replay(self) -> None:
        """Take the projectors' offsets back to the beginning while none of them runs."""
        names = self.fleet.serving("distribution", "projector")
        alone = [name for name in names if self.fleet.berths[name].slot.roles]
        berths = [self.fleet.berths[name] for name in alone if self.fleet.berths[name].wanted]
        for berth in berths:
            await berth.hand.acquire()
        try:
            await asyncio.gather(*(self.fleet.end(berth.slot.name) for berth in berths))
            place = self.fleet.place
            await rewound(place.kafka_bootstrap, place.name)
        finally:
            for berth in berths:
                self.fleet.start(berth.slot.name)
                berth.hand.release()

    async def poison(self, what: str) -> None:
        """Put a record that nobody can read on a topic."""
        self.poisoned += 1
        place, topic, key = self.fleet.place, "deposits.works.v1", f"10.5001/poison-{self.poisoned}"
        kind = "deposits.work-registered.v1"
        if what == faults.POISON_GATE:
            # It states no version: it may be the next one of its key, and denies until a later one.
            topic, key, kind = "accounts.prefixes.v1", POISONED, "accounts.prefix-assigned.v1"
        meta = Meta(f"poison-{self.poisoned}", "/poison", "2026-01-01T00:00:00Z")
        headers = headers_of(kind=kind, meta=meta, subject=key, version=None)
        sender = Sender(place.kafka_bootstrap, topic.partition(".")[0], place.name)
        await sender.start()
        try:
            await sender.send([Outgoing(topic, key.encode(), b"{", headers)])
        finally:
            await sender.stop()


async def rewound(bootstrap: str, prefix: str, *, within: float = 90.0) -> None:
    """Take the projectors' committed offsets back to 0, as soon as their group is empty."""
    offsets = {
        TopicPartition(prefix + topic, partition): 0
        for topic in SOURCES
        for partition in range(partitions(topic))
    }
    async with asyncio.timeout(within):
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=bootstrap, group_id=prefix + PROJECTOR, enable_auto_commit=False
            )
            try:
                await consumer.start()
                consumer.assign(list(offsets))
                await consumer.commit(offsets)
            except KafkaError:
                await asyncio.sleep(0.5)  # a named member that left counts until its session ends
            else:
                return
            finally:
                await consumer.stop()
