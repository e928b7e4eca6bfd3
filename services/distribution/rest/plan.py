"""A list query -> the search it takes, and its cursors. Pure.

With a cursor, works come by date: relevance changes as works arrive, so it has no position that
could be kept. Where no date was asked for it is the date of creation, which a work never changes:
every work that existed at the first page then appears exactly once, changed meanwhile or not.
"""

from dataclasses import dataclass
from typing import Final

from services.distribution.rest.owners import Owners
from services.distribution.rest.params import WorksQuery
from services.distribution.rest.publishers import ranked
from services.distribution.rest.routes import FACETS, FIELD_QUERIES
from services.distribution.rest.work_filters import clauses_of
from services.distribution.search import (
    RELEVANCE,
    Clause,
    FromStart,
    Moment,
    Offset,
    OneOf,
    Order,
    Sampled,
    SearchPage,
    SearchRequest,
    Start,
    Term,
    Text,
    Words,
    fingerprint,
    owning_publisher,
    read_cursor,
    write_cursor,
)

FIRST_PAGE: Final = "*"


@dataclass(frozen=True, slots=True)
class CursorInvalid:
    """A cursor that is not ours, was altered, or belongs to another question."""

    value: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a path narrows its works to: /members/98/works is Scope("member", "98", ...)."""

    kind: str
    id: str
    clause: Clause


def of_member(member: int, owners: Owners) -> Scope:
    """Return the scope of /members/{id}/works."""
    prefixes = frozenset(owners.prefixes_of_member(member))
    return Scope("member", str(member), OneOf(Term.OWNER, prefixes))


def of_prefix(prefix: str) -> Scope:
    """Return the scope of /prefixes/{prefix}/works: the owner prefix, not the DOI's own."""
    return Scope("prefix", prefix, OneOf(Term.OWNER, frozenset({prefix})))


def search_request(
    query: WorksQuery,
    owners: Owners,
    *,
    scope: Scope | None = None,
    cursor_key: bytes,
    seed: int = 0,
) -> SearchRequest | CursorInvalid:
    """Return the search that answers a query, within the scope of the path if it has one.

    A sample is drawn by ``seed``.
    """
    start = Sampled(seed) if query.sample else _start(query, scope, cursor_key=cursor_key)
    if isinstance(start, CursorInvalid):
        return start
    narrowing = clauses_of(query.filters, owners)
    return SearchRequest(
        clauses=(scope.clause, *narrowing) if scope else narrowing,
        texts=_texts(query, owners),
        order=order_of(query),
        start=start,
        rows=query.sample or query.rows,
        facets=tuple(dict.fromkeys(FACETS[name].counts for name, _ in query.facets)),
    )


def next_cursor(
    query: WorksQuery, page: SearchPage, *, scope: Scope | None = None, cursor_key: bytes
) -> str | None:
    """Return the cursor of the following page, None where the query did not walk by cursor."""
    if page.position is None:
        return None
    return write_cursor(page.position, question=_question(query, scope), key=cursor_key)


def order_of(query: WorksQuery) -> Order:
    """Return the order that a query's works come in."""
    searched = bool(query.query or query.fields)
    if query.cursor is not None:
        by = Moment.CREATED if query.sort in {None, RELEVANCE} else query.sort
    elif query.sort is None:
        by = RELEVANCE if searched else Moment.DEPOSITED
    else:
        by = Moment.DEPOSITED if query.sort == RELEVANCE and not searched else query.sort
    assert by is not None
    return Order(by, query.descending)


def _start(query: WorksQuery, scope: Scope | None, *, cursor_key: bytes) -> Start | CursorInvalid:
    if query.cursor is None:
        return Offset(query.offset)
    if query.cursor == FIRST_PAGE:
        return FromStart()
    position = read_cursor(query.cursor, question=_question(query, scope), key=cursor_key)
    return CursorInvalid(query.cursor) if position is None else position


def _texts(query: WorksQuery, owners: Owners) -> tuple[Words, ...]:
    free = (Words(Text.FREE, query.query),) if query.query else ()
    return (*free, *(_words(FIELD_QUERIES[name], text, owners) for name, text in query.fields))


def _words(field: Text, text: str, owners: Owners) -> Words:
    """Return what is asked of one text; of publishers, also by the names of owners now."""
    if field is not Text.PUBLISHER_NAME:
        return Words(field, text)
    return Words(
        field,
        text,
        tuple(
            (OneOf(Term.PUBLISHER, frozenset(map(owning_publisher, prefixes))), score)
            for score, prefixes in ranked(text, owners.publisher_names())
        ),
    )


def _question(query: WorksQuery, scope: Scope | None) -> bytes:
    """Return the fingerprint of all that decides which works come, and in which order.

    What an owner is mapped to stays out: a walk goes on when a member gets another prefix.
    """
    order = order_of(query)
    return fingerprint(
        {
            "query": query.query,
            "fields": query.fields,
            "filters": query.filters,
            "order": [str(order.by), order.descending],
            "scope": [scope.kind, scope.id] if scope else None,
        }
    )
