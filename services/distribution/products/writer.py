"""The one writer of a partition of the products.

The broker lets one writer at a time publish (a transactional id a partition), and aborts what a
frozen one left open. Before a transaction is committed its writer looks whether the gate still says
what the records say. Taking over, a writer first fences its predecessor, then reads back what was
published, and only then publishes: so the ledger is exact whenever something is decided by it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from services.distribution.products.ledger import Ledger, Row
from services.distribution.products.offers import Candidate, Offer, Offers, of_event
from shared.events import (
    Event,
    Meta,
    OfferedWork,
    OpenWorkPublished,
    Outgoing,
    PlusWorkPublished,
    Received,
    Standing,
    from_record,
    to_record,
)
from shared.events.records import nudge
from shared.kafka.follow import Record, read_to_end
from shared.kafka.knowledge import NEVER
from shared.kafka.nudge import Nudges
from shared.kafka.produce import FencedSender
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Outdated, Superseded, Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.metrics import PRODUCTS_PUBLISHED

SERVICE: Final = "distribution"
SOURCE: Final = "/services/distribution"
TOPICS: Final = (OpenWorkPublished.topic, PlusWorkPublished.topic)
READ_BACK: Final = PlusWorkPublished.topic  # both topics hold the same works in the same order
TRANSACTION_MS: Final = 3_000  # how long a frozen writer's last transaction may wait for it
LEAST, MOST = 10, 200  # works a transaction; fewer while transactions take long
PROMPT_SECONDS: Final = 1.0  # the second in which every outlet begins to obey

log = get_log(__name__)


@dataclass(slots=True)
class Writer:
    """Publishes the works of one partition. Hold ``turn`` around whatever it is asked to do.

    ``nudges`` says when the partition waits to be compacted.
    """

    partition: int
    bootstrap: str
    prefix: str
    ledger: Ledger
    offers: Offers
    nudges: Nudges
    clock: Clock = SYSTEM
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken: int = 0  # how often it took over: each time the ledger may have learned something
    _sender: FencedSender | None = None
    _most: int = MOST
    _since: datetime = NEVER

    async def take_over(self) -> FencedSender:
        """Fence whoever wrote before, and learn from the topic itself what was published.

        Raises ``Transient`` while the broker is away.
        """
        if self._sender is not None:
            return self._sender
        sender = FencedSender(
            self.bootstrap,
            SERVICE,
            f"products.{self.partition}",
            self.prefix,
            timeout_ms=TRANSACTION_MS,
        )
        await sender.start()
        try:
            await self._read_back()
        except BaseException:
            await sender.stop()
            raise
        self.nudges.changed(self.clock.monotonic())  # what a predecessor nudged is not known
        self._sender = sender
        self.taken += 1
        return sender

    async def _read_back(self) -> None:
        start = await asyncio.to_thread(self.ledger.position)
        read = partial(read_to_end, self.bootstrap, READ_BACK, self.partition, prefix=self.prefix)
        try:
            async for records, position in read(start=start):
                await asyncio.to_thread(self.ledger.fold, _rows(records), position)
        except ValueError:
            log.warning("the product topic began anew, so does its ledger", at=self.partition)
            await asyncio.to_thread(self.ledger.begin_anew)
            async for records, position in read(start=0):
                await asyncio.to_thread(self.ledger.fold, _rows(records), position)

    async def live(self, batch: Sequence[Received]) -> int:
        """Publish what is newer than what was published; returns how many works that were."""
        newest = {
            one.doi: (one, received.meta.id)
            for received in sorted(batch, key=lambda one: one.event.aggregate_version or 0)
            if (one := of_event(received))
        }
        await self.take_over()
        held = await asyncio.to_thread(self.ledger.rows, list(newest))
        fresh = [
            pair
            for doi, pair in newest.items()
            if doi not in held or held[doi].version < pair[0].version
        ]
        await self._publish(fresh, why="new")
        return len(fresh)

    async def again(self, candidates: Sequence[Candidate]) -> set[str]:
        """Publish works again under the standing they have now, where it is another one.

        Returns the DOIs of those that are not as new as what was published: the read model they
        came from is behind, so they stay due.
        """
        await self.take_over()
        held = await asyncio.to_thread(self.ledger.rows, [one.doi for one in candidates])
        late = {
            one.doi for one in candidates if one.doi in held and one.version < held[one.doi].version
        }
        changed = [
            one
            for one in candidates
            if one.doi in held
            and one.doi not in late
            and held[one.doi].standing != text_of(self.offers.standing(one.subject))
        ]
        await self._publish([(one, None) for one in changed], why="again")
        return late

    async def nudge(self) -> None:
        """Write a nudge to both topics, if one is due."""
        now = self.clock.monotonic()
        if not self.nudges.due(now):
            return
        at = rfc3339(self.clock.now())
        await self._send(
            lambda: [nudge(topic, self.partition, at, source=SOURCE) for topic in TOPICS]
        )
        self.nudges.nudged(now)

    async def stop(self) -> None:
        """Let go of the broker and the ledger."""
        async with self.turn:
            await self.let_go()
            self.ledger.close()

    async def _publish(self, works: Sequence[tuple[Candidate, str | None]], *, why: str) -> None:
        done = 0
        while done < len(works):
            done += await self._transaction(works[done : done + self._most])
        PRODUCTS_PUBLISHED.labels(why).inc(len(works))

    async def _transaction(self, works: Sequence[tuple[Candidate, str | None]]) -> int:
        """Publish works in one transaction under what the gate says when it is committed.

        Returns how many: none where the gate said otherwise before the commit.
        """
        if not self.offers.fresh(self._since):
            raise Transient("knowledge of permissions is stale: the products pause")
        revision, began = self.offers.revision, self.clock.monotonic()
        offers = [self.offers.offer(candidate) for candidate, _ in works]
        try:
            offsets = await self._send(
                partial(self._records, offers, [cause for _, cause in works]),
                still=partial(self._still, offers, revision, began),
            )
        except Outdated:
            return 0
        crashpoint("products.sent")
        rows = [
            _row(offer, offset)
            for offer, offset in zip(offers, offsets[1 :: len(TOPICS)], strict=True)
        ]
        await asyncio.to_thread(self.ledger.fold, rows, offsets[-1] + 1)
        self.nudges.changed(self.clock.monotonic())
        self._most = min(self._most * 2, MOST)
        return len(works)

    def _still(self, offers: Sequence[Offer], revision: int, began: float) -> bool:
        """Whether what the records rest on holds at this moment.

        A writer that needed longer than it may, since it was frozen or its broker is slow, knows
        nothing of what was decided meanwhile: it waits for word of that, and takes less at a time.
        """
        if self.clock.monotonic() - began > PROMPT_SECONDS:
            self._since = self.clock.now()
            self._most = max(self._most // 2, LEAST)
            return False
        known = self.offers.fresh(self._since)
        return known and (self.offers.revision == revision or all(map(self.offers.holds, offers)))

    def _records(self, offers: Sequence[Offer], causes: Sequence[str | None]) -> list[Outgoing]:
        """Return the records of works, those of one work side by side, in the order of TOPICS."""
        at = rfc3339(self.clock.now())
        return [
            _placed(event, Meta(new_id(), SOURCE, at, cause), self.partition)
            for offer, cause in zip(offers, causes, strict=True)
            for event in self.offers.events(offer)
        ]

    async def _send(
        self,
        records: Callable[[], list[Outgoing]],
        *,
        still: Callable[[], bool] = lambda: True,
    ) -> list[int]:
        """Send in one transaction; returns the offsets, all of them told.

        Raises ``Transient`` where it failed, or where it is not known: the next try takes over
        anew and finds in the topic what became of this one.
        """
        sender = await self.take_over()
        try:
            offsets = await sender.send(records(), still=still)
        except Superseded as fault:
            await self.let_go()
            raise Transient(str(fault)) from fault
        if min(offsets) < 0:
            await self.let_go()
            raise Transient("the broker took a record at an earlier try and did not tell where")
        return offsets

    async def let_go(self) -> None:
        """Forget the sender: what comes next takes over anew, in turn."""
        if self._sender is not None:
            sender, self._sender = self._sender, None
            await sender.stop()


def text_of(standing: Standing) -> str:
    """Return a standing as a ledger compares it."""
    return standing.model_dump_json()


def _row(offer: Offer, offset: int) -> Row:
    one, standing = offer.candidate, offer.standing
    return Row(
        one.doi, one.version, one.title or "", standing.prefix or "", text_of(standing), offset
    )


def _rows(records: Iterable[Record]) -> list[Row]:
    """Return the rows of what was published before."""
    rows: list[Row] = []
    for record in records:
        match from_record(record.key, record.value, record.headers):
            case Received(OfferedWork() as state):
                rows.append(
                    Row(
                        state.doi,
                        state.work_version,
                        state.title or "",
                        state.standing.prefix or "",
                        text_of(state.standing),
                        record.offset,
                    )
                )
    return rows


def _placed(event: Event, meta: Meta, partition: int) -> Outgoing:
    one = to_record(event, meta)
    return Outgoing(one.topic, one.key, one.value, one.headers, partition)
