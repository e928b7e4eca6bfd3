"""The roles that match: a consumer of works, and a loop for those that wait.

What a work's newest deposit says is matched once, by the features of its references and by a search
of their words; what finds nothing then is tried by features alone when a work comes that offers one
of them. Nobody waits for a match as somebody waits for a page: it is done in small batches, with a
rest after each that is as long as it took.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from services.distribution.citedby.alerts import Alerts, News
from services.distribution.matching import references
from services.distribution.matching.cards import Card
from services.distribution.matching.kept import Found, Kept, Matches
from services.distribution.matching.scoring import choose
from services.distribution.projections import WORKS, cited
from services.distribution.rebuild.pointer import ReadModels, called
from services.distribution.search import SearchIndex, SearchIndexError, Text, Words
from services.distribution.store import Works
from shared.events import Received, WorkState
from shared.mongo import faults
from shared.mongo.client import UpdateOne
from shared.mongo.leases import Lease
from shared.mongo.shelves import shelf_of
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

NEAREST: Final = 5  # works of a search that are compared
MOST_WAITING: Final = 400  # features of one work
AT_ONCE: Final = 20
LOOKED_AT: Final = 200  # of which some may wait for the projector
IDLE_SECONDS: Final = 0.5
LONGEST_REST: Final = 0.5

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Citing:
    """A work whose references are to be matched; ``at`` is when what it says became known."""

    doi: str
    version: int
    title: str | None
    work: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be kept of a work, instead of what; ``weighed`` are the works it was tried for."""

    old: Kept | None
    new: Kept
    weighed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Open:
    """A reference that nothing is found for yet."""

    key: str
    of: str
    reference: Mapping[str, Any]
    reading: references.Reading | None
    hidden: str | None

    @property
    def wanted(self) -> list[str]:
        """The features that a work it means would offer."""
        named = [] if self.hidden is None else [references.named(self.hidden)]
        return named + ([] if self.reading is None else references.wanted(self.reading))

    def choose(self, cards: Iterable[Card], *, itself: str) -> str | None:
        """Return the work that is meant, if any of these."""
        known = list(cards)
        if self.hidden is not None:
            return next((card.doi for card in known if card.doi == self.hidden), None)
        return None if self.reading is None else choose(self.reading, known, itself=itself)


@dataclass(slots=True)
class Matcher:
    """Matches works of one host; safe beside others, since no write goes over another's."""

    matches: Matches
    models: ReadModels
    index: SearchIndex
    alerts: Alerts
    clock: Clock = SYSTEM

    async def take(self, batch: Sequence[Received]) -> None:
        """Match the newest of each work in a batch; raises ``Transient`` to be asked again."""
        began = self.clock.monotonic()
        newest: dict[str, Citing] = {}
        for received in batch:
            state = received.event
            if not isinstance(state, WorkState):
                continue
            if state.doi not in newest or newest[state.doi].version < state.version:
                newest[state.doi] = Citing(
                    state.doi,
                    state.version,
                    state.title,
                    state.work,
                    datetime.fromisoformat(received.meta.time),
                )
        held = await self.matches.many(list(newest))
        due = [
            one
            for doi, one in newest.items()
            if doi not in held or held[doi].version <= one.version
        ]
        changes = [await self.match(one, held.get(one.doi)) for one in due]
        await self.put(changes)
        for change in changes:
            await self.matches.wake(change.new.offers)
        took = self.clock.monotonic() - began
        await asyncio.sleep(min(took, LONGEST_REST))

    async def match(self, one: Citing, held: Kept | None, *, search: bool = True) -> Change:
        """Return what is to be kept of a work: its references matched as far as can be."""
        card = Card.of(one.doi, one.work)
        given = set(cited(one.work))
        kept, open_ = _split(one.work, held)
        met, weighed = await self._found(one.doi, open_, search=search)
        found = [*kept, *met]
        extra = tuple(sorted({each.doi for each in found} - given))
        known = held.links if held else {}
        keys = {each.key for each in found}
        waiting = [feature for each in open_ if each.key not in keys for feature in each.wanted]
        new = Kept(
            doi=one.doi,
            version=one.version,
            card=card,
            title=one.title,
            offers=(references.named(one.doi), *references.offered(card)),
            found=tuple(found),
            extra=extra,
            links={doi: known.get(doi, one.at) for doi in sorted(given | set(extra))},
            waiting=tuple(dict.fromkeys(waiting))[:MOST_WAITING],
            due=tuple(sorted(set(extra) ^ set(held.extra) | set(held.due) if held else extra)),
            turn=new_id(),
        )
        return Change(held, new, weighed)

    async def put(self, changes: Sequence[Change]) -> None:
        """Write matches, have the counts that change counted again, and look once more.

        What came while a work was matched did not see that it waits: it is looked for afterwards.
        """
        decided = await self._with_news(changes)
        await self.matches.put([(one.old, one.new) for one in decided])
        crashpoint("distribution.matches-written")
        due = [one.new for one in decided if one.new.due or one.new.news]
        await self.recount(sorted({doi for one in due for doi in one.due}))
        await self.alerts.tell(
            News(doi, one.doi, one.links[doi]) for one in due for doi in one.news
        )
        await self.matches.settle(due)
        for one in changes:
            if one.new.waiting:
                offering = await self.matches.offering(one.new.waiting)
                if offering.keys() - one.weighed:
                    await self.matches.wake_one(one.new.doi)

    async def _with_news(self, changes: Sequence[Change]) -> list[Change]:
        """Note of each work which citations are new to somebody who wants to be told."""
        fresh = [set(one.new.links) - set(one.old.links if one.old else ()) for one in changes]
        wanted = await self.alerts.wanted(sorted(set().union(*fresh)))
        return [
            replace(one, new=replace(one.new, news=_news(one, wanted & new)))
            for one, new in zip(changes, fresh, strict=True)
        ]

    async def recount(self, dois: Sequence[str]) -> None:
        """Have works counted again; a count that is under way is void."""
        if not dois:
            return
        for generation in (await self.models.fresh()).written:
            works = self.matches.database[called(WORKS, generation)]
            with faults():
                # Each on its own shelf: a mark that moved could be missed by who goes round.
                await works.bulk_write(
                    [
                        UpdateOne(
                            {"_id": doi, "recount": {"$exists": True}},
                            {"$set": {"recount_shelf": shelf_of(doi), "counted": new_id()}},
                        )
                        for doi in dois
                    ],
                    ordered=False,
                )

    async def _found(
        self, doi: str, open_: Sequence[Open], *, search: bool
    ) -> tuple[list[Found], frozenset[str]]:
        """Return what references mean, by features first, then by their words; and what was tried.

        The engine may be behind the store, and what it does not hold yet is found by features.
        """
        wanted = list(dict.fromkeys(feature for one in open_ for feature in one.wanted))
        offering = await self.matches.offering(wanted)
        found: list[Found] = []
        for one in open_:
            asked = set(one.wanted)
            near = [card for card, offers in offering.values() if asked & offers]
            chosen = one.choose(near, itself=doi)
            if chosen is None and search and one.reading is not None and one.hidden is None:
                cards = {card.doi: card for card in near} | await self._nearest(one)
                chosen = one.choose(cards.values(), itself=doi)
            if chosen is not None:
                found.append(Found(one.key, chosen, one.of))
        return found, frozenset(offering)

    async def _nearest(self, one: Open) -> dict[str, Card]:
        """Search for the words of a reference."""
        text = Words(Text.BIBLIOGRAPHIC, references.query_of(one.reference))
        try:
            dois = await asyncio.to_thread(self.index.nearest, text, rows=NEAREST)
        except SearchIndexError as fault:
            raise Transient("the search index does not answer") from fault
        return await self.matches.cards(dois)


@dataclass(slots=True)
class Retries:
    """The role that tries again what waited, where something came that it may have waited for.

    One host at a time does, by a lease. Words are not searched for again: what woke a work offers a
    feature that it wants.
    """

    matcher: Matcher
    works: Works
    lease: Lease
    health: Health = field(default_factory=Health)

    async def run(self, draining: asyncio.Event) -> None:
        """Try again until told to drain."""
        self.health.promise("matching-retries", within=120)
        while not draining.is_set():
            done = 0
            try:
                if await self.lease.hold():
                    done = await self.retry()
            except Transient as fault:
                log.warning("matching interrupted", reason=str(fault))
            self.health.beat("matching-retries")
            if not done:
                await wait_any(draining, timeout=IDLE_SECONDS)
        self.health.retire("matching-retries")
        with contextlib.suppress(Transient):
            await self.lease.release()

    async def retry(self) -> int:
        """Try a few works again; return how many."""
        clock = self.matcher.clock
        began = clock.monotonic()
        pending = await self.matcher.matches.pending(most=LOOKED_AT)
        held = await self.works.bare([one.doi for one in pending])
        done = 0
        for kept in pending:
            document = held.get(kept.doi)
            if document is None or document["v"] < kept.version:
                continue  # the projector is behind: it comes again
            if done == AT_ONCE:
                break
            # Of a newer version the consumer is told as well; what is in hand may be older then.
            one = Citing(kept.doi, document["v"], document["title"], document["work"], clock.now())
            await self.matcher.put([await self.matcher.match(one, kept, search=False)])
            done += 1
        await asyncio.sleep(min(clock.monotonic() - began, LONGEST_REST))
        return done


def _news(one: Change, fresh: Collection[str]) -> tuple[str, ...]:
    """Return what is to be told: what is new, and what was not told yet and still holds."""
    untold = set(one.old.news) & set(one.new.links) if one.old else set()
    return tuple(sorted(untold | set(fresh)))


def _split(work: Mapping[str, Any], held: Kept | None) -> tuple[list[Found], list[Open]]:
    """Return what was found for references that are still there, and those nothing was found for.

    A reference of another text under the same key is another reference.
    """
    before = {one.key: one for one in held.found} if held else {}
    kept: list[Found] = []
    open_: list[Open] = []
    for reference in work.get("reference", ()):
        key = reference.get("key")
        if reference.get("DOI") or not key:
            continue
        of = references.digest_of(reference)
        if key in before and before[key].of == of:
            kept.append(before[key])
            continue
        reading, hidden = references.read(reference), references.hidden_doi(reference)
        if reading is not None or hidden is not None:
            open_.append(Open(key, of, reference, reading, hidden))
    return kept, open_
