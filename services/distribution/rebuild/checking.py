"""Before the change-over: every work is counted, and everything is compared.

The log names the keys. Of each the live document is read, then the next one, which is written first
and so is never behind it; then citations are counted in the next generation, and what a reader
could tell apart is compared. What differs is compared again until it is equal, or until nothing of
it has moved for a while: then it differs (law L6). Under traffic two documents may never be seen
equal: it is enough that the live one was written again, too, since both are written the same. What
the live generation holds and the log does not name is found by counting.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.distribution.citations import PAGE, Pace, count_marked, recount, with_told
from services.distribution.citations import citing as every
from services.distribution.claims import claimed
from services.distribution.matching.kept import found_alone
from services.distribution.projections import WORKS, counted_of
from services.distribution.rebuild.comparing import Pair, differs, gone
from services.distribution.rebuild.filling import writes_of
from services.distribution.rebuild.insisting import insist
from services.distribution.rebuild.pointer import MODELS, called
from services.distribution.rebuild.source import Page, Positions, Source, ahead, reached
from shared.mongo import Collection, Database, faults
from shared.mongo.client import Document, UpdateMany
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.ids import new_id

KEYS: Final = 100  # keys a page: fewer and more both cost the embedded store more a key
CITED: Final = 20  # DOIs whose citing works are asked for at once
MOST_CITING: Final = 1_000  # citing works fetched for those; where there are more they are counted
TOGETHER: Final = 50  # works of equal counts that are written in one command
LOOKS: Final = 3  # at the sizes of the collections, two where they are equal
PAUSE: Final = 0.2  # seconds between two looks at what differs
MOST_OPEN: Final = 100_000  # keys that are looked at again; where more differ, they differ
REMEMBERED: Final = 1_000_000  # keys of a pass that are not looked at twice

Key = tuple[str, Any]  # model and key of a document


@dataclass(slots=True)
class Outcome:
    """What was compared: works by DOI prefix in each generation, and what differs."""

    compared: Counter[str] = field(default_factory=Counter)
    live: Counter[str] = field(default_factory=Counter)
    rebuilt: Counter[str] = field(default_factory=Counter)
    differs: dict[Key, str] = field(default_factory=dict)
    more: int = 0  # that differ, beyond those that are named

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differs and not self.more


@dataclass(slots=True)
class Checking:
    """Compares a generation with the live one. ``patience`` is in seconds."""

    database: Database
    live: int
    rebuilt: int
    source: Source
    pace: Pace
    patience: float = 30.0
    clock: Clock = SYSTEM
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    outcome: Outcome = field(default_factory=Outcome)
    _seen: set[Key] = field(default_factory=set)
    _first: dict[Key, Pair] = field(default_factory=dict)
    _before: bool = False  # the live one has works from before it was kept what they name

    async def run(self, end: Positions, told: Callable[[Page], Awaitable[None]]) -> Outcome:
        """Count and compare all that the log names below ``end``, until it is equal or stays."""
        async with ahead(self.source.pages({})) as pages:
            async for page in pages:
                writes, _ = writes_of(page.received)
                await self._keys((write.collection, write.key) for write in writes)
                await told(page)
                if reached(page.positions, end):
                    break
        await self._again()
        return self.outcome

    async def _keys(self, keys: Iterator[Key]) -> None:
        found: dict[str, list[Any]] = defaultdict(list)
        for key in keys:
            if key not in self._seen:
                self._seen.add(key)
                found[key[0]].append(key[1])
        for model, some in found.items():
            for start in range(0, len(some), KEYS):
                page = some[start : start + KEYS]
                await insist(lambda m=model, p=page: self.pace.spend(self._page(m, p)))  # type: ignore[misc]
        if len(self._seen) > REMEMBERED:
            self._seen.clear()

    async def _page(self, model: str, keys: Sequence[Any], *, first: bool = True) -> None:
        """Compare a page of keys of one model."""
        with faults():
            live = await _documents(self.database[called(model, self.live)], keys)
            works = self.database[called(model, self.rebuilt)]
            rebuilt = await _documents(works, keys)
            if model == WORKS:
                self._before |= any("names" not in one for one in live.values() if not gone(one))
                await count_page(works, rebuilt)
        for key in keys:
            self._judge((model, key), live.get(key), rebuilt.get(key))
        if first:
            self.outcome.compared[model] += len(keys)
            if model == WORKS:
                self.outcome.live.update(_prefixes(live))
                self.outcome.rebuilt.update(_prefixes(rebuilt))

    def _judge(self, key: Key, live: Document | None, rebuilt: Document | None) -> None:
        said = differs(live, rebuilt, before=self._before)
        now = Pair.of(live, rebuilt)
        first = self._first.get(key, now)
        if said is None or first.moved_on(live, rebuilt):
            self._first.pop(key, None)
            self.outcome.differs.pop(key, None)
        else:
            if key not in self.outcome.differs and len(self.outcome.differs) >= MOST_OPEN:
                self.outcome.more += 1
                return
            self._first[key] = first.then(now)
            self.outcome.differs[key] = said

    async def _again(self) -> None:
        """Compare what differs again until it is equal or has not moved for ``patience``."""
        before, since = "", self.clock.monotonic()
        while True:
            await insist(self.settle)
            await self._look_at_open()
            if not self.outcome.differs.keys() - self._sized():
                await insist(self._sizes)
            now = repr(self.outcome.differs)
            if self.outcome.equal or self.outcome.more:
                return
            if now != before:
                before, since = now, self.clock.monotonic()
            elif self.clock.monotonic() - since > self.patience:
                return
            await self.wait(PAUSE)

    async def settle(self) -> None:
        """Count what is marked in the next generation, until no more is than traffic brings."""
        marked = await recount(self.database, self.pace, self.rebuilt)
        while marked:
            before, marked = marked, await recount(self.database, self.pace, self.rebuilt)
            if marked >= before and marked < PAGE:
                return

    async def count_all(self) -> None:
        """Make every count of the next generation as new as its works are now."""
        await count_marked(self.database, self.pace, self.rebuilt)

    async def _look_at_open(self) -> None:
        open_: dict[str, list[Any]] = defaultdict(list)
        for model, key in self.outcome.differs:
            if key is not None:
                open_[model].append(key)
        for model, keys in open_.items():
            for start in range(0, len(keys), KEYS):
                page = keys[start : start + KEYS]
                await insist(
                    lambda m=model, p=page: self.pace.spend(self._page(m, p, first=False))  # type: ignore[misc]
                )

    def _sized(self) -> set[Key]:
        return {(model, None) for model in MODELS}

    async def _sizes(self) -> None:
        """Count both: more in the live generation is what the log does not name.

        Of equal contents the next one is never the smaller one, as it is written first and here
        counted last.
        """
        for model in MODELS:
            self.outcome.differs.pop((model, None), None)
            equal = 0
            for _ in range(LOOKS):
                live, rebuilt = await self.pace.spend(self._pair(model))
                equal = equal + 1 if live == rebuilt else 0
                if live > rebuilt:
                    self.outcome.differs[model, None] = f"{live} live, {rebuilt} rebuilt"
                if live > rebuilt or equal > 1:
                    break

    async def _pair(self, model: str) -> tuple[int, int]:
        with faults():
            return (
                await self.database[called(model, self.live)].estimated_document_count(),
                await self.database[called(model, self.rebuilt)].estimated_document_count(),
            )


async def count_page(works: Collection, documents: Mapping[str, Document]) -> None:
    """Count the works of a page, and write the counts that are not so yet.

    ``documents`` get the counts they now have; where somebody else counted meanwhile they keep the
    old ones, and whoever compares them looks again.
    """
    dois = [doi for doi, document in documents.items() if not gone(document)]
    cited_by: dict[str, int] = {}
    for start in range(0, len(dois), CITED):
        cited_by |= await _cited(works, dois[start : start + CITED])
    counts = with_told(cited_by, await claimed(works, dois) if dois else {})
    wrong = [doi for doi in dois if counted_of(documents[doi]) != counts[doi]]
    if not wrong:
        return
    groups: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for doi in wrong:  # most have equal ones: few citations, and nothing that is told
        groups[repr(counts[doi]), documents[doi].get("counted")].append(doi)
    turn = new_id()
    done = await works.bulk_write(
        [
            UpdateMany(
                {"_id": {"$in": of[start : start + TOGETHER]}, "counted": held},
                {"$set": {**counts[of[0]], "counted": turn}},
            )
            for (_, held), of in groups.items()
            for start in range(0, len(of), TOGETHER)
        ],
        ordered=False,
    )
    if done.matched_count == len(wrong):
        for doi in wrong:
            documents[doi].update(counts[doi])


async def _cited(works: Collection, dois: Sequence[str]) -> dict[str, int]:
    """Return how often works are cited: by looking at what cites any of them, if that is not much.

    One look for many costs a fraction of a count for each, but for works that many cite.
    """
    citing = (
        await works.find({"cites": {"$in": list(dois)}}, {"_id": 0, "cites": 1})
        .limit(MOST_CITING)
        .to_list(None)
    )
    if len(citing) >= MOST_CITING:
        return await every(works, dois)
    counts = Counter(doi for one in citing for doi in one["cites"])
    matched = await found_alone(works.database, dois, most=MOST_CITING)
    return {doi: counts[doi] + matched[doi] for doi in dois}


async def _documents(collection: Collection, keys: Sequence[Any]) -> dict[Any, Document]:
    found = await collection.find({"_id": {"$in": list(keys)}}).to_list(None)
    return {document["_id"]: document for document in found}


def _prefixes(documents: Mapping[Any, Document]) -> Iterator[str]:
    return (doi.partition("/")[0] for doi, one in documents.items() if not gone(one))
