"""What was counted of works in this host's lists: how often they are cited, what is said of them.

It changes with works that are not the counted one's own, all the time, and nobody says so. So the
index is walked, again and again, and what it has is compared with the store, in slices that take
the store a fraction of a second each; works in which it differs are indexed again, in one commit a
page. A list that is sorted by counts, or asks for relations and updates from the other end, is as
old as a walk and the pause before it; what an answer shows of a work is the store's own.

A state that comes from the log brings nothing of what others say of the work: a work that is
deposited again is found by that again after the next walk.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from services.distribution.citations import Pace
from services.distribution.claims import digest, not_withheld
from services.distribution.indexer import Indexer, as_state
from services.distribution.search import FromStart, Held, Moment, Order, SearchRequest
from services.distribution.store import Works
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

PAGE: Final = 1_000  # works a commit, of which each costs the same sync whatever is in it
KEYS: Final = 100  # keys a look-up: fewer and more both cost the embedded store more a key

log = get_log(__name__)


@dataclass(slots=True)
class Counts:
    """Keeps the counts in this host's index as the store has them; ``pause`` is in seconds."""

    works: Works
    indexer: Indexer
    pause: float
    health: Health = field(default_factory=Health)

    async def run(self, draining: asyncio.Event) -> None:
        """Walk, pause and walk again until told to drain."""
        self.health.promise("counts", within=60 + self.pause)
        pace = Pace(beat=partial(self.health.beat, "counts"))
        while not draining.is_set():
            try:
                await self.walk(pace, draining)
            except Transient as fault:
                log.warning("counts wait for the store", reason=str(fault))
            self.health.beat("counts")
            await wait_any(draining, timeout=self.pause)
        self.health.retire("counts")

    async def walk(self, pace: Pace, draining: asyncio.Event) -> int:
        """Compare the counts of all works once; returns how many were indexed again."""
        changed = 0
        async for dois in self._pages():
            if draining.is_set():
                break
            held = await asyncio.to_thread(self.indexer.index.held, dois)
            counted: dict[str, Mapping[str, Any]] = {}
            for start in range(0, len(dois), KEYS):
                counted |= await pace.spend(self.works.counts(dois[start : start + KEYS]))
            differing = [
                doi for doi, one in counted.items() if doi in held and self._differ(one, held[doi])
            ]
            for start in range(0, len(differing), KEYS):
                changed += await pace.spend(self._again(differing[start : start + KEYS]))
        return changed

    async def _pages(self) -> AsyncIterator[Sequence[str]]:
        """Yield all works, by creation, which none of them changes."""
        start: Any = FromStart()
        while True:
            asked = SearchRequest(order=Order(Moment.CREATED), start=start, rows=PAGE)
            page = await asyncio.to_thread(self.indexer.index.search, asked)
            if not page.hits:
                return
            yield [hit.doi for hit in page.hits]
            start = page.position

    def _differ(self, counted: Mapping[str, Any], held: Held) -> bool:
        told = digest(not_withheld(counted["told"], self.indexer.withheld))
        return (counted["cited_by"], told) != (held.cited_by, held.told)

    async def _again(self, dois: Sequence[str]) -> int:
        """Index works again as the store has them; returns how many changed."""
        found = await self.works.bare(dois)
        return await self.indexer.put([as_state(document) for document in found.values()], {})
