"""One page of a harvest: which works of the list are given, and where the list goes on.

Works come by datestamp, the oldest first. A datestamp only ever grows, so a work that changes goes
to the end of the list: one that has not been given yet is given there, in its newer state; one
that was is given again. A work that does not change keeps its place and is given exactly once.

The index says which works come next, the store what they are, and each follows the log by itself.
Where the store is behind, the page ends before the work that is not there yet: what a harvester is
not given in its place it would never ask for again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from services.distribution.oai.datestamps import Span
from services.distribution.search import (
    After,
    Clause,
    During,
    FromStart,
    Hit,
    Moment,
    Order,
    SearchPage,
    SearchRequest,
)
from services.distribution.search.keys import HASH_BITS, seconds_of
from shared.mongo.client import Document

PAGE: Final = 200  # records, as crossref.md 4
OLDEST_FIRST: Final = Order(Moment.DEPOSITED, descending=False)
LATE_SECONDS: Final = 3_600
"""A work that the store lacks for so long is not coming: it is among the dead letters."""


class Listed(Protocol):
    """The lists of works: the port of the search projection."""

    def search(self, request: SearchRequest) -> SearchPage:
        """Return a page of a list. Blocks."""
        ...


class Stored(Protocol):
    """The works by key."""

    async def many(self, dois: Sequence[str]) -> Mapping[str, Any]:
        """Return the documents that exist under these DOIs."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """Which works are asked for; ``fits`` says of one that was fetched whether it still is."""

    clauses: tuple[Clause, ...]
    span: Span
    fits: Callable[[Document], bool] = lambda _: True

    def request(self, start: After | FromStart, rows: int) -> SearchRequest:
        """Return the search for a page of them."""
        span = (self.span.first, self.span.last)
        bounds = () if span == (None, None) else (During(Moment.DEPOSITED, (span,)),)
        return SearchRequest(
            clauses=(*self.clauses, *bounds), order=OLDEST_FIRST, start=start, rows=rows
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Works of one page, where the list goes on (None: it does not), and how many there are."""

    works: tuple[Document, ...]
    resume: After | None
    total: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What of the hits is given: works, the last hit that was dealt with, whether all were."""

    works: tuple[Document, ...]
    last: Hit | None
    whole: bool


class Behind(Exception):
    """The next work of the list is not among the records yet; to be asked for again shortly."""


def deal(hits: Sequence[Hit], held: Mapping[str, Any], question: Question, *, overdue: int) -> Lot:
    """Say which of the hits are given, up to the first that the store does not have yet. Pure.

    ``overdue`` is the second since year one before which a hit is not waited for. A work that is
    newer in the store than in the list is given as it is, unless its datestamp is no longer asked
    for.
    """
    works: list[Document] = []
    last: Hit | None = None
    for hit in hits:
        listed = _second(hit)
        document: Document = held.get(hit.doi, {})
        stored = seconds_of(document["deposited"]) if document else 0
        if stored < listed and listed >= overdue:
            return Lot(tuple(works), last, whole=False)
        if document and question.span.holds(stored) and question.fits(document):
            works.append(document)
        last = hit
    return Lot(tuple(works), last, whole=True)


async def page_of(
    question: Question,
    start: After | FromStart,
    *,
    index: Listed,
    works: Stored,
    now: int,
    rows: int = PAGE,
) -> Page:
    """Return the page of so many rows from ``start`` on, empty only where the list has ended.

    ``now`` is the present second since year one. Raises ``Behind``.
    """
    while True:
        found = await asyncio.to_thread(index.search, question.request(start, rows + 1))
        hits, more = found.hits[:rows], len(found.hits) > rows
        held = await works.many([hit.doi for hit in hits]) if hits else {}
        lot = deal(hits, held, question, overdue=now - LATE_SECONDS)
        resume = None if lot.last is None else After(_key(lot.last), lot.last.doi)
        if not lot.whole and not lot.works:
            raise Behind
        if lot.works or not more or resume is None:
            goes_on = more or not lot.whole
            return Page(lot.works, resume if goes_on else None, found.total)
        start = resume


def _key(hit: Hit) -> int:
    if hit.key is None:
        raise ValueError("a list in an order has keys")
    return hit.key


def _second(hit: Hit) -> int:
    return _key(hit) >> HASH_BITS
