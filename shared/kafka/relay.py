"""The relay: from outboxes in the store to topics, at least once, in order per key, fenced.

One relay of a service is active; a standby waits for its lease. Safety does not rest on the lease
but on the broker, which refuses a superseded producer (ADR 3). Watermarks of gate topics say how
fresh a reader's knowledge is (design section 3).
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from shared.events import Outgoing
from shared.events.records import watermark
from shared.kafka.nudge import PersonalNudges
from shared.kafka.produce import FencedSender
from shared.kafka.topics import declared
from shared.runtime.bell import Bell
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Superseded, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import EVENTS_RELAYED, OUTBOX_SECONDS, RELAY_ACTIVE
from shared.runtime.service import wait_any

PAGE: Final = 500  # documents a transaction; 200-1,000 is where the broker is fastest
MOST_BYTES: Final = 8_000_000  # of pages that go together; one alone may be as large
# How soon a change made by another process is found: where one was made lately, where none was, and
# in a gate, whatever was. Each look costs a query for each outbox; a change made in this process
# rings, and only gates and who rang are looked at.
IDLE_SECONDS, LONGEST_IDLE_SECONDS, GATE_SECONDS = 0.1, 1.0, 0.5
WATERMARK_SECONDS: Final = 1.0
RENEW_SECONDS: Final = 1.5  # the lease lasts 5 s
RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


class Box(Protocol):
    """What the relay asks of an outbox (shared.mongo.Outbox)."""

    @property
    def name(self) -> str:
        """The collection that it is of."""
        ...

    async def page(self, most: int) -> list[Any]:
        """Read documents with unpublished events."""
        ...

    async def take_out(self, published: Sequence[Any]) -> None:
        """Remove what was published."""
        ...


class Holdable(Protocol):
    """What the relay asks of a lease (shared.mongo.Lease)."""

    async def hold(self) -> bool:
        """Take or renew it."""
        ...

    async def release(self) -> None:
        """Give it back."""
        ...


@dataclass(slots=True)
class Source:
    """One collection's outbox and the gate topics that nothing else writes to.

    A page of each is served at a time, so that a flood of works cannot hold up a preference: gate
    topics come first, in the order given, what others rest on before them. Between other topics
    nothing is promised: who reads two of them reads each by itself.
    """

    box: Box
    gate: tuple[str, ...] = ()
    clear_since: datetime | None = None
    marked: float = field(default=float("-inf"))


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of an outbox, and when that read began."""

    source: Source
    read_at: datetime
    pending: Sequence[Any]

    @property
    def cut(self) -> bool:
        """Whether there may be more behind it."""
        return bool(self.pending) and self.pending[-1].more

    @property
    def size(self) -> int:
        """How many bytes it is about to send."""
        return sum(one.size for one in self.pending)


def lots(pages: Sequence[Page]) -> Iterator[Sequence[Page]]:
    """Yield neighbours that go into one transaction: of many sources a few documents each. Pure."""
    lot: list[Page] = []
    documents, size = 0, 0
    for page in pages:
        documents, size = documents + len(page.pending), size + page.size
        if lot and (documents > PAGE or size > MOST_BYTES):
            yield lot
            lot, documents, size = [], len(page.pending), page.size
        lot.append(page)
    if lot:
        yield lot


@dataclass(slots=True)
class Relay:
    """A service's relay role.

    It also nudges the personal topics that it writes, until what tombstones took the place of and
    they themselves are compacted; ``nudge_seconds`` overrides how often topics declare it.
    """

    service: str
    sources: Sequence[Source]
    lease: Holdable
    bootstrap: str
    prefix: str = ""
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    bell: Bell = field(default_factory=Bell)
    nudge_seconds: float | None = None
    _nudges: PersonalNudges = field(init=False)
    _idle: float = IDLE_SECONDS
    _next_whole: float = float("-inf")

    def __post_init__(self) -> None:
        """Refuse sources whose order would not be kept."""
        self._nudges = PersonalNudges(self.service, self.nudge_seconds)
        gates = [bool(source.gate) for source in self.sources]
        if gates != sorted(gates, reverse=True):
            raise ValueError("sources of gate topics come before all others")

    async def run(self, draining: asyncio.Event) -> None:
        """Relay until told to drain: wait for the lease, send, and start over when superseded."""
        self.health.promise("relay", within=60)
        while not draining.is_set():
            try:
                if await self.lease.hold():
                    await self._serve(draining)
            except (Transient, Superseded) as fault:
                log.warning("relay interrupted", reason=str(fault))
            # A standby is healthy: waiting is its work.
            self.health.beat("relay")
            await wait_any(draining, timeout=RETRY_SECONDS)
        self.health.retire("relay")

    async def _serve(self, draining: asyncio.Event) -> None:
        sender = FencedSender(self.bootstrap, self.service, "relay", self.prefix)
        await sender.start()
        RELAY_ACTIVE.labels(self.service).set(1)
        log.info("relay active")
        self._nudges.begun(self.clock.monotonic())
        self._next_whole = float("-inf")
        try:
            await self._pump(sender, draining)
            await self.lease.release()
        finally:
            RELAY_ACTIVE.labels(self.service).set(0)
            await sender.stop()

    async def _pump(self, sender: FencedSender, draining: asyncio.Event) -> None:
        renewed = self.clock.monotonic()
        while True:
            leaving = draining.is_set()
            due = self.clock.monotonic() >= self._next_whole
            more = await self._look(sender, whole=leaving or due)
            self.health.beat("relay")
            if self.clock.monotonic() - renewed > RENEW_SECONDS:
                if not await self.lease.hold():
                    raise Superseded("another relay holds the lease")
                renewed = self.clock.monotonic()
            if leaving:
                return  # what is left of a flood is for whoever holds the lease next
            if not more:
                await wait_any(self.bell.rung, draining, timeout=self._until_next_look())

    async def _look(self, sender: FencedSender, *, whole: bool) -> bool:
        """Publish a page of each source, or of gates and who rang; True where one was cut."""
        began, rang = self.clock.monotonic(), self.bell.heard()
        # Read backwards, publish forwards: what an entry rests on was written before it, in a gate
        # that stands before its own source, so it is read after it and published before it.
        rest = [one for one in self.sources if not one.gate and (whole or one.box.name in rang)]
        others = await asyncio.gather(*map(self._read, rest))
        gates = [await self._read(source) for source in reversed(self.sources) if source.gate]
        # Marks before the rest: what takes long to publish must not age what gates know.
        more = await self._publish(gates[::-1], sender)
        await self._mark(sender)
        await self._nudge(sender)
        more |= await self._publish(others, sender)
        if any(page.pending and page.source.box.name not in rang for page in (*gates, *others)):
            self._idle = IDLE_SECONDS  # another process writes, which may write again soon
        elif whole:
            self._idle = min(2 * self._idle, LONGEST_IDLE_SECONDS)
        after = began if more else began + self._idle
        self._next_whole = after if whole else min(self._next_whole, after)
        return more

    def _until_next_look(self) -> float:
        """Seconds to rest: longer the longer nothing came, yet no mark is late for it."""
        now = self.clock.monotonic()
        gates = [source for source in self.sources if source.gate]
        marks = [source.marked + WATERMARK_SECONDS for source in gates if source.clear_since]
        looks = [now + GATE_SECONDS] if gates else []
        return max(min([self._next_whole, *marks, *looks]) - now, 0.0)

    async def _read(self, source: Source) -> Page:
        at = self.clock.now()
        return Page(source, at, await source.box.page(PAGE))

    async def _publish(self, pages: Sequence[Page], sender: FencedSender) -> bool:
        """Publish pages in their order; True where one was cut."""
        for lot in lots([page for page in pages if page.pending]):
            await self._send(lot, sender)
        for page in pages:
            if not page.cut:
                page.source.clear_since = page.read_at
        return any(page.cut for page in pages)

    async def _send(self, lot: Sequence[Page], sender: FencedSender) -> None:
        """Publish what goes together in one transaction, and take it out of all outboxes at once.

        Where one of them cannot be emptied, what stands in it comes again.
        """
        started = self.clock.monotonic()
        records = [record for page in lot for one in page.pending for record in one.records]
        if records:
            await sender.send(records)
            crashpoint("relay.sent")
            self._nudges.published(records, self.clock.monotonic())
        taken_out = (page.source.box.take_out(page.pending) for page in lot)
        for fault in await asyncio.gather(*taken_out, return_exceptions=True):
            if fault is not None:
                raise fault
        OUTBOX_SECONDS.labels(self.service).observe(self.clock.monotonic() - started)
        for topic, count in Counter(record.topic for record in records).items():
            EVENTS_RELAYED.labels(self.service, topic).inc(count)

    async def _mark(self, sender: FencedSender) -> None:
        """Write watermarks where one is due and something is known."""
        now = self.clock.monotonic()
        due = [
            source
            for source in self.sources
            if source.gate and source.clear_since and now - source.marked >= WATERMARK_SECONDS
        ]
        records: list[Outgoing] = []
        for source in due:
            assert source.clear_since is not None
            records += self._watermarks(source.gate, source.clear_since)
        if records:
            await sender.send(records)
            for source in due:
                source.marked = now

    async def _nudge(self, sender: FencedSender) -> None:
        """Write to partitions that wait to be compacted and in which nothing else is written."""
        now = self.clock.monotonic()
        places = self._nudges.due(now)
        if places:
            await sender.send(self._nudges.records(places, rfc3339(self.clock.now())))
            self._nudges.nudged(places, now)

    def _watermarks(self, topics: Sequence[str], at: datetime) -> list[Outgoing]:
        return [
            watermark(topic, partition, rfc3339(at), source=f"/services/{self.service}")
            for topic in topics
            for partition in range(declared()[topic].partitions)
        ]
