"""Keeps the search index of this host: follows deposits.works.v1 from the index's own offsets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.distribution.search import SearchDoc, SearchIndex, project
from shared.events import Received, WorkState, from_record
from shared.kafka.dead import replay_topic
from shared.kafka.follow import Batch, Place, Record, keep_following
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import SEARCH_LAG

TOPICS: Final = ("deposits.works.v1", replay_topic("distribution.projector"))
CAUGHT_UP: Final = 100  # records behind that still count as up to date, under steady deposits

log = get_log(__name__)


@dataclass(slots=True)
class Indexer:
    """The one writer of this host's index. ``owner_of`` names the owner prefix of a DOI."""

    index: SearchIndex
    bootstrap: str
    owner_of: Callable[[str], str | None]
    prefix: str = ""
    most: int = 2_000
    health: Health = field(default_factory=Health)

    async def run(self, draining: asyncio.Event) -> None:
        """Index until told to drain."""
        self.health.unready("search", "has not read the works to their end yet")
        await keep_following(
            "search",
            self.bootstrap,
            TOPICS,
            draining,
            take=self._take,
            health=self.health,
            start=self.index.offsets,
            prefix=self.prefix,
            most=self.most,
        )

    async def _take(self, batch: Batch) -> None:
        await self._write(batch)
        SEARCH_LAG.set(batch.behind)
        if batch.behind <= CAUGHT_UP:
            self.health.ready("search")

    async def _write(self, batch: Batch) -> None:
        """Put a batch and its offsets in, in one commit; an unreadable record is the projector's.

        Positions move past control records without any work in them: that alone is no commit.
        """
        if not batch.records:
            return
        docs = [doc for _, record in batch.records if (doc := self._document(record))]
        moved: dict[Place, int] = dict(batch.positions)
        await asyncio.to_thread(self.index.write, docs, moved)

    def _document(self, record: Record) -> SearchDoc | None:
        match from_record(record.key, record.value, record.headers):
            case Received(WorkState() as state, meta):
                owner = self.owner_of(state.doi)
                try:
                    return project(state.model_dump(), indexed=meta.time, owner=owner)
                except (AttributeError, LookupError, TypeError, ValueError) as fault:
                    # One work that no list can show must not keep all others out of the lists.
                    log.warning(
                        "work not indexed", reason=type(fault).__name__, offset=record.offset
                    )
        return None
