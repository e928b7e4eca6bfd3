"""The products role: which partitions are this replica's, what is new, and what is due again."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.distribution.gate import Gate
from services.distribution.products.crowd import Crowd
from services.distribution.products.emission import Emission
from services.distribution.products.jobs import Board
from services.distribution.products.ledger import Ledger
from services.distribution.products.offers import Kind, Offers, touched, touched_by_denial
from services.distribution.products.writer import SERVICE, TOPICS, Writer
from services.distribution.store import Works
from shared.events import Received, WorkState
from shared.kafka.consume import Consumer, Place
from shared.kafka.nudge import nudges_of
from shared.kafka.topics import declared, partition_of
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import PRODUCTS_LEFT
from shared.runtime.service import wait_any

GROUP: Final = "distribution.products"
WORKS: Final = "deposits.works.v1"
AT_ONCE: Final = 3  # partitions: while the store reads for one, another one is sent
IDLE_SECONDS: Final = 0.2
REPORT_SECONDS: Final = 1.0

log = get_log(__name__)


@dataclass(slots=True)
class Products:
    """Everything this replica does for the topic products.

    ``nudge_seconds`` null: as the topics declare.
    """

    gate: Gate
    works: Works
    board: Board
    bootstrap: str
    prefix: str
    folder: Path
    replica: str
    member: str | None
    nudge_seconds: float | None = None
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    offers: Offers = field(init=False)
    _emissions: dict[int, Emission] = field(default_factory=dict)
    _ours: set[int] = field(default_factory=set)
    _arriving: set[int] = field(default_factory=set)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _crowd: Crowd = field(default_factory=Crowd)
    _reported: float = float("-inf")

    def __post_init__(self) -> None:
        """Hear of every change that may touch what was published."""
        self.offers = Offers(self.gate)
        self.gate.knowledge.listeners.append(self._learn)
        self.gate.knowledge.denials.append(self._denied)

    async def run(self, draining: asyncio.Event) -> None:
        """Publish what is new and what is due again until told to drain."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._consumer().run(draining))
                group.create_task(self._publish_again(draining))
        finally:  # both: a batch in hand needs its ledger to the end
            for one in self._emissions.values():
                await one.writer.stop()

    def _consumer(self) -> Consumer:
        return Consumer(
            GROUP,
            [WORKS],
            SERVICE,
            self.handle,
            self.bootstrap,
            self.prefix,
            most=500,
            health=self.health,
            member=self.member,
            together=True,  # a replayed record meets the writer of its key
            holds=self.holds,
        )

    def holds(self, places: Collection[Place]) -> None:
        """Take note of which partitions are ours now."""
        self._ours = {partition for topic, partition in places if topic == WORKS}
        self._arriving = set(self._ours)
        self._heard.set()

    def _learn(self, received: Received) -> None:
        found = touched(received)
        # What came before is compared as a whole when a partition becomes ours.
        if found and self.gate.knowledge.caught_up:
            self._mark(*found)

    def _denied(self, topic: str, key: str) -> None:
        if self.gate.knowledge.caught_up:
            self._mark(*touched_by_denial(topic, key))

    def _mark(self, kind: Kind, name: str) -> None:
        for partition in self._ours - self._arriving:
            if kind != "work" or partition == partition_of(WORKS, name.encode()):
                self._emissions[partition].mark(kind, name)
        self._heard.set()

    async def handle(self, batch: Sequence[Received]) -> None:
        """Publish what is new, partition by partition, all at once. Raises ``Transient``."""
        parts: dict[int, list[Received]] = defaultdict(list)
        for received in batch:
            if isinstance(received.event, WorkState):
                parts[partition_of(WORKS, received.event.key.encode())].append(received)
        done = await asyncio.gather(
            *(self._live(partition, events) for partition, events in parts.items()),
            return_exceptions=True,
        )
        failed = [fault for fault in done if isinstance(fault, BaseException)]
        for fault in sorted(failed, key=lambda one: isinstance(one, Transient)):
            raise fault  # what is wrong with a record is told before what passes

    async def _live(self, partition: int, events: Sequence[Received]) -> None:
        if partition not in self._ours:
            raise Transient("the partition is not this replica's any more")
        writer = self._emission(partition).writer
        async with writer.turn:
            await writer.live(events)

    def _emission(self, partition: int) -> Emission:
        if partition not in self._emissions:
            writer = Writer(
                partition,
                self.bootstrap,
                self.prefix,
                Ledger(self.folder / f"{partition}.sqlite"),
                self.offers,
                nudges_of({name: declared()[name] for name in TOPICS}, every=self.nudge_seconds),
                self.clock,
            )
            self._emissions[partition] = Emission(
                writer, self.works, self.offers, self.clock, self._crowd
            )
        return self._emissions[partition]

    async def _publish_again(self, draining: asyncio.Event) -> None:
        """Publish again what is due, and nudge, until told to drain."""
        self.health.promise("products-again", within=120)
        while not draining.is_set():
            self._heard.clear()
            busy = False
            try:
                busy = await self._round()
            except Transient as fault:
                log.warning("publishing again waits", reason=str(fault))
            self.health.beat("products-again")
            if not busy:
                await wait_any(self._heard, draining, timeout=IDLE_SECONDS)
        self.health.retire("products-again")

    async def _round(self) -> bool:
        """Do a page of some partitions; True where there is more to do at once."""
        if not self.gate.knowledge.fresh():
            return False  # as old as it is, it could publish what must go
        await self._arrive()
        ours = [self._emissions[one] for one in sorted(self._ours - self._arriving)]
        for one in ours:
            await one.settle()
        due = sorted((one for one in ours if one.due()), key=_longest)[:AT_ONCE]
        pages = await asyncio.gather(*(one.page() for one in due), return_exceptions=True)
        await self._report(ours)
        for page in pages:
            if isinstance(page, BaseException):
                raise page
        await self.rest(max((page for page in pages if isinstance(page, float)), default=0.0))
        return bool(due)

    async def _arrive(self) -> None:
        """Take over partitions that became ours, and compare each with what the gate says."""
        while self._arriving:
            # From now on, changes are marked one by one; what came before is compared.
            partition = self._arriving.pop()
            one = self._emission(partition)
            one.jobs.clear()
            try:
                await self.board.take_over(partition)
                await one.settle(anew=True)
            except BaseException:  # also where it is cancelled: it is still to be compared
                self._arriving |= {partition} & self._ours
                raise

    async def _report(self, ours: Sequence[Emission]) -> None:
        now = self.clock.monotonic()
        PRODUCTS_LEFT.set(sum(job.left for one in ours for job in one.jobs.values()))
        if now - self._reported < REPORT_SECONDS and not any(one.ended for one in ours):
            return
        self._reported = now
        news = [(one, job, job.stands) for one in ours for job in one.news()]
        await self.board.write(self.replica, ((one.writer.partition, job) for one, job, _ in news))
        for one, job, stands in news:  # now: what could not be written is news the next time
            one.reported(job, stands)


def _longest(one: Emission) -> float:
    return min(job.started for job in one.jobs.values())
