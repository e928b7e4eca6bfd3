"""What can be asked of the search projection, and what it answers: plain values, no engine.

This is the narrow port of the search projection: another engine takes these requests and gives
these pages, or it is not a search projection.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias


class Term(StrEnum):
    """A field that a work is found by, value by value."""

    DOI = "doi"
    OWNER = "owner"
    TYPE = "type"
    ISSN = "issn"
    STANDING = "standing"
    """The title it stands in, and the owner prefix it is held under (schema.standing)."""


class Text(StrEnum):
    """A field that a work is found by, word by word."""

    FREE = "free"
    BIBLIOGRAPHIC = "bibliographic"
    TITLE = "title"
    AUTHOR = "author"
    CONTAINER_TITLE = "container-title"


class Moment(StrEnum):
    """A date of a work that lists are sorted and bounded by."""

    INDEXED = "indexed"
    DEPOSITED = "deposited"
    CREATED = "created"
    PUBLISHED = "published"
    ISSUED = "issued"
    PUBLISHED_ONLINE = "published-online"
    PUBLISHED_PRINT = "published-print"


class Tally(StrEnum):
    """A number of a work that lists are sorted by."""

    REFERENCES = "references-count"


class Facet(StrEnum):
    """A field whose values can be counted."""

    OWNER = "owner"
    TYPE = "type"
    ISSN = "issn"
    YEAR = "year"
    PROFILE = "profile"


RELEVANCE: Final = "score"
Sort: TypeAlias = Moment | Tally | str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The work has one of these values; of no values, no work has one."""

    field: Term
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flagged:
    """The work has something (references, a licence, ...), or has it not."""

    flag: str
    present: bool


@dataclass(frozen=True, slots=True)
class During:
    """The date lies in one of these spans: first and last second, None for an open end."""

    moment: Moment
    spans: tuple[tuple[int | None, int | None], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The text holds at least one of these words; works that hold more of them rank higher."""

    field: Text
    text: str


Clause: TypeAlias = OneOf | Flagged | During


@dataclass(frozen=True, slots=True)
class Order:
    """One total order of works: by a date, by a number, or by relevance (RELEVANCE)."""

    by: Sort = Moment.DEPOSITED
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Offset:
    """A page that begins after so many works."""

    skip: int = 0


@dataclass(frozen=True, slots=True)
class After:
    """A page that begins after a position in the order: the sort key and DOI of a work."""

    key: int
    doi: str


@dataclass(frozen=True, slots=True)
class FromStart:
    """The first page of a walk by position."""


Start: TypeAlias = Offset | After | FromStart


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Works that satisfy every clause and every text, in one order, one page of them."""

    clauses: tuple[Clause, ...] = ()
    texts: tuple[Words, ...] = ()
    order: Order = field(default_factory=Order)
    start: Start = field(default_factory=Offset)
    rows: int = 20
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A work that was found; the record itself is fetched by key and passes the gate."""

    doi: str
    score: float | None
    key: int | None = None
    """Its key in the order of the list; None by relevance."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page: works in order, how many there are in all, exact counts, where the page ended."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[Facet, Mapping[str, int]]
    position: After | FromStart | None
    """Where the next page begins; None unless the request walked by position."""
