"""Routes and what each takes: parameters, filters, facets, field queries, sorts, selects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.distribution.rest.filters import MEMBER_FILTERS, WORK_FILTERS, Reader
from services.distribution.search import RELEVANCE, Facet, Moment, Sort, Tally, Text

KNOWN_PARAMETERS: Final = (
    "rows",
    "sample",
    "offset",
    "cursor",
    "order",
    "sort",
    "facet",
    "filter",
    "query",
    "select",
    "mailto",
    "debug",
    "pingback",
    "url",
    "filename",
    "parent",
    "test",
    "auth-token",
)
"""Every parameter that some route of the wire knows, in the order in which they are checked."""

MOST_ROWS: Final = 1000
DEFAULT_ROWS: Final = 20
MOST_OFFSET_WORKS: Final = 10_000
MOST_OFFSET_MEMBERS: Final = 80_000
MOST_FACET_VALUES: Final = 1000
DEFAULT_FACET_VALUES: Final = 20


@dataclass(frozen=True, slots=True)
class FacetKind:
    """What a facet counts, and at most how many values it lists (None: all)."""

    counts: Facet
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What one kind of route takes."""

    parameters: frozenset[str]
    filters: Mapping[str, Reader] = field(default_factory=dict)
    facets: Mapping[str, FacetKind] = field(default_factory=dict)
    fields: Mapping[str, Text] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    selects: tuple[str, ...] = ()
    most_offset: int = 0  # of offset and rows together


SORTS: Final[Mapping[str, Sort]] = {
    "created": Moment.CREATED,
    "deposited": Moment.DEPOSITED,
    "indexed": Moment.INDEXED,
    "issued": Moment.ISSUED,
    "published": Moment.PUBLISHED,
    "published-online": Moment.PUBLISHED_ONLINE,
    "published-print": Moment.PUBLISHED_PRINT,
    "references-count": Tally.REFERENCES,
    "relevance": RELEVANCE,
    "score": RELEVANCE,
    "updated": Moment.DEPOSITED,
}

FACETS: Final[Mapping[str, FacetKind]] = {
    "issn": FacetKind(Facet.ISSN, cap=100),
    "published": FacetKind(Facet.YEAR),
    "publisher-name": FacetKind(Facet.OWNER),
    "type-name": FacetKind(Facet.TYPE),
}

FIELD_QUERIES: Final[Mapping[str, Text]] = {
    "author": Text.AUTHOR,
    "bibliographic": Text.BIBLIOGRAPHIC,
    "container-title": Text.CONTAINER_TITLE,
    "title": Text.TITLE,
}

SELECTS: Final = (
    *("DOI", "ISBN", "ISSN", "URL", "abstract", "accepted", "alternative-id", "approved"),
    *("archive", "article-number", "assertion", "author", "chair", "clinical-trial-number"),
    *("container-title", "content-created", "content-domain", "contributor", "created", "degree"),
    *("deposited", "editor", "event", "funder", "group-title", "indexed"),
    *("is-referenced-by-count", "issn-type", "issue", "issued", "license", "link", "member"),
    *("original-title", "page", "posted", "prefix", "published", "published-online"),
    *("published-print", "publisher", "publisher-location", "reference", "references-count"),
    *("relation", "resource", "score", "short-container-title", "short-title", "standards-body"),
    *("subject", "subtitle", "title", "translator", "type", "update-policy", "update-to"),
    *("updated-by", "volume"),
)

WORKS: Final = Route(
    parameters=frozenset(
        {"query", "rows", "offset", "cursor", "sort", "order", "filter", "facet", "select"}
    )
    | {"mailto"},
    filters={name: row.read for name, row in WORK_FILTERS.items()},
    facets=FACETS,
    fields=FIELD_QUERIES,
    sorts=SORTS,
    selects=SELECTS,
    most_offset=MOST_OFFSET_WORKS,
)
"""/works and /{kind}/{id}/works."""

MEMBERS: Final = Route(
    parameters=frozenset({"query", "rows", "offset", "cursor", "filter", "mailto"}),
    filters=MEMBER_FILTERS,
    most_offset=MOST_OFFSET_MEMBERS,
)
"""/members."""

SINGLE: Final = Route(parameters=frozenset({"mailto"}))
"""/works/{doi}, /members/{id}, /prefixes/{prefix}: nothing but who is asking."""
