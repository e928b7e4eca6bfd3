"""What a rebuild reads: all that the projector reads, from the start, without its group."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.distribution.projections import SOURCES
from services.distribution.rebuild.insisting import first_of
from shared.events import Received, Unreadable, from_record
from shared.kafka.dead import replay_topic
from shared.kafka.ends import ends
from shared.kafka.follow import FOLLOW_FAULTS, Batch, Place, follow
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

TOPICS: Final = (*SOURCES, replay_topic("distribution.projector"))
MOST: Final = 1_000  # records a page
RETRY_SECONDS: Final = 0.5

log = get_log(__name__)

Positions = Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class Page:
    """What came in one poll, maybe nothing; ``positions`` are where the next one begins."""

    received: Sequence[Received]
    records: int
    unreadable: int
    positions: Positions


class Source(Protocol):
    """A log that can be read whole, as often as wanted."""

    async def ends(self) -> Positions:
        """Return where it ends now. Raises ``Transient``."""
        ...

    def pages(self, start: Positions) -> AsyncGenerator[Page, None]:
        """Yield what follows ``start``, where it names no offset the beginning, without end."""
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """The topics of the projector on the broker."""

    bootstrap: str
    prefix: str = ""
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    async def ends(self) -> Positions:
        """Return where the topics end now. Raises ``Transient``."""
        return await ends(self.bootstrap, TOPICS, prefix=self.prefix)

    async def pages(self, start: Positions) -> AsyncGenerator[Page, None]:
        """Yield what follows ``start``; a broker that is away is waited for."""
        positions = start
        while not self.draining.is_set():
            batches = follow(
                self.bootstrap,
                TOPICS,
                self.draining,
                prefix=self.prefix,
                start=positions,
                most=MOST,
            )
            try:
                async with contextlib.aclosing(batches):
                    async for batch in batches:
                        positions = batch.positions
                        # In a thread: reading a thousand events would keep others waiting.
                        yield await asyncio.to_thread(_page, batch)
            except FOLLOW_FAULTS as fault:
                log.warning("reading interrupted", reason=type(fault).__name__)
                await wait_any(self.draining, timeout=RETRY_SECONDS)


@contextlib.asynccontextmanager
async def ahead(pages: AsyncGenerator[Page, None]) -> AsyncIterator[AsyncIterator[Page]]:
    """Have each next page fetched and read while the block is busy with the one before."""
    ready = asyncio.Queue[Page | None](1)

    async def fetch() -> None:
        async with contextlib.aclosing(pages):
            async for page in pages:
                await ready.put(page)
        await ready.put(None)

    async def come() -> AsyncIterator[Page]:
        while (page := await ready.get()) is not None:
            yield page

    try:
        async with asyncio.TaskGroup() as group:
            fetching = group.create_task(fetch())
            yield come()
            fetching.cancel()
    except BaseExceptionGroup as faults:
        raise first_of(faults) from None


def reached(positions: Positions, wanted: Positions) -> bool:
    """Whether everything below ``wanted`` has been read."""
    return all(positions.get(place, 0) >= offset for place, offset in wanted.items())


def between(start: Positions, end: Positions) -> int:
    """Return how many offsets lie between two positions; compacted ones count."""
    return sum(max(offset - start.get(place, 0), 0) for place, offset in end.items())


def _page(batch: Batch) -> Page:
    received, unreadable = [], 0
    for _, record in batch.records:
        match from_record(record.key, record.value, record.headers):
            case Received() as one:
                received.append(one)
            case Unreadable():
                unreadable += 1
    return Page(received, len(batch.records), unreadable, batch.positions)
