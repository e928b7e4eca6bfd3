"""Keeps the search index of this host: follows deposits.works.v1 from the index's own offsets."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from services.distribution.claims import digest, not_withheld, with_claims
from services.distribution.gate import Subject
from services.distribution.projections import counted_of
from services.distribution.search import SearchDoc, SearchIndex, project
from shared.events import Received, WorkState, from_record
from shared.kafka.dead import replay_topic
from shared.kafka.follow import Batch, Place, keep_following
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import EVENT_SECONDS, SEARCH_LAG
from shared.runtime.service import wait_any

TOPICS: Final = ("deposits.works.v1", replay_topic("distribution.projector"))
CAUGHT_UP: Final = 100  # records behind that still count as up to date, under steady deposits
LOOK_SECONDS: Final = 0.05  # how often it is looked whether owners are known
AT_ONCE: Final = 10  # works made ready before others of this process have a turn

State: TypeAlias = Mapping[str, Any]
"""A work as deposits.works.v1 carries it, and under ``indexed`` the time of its event.

Where it comes from the store it has what was counted of it, too: ``cited_by``, and under ``told``
what other works say of it.
"""

log = get_log(__name__)


@dataclass(slots=True)
class Indexer:
    """The one writer of this host's index.

    ``owner_of`` names the owner prefix of a work; ``owners_known`` says whether what the log held
    of owners at the start has been read. Holding ``turn`` keeps writes away: an owner that was
    looked up before a write is in the index after it. ``retired`` is set under ``turn`` when
    another writer goes on from this index's offsets: what is in hand here is that one's to read.
    ``withheld`` are the fields that the policy may keep back: of those nothing is told from the
    other end.
    """

    index: SearchIndex
    bootstrap: str
    owner_of: Callable[[Subject], str | None]
    owners_known: Callable[[], bool]
    prefix: str = ""
    most: int = 2_000
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    retired: bool = False
    withheld: Sequence[str] = ()

    async def run(self, draining: asyncio.Event) -> None:
        """Index until told to drain."""
        self.health.unready("search", "has not read the works to their end yet")
        # What is indexed under an owner that is not known yet would be indexed twice.
        while not self.owners_known() and not draining.is_set():
            await wait_any(draining, timeout=LOOK_SECONDS)
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

    async def put(self, states: Sequence[State], offsets: Mapping[Place, int]) -> int:
        """Write works under the owners they have now; returns how many changed."""
        async with self.turn:
            if self.retired:
                return 0
            docs = []
            for number, state in enumerate(states, 1):
                if doc := self._document(state):
                    docs.append(doc)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
            return await asyncio.to_thread(self.index.write, docs, offsets)

    async def write(self, batch: Batch) -> Sequence[State]:
        """Put a batch and its offsets in, in one commit; an unreadable record is the projector's.

        Positions move past control records without any work in them: that alone is no commit.
        """
        states: list[State] = []
        for number, (_, record) in enumerate(batch.records, 1):
            match from_record(record.key, record.value, record.headers):
                case Received(WorkState() as state, meta):
                    states.append({**state.model_dump(), "indexed": meta.time})
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        if batch.records:
            await self.put(states, dict(batch.positions))
        return states

    async def _take(self, batch: Batch) -> None:
        states = await self.write(batch)
        SEARCH_LAG.set(batch.behind)
        if batch.behind <= CAUGHT_UP:
            self.health.ready("search")
        now = self.clock.now()
        for one in states:
            decided = datetime.fromisoformat(one["indexed"])
            EVENT_SECONDS.labels("search").observe(max((now - decided).total_seconds(), 0))

    def _document(self, state: State) -> SearchDoc | None:
        owner = self.owner_of(Subject(state["doi"], state["title"]))
        try:
            known = state.get("told")
            told = not_withheld(known or (), self.withheld)
            return project(
                {**state, "work": with_claims(state["work"], told)},
                indexed=state["indexed"],
                owner=owner,
                cited_by=state.get("cited_by"),
                told=None if known is None else digest(told),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as fault:
            # One work that no list can show must not keep all others out of the lists.
            log.warning("work not indexed", reason=type(fault).__name__, version=state["version"])
        return None


def as_state(document: Mapping[str, Any]) -> State:
    """Return a work of the store as an indexer takes it, with what was counted of it."""
    doi, version, title = document["_id"], document["v"], document.get("title")
    named = {"doi": doi, "version": version, "title": title}
    return {**document, **named, **counted_of(document)}
