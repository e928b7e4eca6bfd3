"""One page out of a total order of works, by offset or from a position on.

Works are ordered by key, and among equal keys by DOI; the engine knows only the keys. So a page
is asked for with one neighbour more on each side, and where a neighbour shares the key of the
page's edge, all works of that key are fetched and put in order, to take those that belong here.

A walk by position (a cursor) resumes strictly after the key and DOI of the last work. The key of a
work that does not change does not change, so it is met exactly once, whatever happens to others.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import tantivy

from services.distribution.search.query import both, key_range
from services.distribution.search.request import (
    After,
    FromStart,
    Hit,
    Moment,
    Offset,
    Sampled,
    SearchRequest,
    Tally,
)
from services.distribution.search.sampling import draw
from services.distribution.search.schema import sort_column

DOI: Final = "doi"
USUAL_TIES: Final = 16  # works that share a key; where there are more, all are fetched


class _Result(Protocol):
    """The engine's answer; its stub does not name the count."""

    count: int | None
    hits: list[tuple[Any, tantivy.DocAddress]]


@dataclass(frozen=True, slots=True)
class Page:
    """Works of one page and the number of all."""

    total: int
    hits: tuple[Hit, ...]
    position: After | FromStart | None


@dataclass(frozen=True, slots=True)
class _Ordered:
    """One query in one order."""

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    query: tantivy.Query
    column: str
    descending: bool

    def beyond(self, key: int) -> tantivy.Query:
        """Return the query's works whose key comes strictly after the given one."""
        low, high = (None, key - 1) if self.descending else (key + 1, None)
        return both(self.query, key_range(self.column, low, high, schema=self.schema))

    def ahead_of(self, key: int) -> tantivy.Query:
        """Return the query's works whose key comes strictly before the given one."""
        low, high = (key + 1, None) if self.descending else (None, key - 1)
        return both(self.query, key_range(self.column, low, high, schema=self.schema))

    def sharing(self, key: int) -> list[str]:
        """Return the DOIs of all of the query's works that have this key, in order."""
        query = both(self.query, key_range(self.column, key, key, schema=self.schema))
        group, size = self.top(query, limit=USUAL_TIES)
        if size > USUAL_TIES:
            group, _ = self.top(query, limit=size)
        return sorted(doi for _, doi in group)

    def top(
        self, query: tantivy.Query, *, limit: int, offset: int = 0
    ) -> tuple[list[tuple[int, str]], int]:
        """Return key and DOI of the first works of a query, equal keys in no order, and the total.

        Counting in the same pass costs next to nothing; in a pass of its own as much again.
        """
        order = tantivy.Order.Desc if self.descending else tantivy.Order.Asc
        found = cast(
            "_Result",
            self.searcher.search(
                query, limit=limit, offset=offset, order_by_field=self.column, order=order
            ),
        )
        hits = [(int(key), _doi(self.searcher, address)) for key, address in found.hits]
        return hits, found.count or 0


def page_of(
    searcher: tantivy.Searcher,
    query: tantivy.Query,
    *,
    request: SearchRequest,
    schema: tantivy.Schema,
) -> Page:
    """Return the page of the query's works that a request asks for, and their number."""
    by, start, rows = request.order.by, request.start, request.rows
    position: After | FromStart | None = start if isinstance(start, After | FromStart) else None
    if not rows:
        return Page(_count(searcher, query), (), position)
    if isinstance(start, Sampled):
        drawn = draw(searcher, query, rows=rows, seed=start.seed, schema=schema)
        return Page(len(drawn), tuple(Hit(_doi(searcher, one), None) for one in drawn), None)
    if not isinstance(by, Moment | Tally):
        return _by_relevance(searcher, query, request=request)
    ordered = _Ordered(
        searcher=searcher,
        schema=schema,
        query=query,
        column=sort_column(by, descending=request.order.descending),
        descending=request.order.descending,
    )
    match start:
        case Offset(skip):
            found, total = _window(ordered, skip=skip, rows=rows)
        case FromStart():
            found, total = _window(ordered, skip=0, rows=rows)
            position = After(*found[-1]) if found else start
        case After():
            found, total = _following(ordered, start, rows=rows), _count(searcher, query)
            position = After(*found[-1]) if found else start
    return Page(total, tuple(Hit(doi, None, key) for key, doi in found), position)


def _window(ordered: _Ordered, *, skip: int, rows: int) -> tuple[list[tuple[int, str]], int]:
    """Return the works numbered skip .. skip + rows of the order, and the total."""
    before = 1 if skip else 0
    seen, total = ordered.top(ordered.query, limit=rows + before + 1, offset=skip - before)
    inside = seen[before : before + rows]
    if not inside:
        return [], total
    first, last = inside[0][0], inside[-1][0]
    head_cut = bool(before) and seen[0][0] == first
    tail_cut = len(seen) > before + rows and seen[-1][0] == last
    if head_cut:
        inside = _reseat_head(ordered, inside, skip=skip)
    if tail_cut and not (head_cut and first == last):
        inside = _reseat_tail(ordered, inside)
    return _in_order(inside, descending=ordered.descending), total


def _reseat_head(
    ordered: _Ordered, inside: list[tuple[int, str]], *, skip: int
) -> list[tuple[int, str]]:
    """Replace the works of the first key by those of that key that come at this offset."""
    key = inside[0][0]
    width = sum(1 for other, _ in inside if other == key)
    taken = skip - _count(ordered.searcher, ordered.ahead_of(key))
    group = ordered.sharing(key)[taken : taken + width]
    return [*((key, doi) for doi in group), *inside[width:]]


def _reseat_tail(ordered: _Ordered, inside: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Replace the works of the last key by the first of that key."""
    key = inside[-1][0]
    width = sum(1 for other, _ in inside if other == key)
    group = ordered.sharing(key)[:width]
    return [*inside[:-width], *((key, doi) for doi in group)]


def _following(ordered: _Ordered, last: After, *, rows: int) -> list[tuple[int, str]]:
    """Return the works that come after a position."""
    same = [(last.key, doi) for doi in ordered.sharing(last.key) if doi > last.doi][:rows]
    wanted = rows - len(same)
    if not wanted:
        return same
    seen, _ = ordered.top(ordered.beyond(last.key), limit=wanted + 1)
    inside = seen[:wanted]
    if len(seen) > wanted and seen[-1][0] == inside[-1][0]:
        inside = _reseat_tail(ordered, inside)
    return same + _in_order(inside, descending=ordered.descending)


def _in_order(found: list[tuple[int, str]], *, descending: bool) -> list[tuple[int, str]]:
    """Put works in order of key, and among equal keys of DOI, whatever the direction."""
    return sorted(found, key=lambda item: (-item[0] if descending else item[0], item[1]))


def _by_relevance(
    searcher: tantivy.Searcher, query: tantivy.Query, *, request: SearchRequest
) -> Page:
    """Return a page by score; only by offset, because scores move as works arrive."""
    skip = request.start.skip if isinstance(request.start, Offset) else 0
    if request.order.descending:
        hits, total = _scored(searcher, query, limit=request.rows, offset=skip)
        return Page(total, hits, None)
    # The engine ranks downwards only: take the same works from the other end.
    total = _count(searcher, query)
    rows = min(request.rows, max(total - skip, 0))
    if not rows:
        return Page(total, (), None)
    hits, _ = _scored(searcher, query, limit=rows, offset=total - skip - rows)
    return Page(total, hits[::-1], None)


def _scored(
    searcher: tantivy.Searcher, query: tantivy.Query, *, limit: int, offset: int
) -> tuple[tuple[Hit, ...], int]:
    found = cast("_Result", searcher.search(query, limit=limit, offset=offset))
    hits = tuple(Hit(_doi(searcher, address), float(score)) for score, address in found.hits)
    return hits, found.count or 0


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    result = cast("_Result", searcher.search(query, limit=1, count=True))
    return result.count or 0


def _doi(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> str:
    return str(searcher.doc(address)[DOI][0])
