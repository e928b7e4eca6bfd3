"""Lists after a transfer: works are indexed again where they or their title have another owner.

The index says under which owner it holds a work, the gate who owns it now. What is left to do is
the difference, and it stands in the index itself: so a restart goes on where it was interrupted, a
later transfer supersedes an earlier one, and nothing has to be remembered. What a list shows of a
work passes the gate when it is read, and needs none of this.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.distribution.gate import OWNERSHIP, Gate, Subject
from services.distribution.indexer import LOOK_SECONDS, Indexer, as_state
from services.distribution.search import (
    FromStart,
    Moment,
    OneOf,
    Order,
    SearchRequest,
    Term,
    standing,
)
from services.distribution.store import Works
from shared.events import OwnershipState, Received, TitleState
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.metrics import TRANSFERS_DUE
from shared.runtime.service import wait_any

PAGE: Final = 1_000  # works a commit, of which each costs the same sync whatever is in it
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds until what the store does not have yet is retried

log = get_log(__name__)


@dataclass(slots=True)
class Transfers:
    """Keeps the owners in this host's index as the gate knows them."""

    gate: Gate
    works: Works
    indexer: Indexer
    _due: dict[str, None] = field(default_factory=dict)  # DOIs and titles, in order
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _compared: bool = False

    def __post_init__(self) -> None:
        """Hear of every title and work that has another owner."""
        self.gate.knowledge.listeners.append(self._learn)

    def _learn(self, received: Received) -> None:
        match received.event:
            # What came before is compared as a whole when the gate has read it to its end.
            case TitleState(subject=subject) | OwnershipState(subject=subject) if (
                self.gate.knowledge.caught_up
            ):
                self._due[subject] = None
                self._heard.set()

    @property
    def due(self) -> int:
        """How many titles and works wait to be looked at."""
        return len(self._due)

    def close(self) -> None:
        """Hear no more."""
        self.gate.knowledge.listeners.remove(self._learn)

    def look_again(self) -> None:
        """Compare as a whole again: the index is another one."""
        self._compared = False
        self._heard.set()

    async def compare(self) -> None:
        """Have all that the index holds under another owner than the gate knows be due."""
        self._compared = True
        self._due |= dict.fromkeys(await self._moved())

    async def run(self, draining: asyncio.Event) -> None:
        """Compare once as a whole, then follow each transfer, until told to drain."""
        while not self.gate.knowledge.caught_up and not draining.is_set():
            await wait_any(draining, timeout=LOOK_SECONDS)
        pause = FIRST_PAUSE
        while not draining.is_set():
            self._heard.clear()
            if not self._compared:
                await self.compare()
            count = await self.settle(draining)
            TRANSFERS_DUE.set(len(self._due))
            pause = FIRST_PAUSE if count else min(2 * pause, LONGEST_PAUSE)
            await wait_any(self._heard, draining, timeout=pause if self._due else None)

    async def settle(self, draining: asyncio.Event) -> int:
        """Index what is due under its owner; returns how many works that were.

        What the store does not have yet as new as the index stays due.
        """
        due, self._due = list(self._due), {}
        single = [subject for subject in due if subject.startswith("10.")]
        count = 0
        try:
            for dois in _pages(single):
                count += await self._again(dois, title=None)
            for title in due:
                if title not in single:
                    count += await self._title(title, draining)
        except Transient as fault:
            log.warning("transfers wait for the store", reason=str(fault))
            self._due |= dict.fromkeys(due)
        if count:
            log.info("works indexed under their owner", works=count, subjects=len(due))
        return count

    async def _moved(self) -> list[str]:
        """Return the titles of which the index holds works under another owner, and all overrides.

        Overrides are few beside works, and compared without the store.
        """
        pairs = await asyncio.to_thread(self.indexer.index.standings)
        known = self.gate.title_owner
        titles = dict.fromkeys(title for title, held in pairs if known(title) not in {None, held})
        overrides = self.gate.knowledge.held(OWNERSHIP, OwnershipState)
        return [*titles, *(one.subject for one in overrides)]

    async def _title(self, title: str, draining: asyncio.Event) -> int:
        count = 0
        async with self.indexer.turn:  # after what was being written under the owner of before
            pairs = await asyncio.to_thread(self.indexer.index.standings, title)
        for _, held in pairs:
            if self.gate.title_owner(title) in {None, held}:
                continue  # a title that is not known shows no references: it may stay where it is
            async for dois in self._walk(standing(title, held)):
                if draining.is_set():
                    self._due[title] = None
                    return count
                count += await self._again(dois, title=title)
        return count

    async def _walk(self, value: str) -> AsyncIterator[Sequence[str]]:
        """Yield the works held under a standing, by creation, which none of them changes."""
        start: Any = FromStart()
        while True:
            asked = SearchRequest(
                clauses=(OneOf(Term.STANDING, frozenset({value})),),
                order=Order(Moment.CREATED),
                start=start,
                rows=PAGE,
            )
            page = await asyncio.to_thread(self.indexer.index.search, asked)
            if not page.hits:
                return
            yield [hit.doi for hit in page.hits]
            start = page.position

    async def _again(self, dois: Sequence[str], *, title: str | None) -> int:
        """Index those of ``dois`` again that are held under another owner than they have now."""
        async with self.indexer.turn:
            held = await asyncio.to_thread(self.indexer.index.held, dois)
        owner = self.gate.owner_prefix
        moved = [
            doi for doi, one in held.items() if owner(Subject(doi, title)) not in {None, one.owner}
        ]
        found = await self.works.many(moved)
        late = [doi for doi in moved if doi not in found or found[doi]["v"] < held[doi].version]
        self._due |= dict.fromkeys([title or doi for doi in late])
        states = [as_state(found[doi]) for doi in moved if doi not in late]
        return await self.indexer.put(states, {}) if states else 0


def _pages(dois: Sequence[str]) -> Iterator[Sequence[str]]:
    return (dois[start : start + PAGE] for start in range(0, len(dois), PAGE))
