"""Routes and what each takes: parameters, filters, facets, field queries, sorts, selects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.distribution.rest.filters import (
    FUNDER_FILTERS,
    MEMBER_FILTERS,
    Reader,
)
from services.distribution.rest.work_filters import WORK_FILTERS
from services.distribution.search import RELEVANCE, Facet, Moment, Sort, Tally, Text

KNOWN_PARAMETERS: Final = (
    "rows",
    "sample",
    "offset",
    "cursor",
    "order",
    "sort",
    "select",
    "facet",
    "filter",
    "query",
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
MOST_OFFSET_NAMES: Final = 80_000
MOST_SAMPLE: Final = 100
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

    name: str
    parameters: frozenset[str]
    filters: Mapping[str, Reader] = field(default_factory=dict)
    facets: Mapping[str, FacetKind] = field(default_factory=dict)
    fields: Mapping[str, Text] = field(default_factory=dict)
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    selects: tuple[str, ...] = ()
    most_offset: int = 0  # of offset and rows together


# Names stand in the order in which api.crossref.org lists them in a failure, here and below.
SORTS: Final[Mapping[str, Sort]] = {
    "score": RELEVANCE,
    "created": Moment.CREATED,
    "issued": Moment.ISSUED,
    "indexed": Moment.INDEXED,
    "is-referenced-by-count": Tally.CITED_BY,
    "relevance": RELEVANCE,
    "published": Moment.PUBLISHED,
    "published-print": Moment.PUBLISHED_PRINT,
    "published-online": Moment.PUBLISHED_ONLINE,
    "updated": Moment.DEPOSITED,
    "references-count": Tally.REFERENCES,
    "deposited": Moment.DEPOSITED,
}

FACETS: Final[Mapping[str, FacetKind]] = {
    "affiliation": FacetKind(Facet.AFFILIATION),
    "funder-name": FacetKind(Facet.FUNDER_NAME),
    "funder-doi": FacetKind(Facet.FUNDER),
    "publisher-name": FacetKind(Facet.PUBLISHER),
    "journal-volume": FacetKind(Facet.JOURNAL_VOLUME),
    "orcid": FacetKind(Facet.ORCID, cap=100),
    "container-title": FacetKind(Facet.CONTAINER_TITLE, cap=100),
    "ror-id": FacetKind(Facet.ROR),
    "link-application": FacetKind(Facet.LINK_APPLICATION),
    "assertion": FacetKind(Facet.ASSERTION),
    "archive": FacetKind(Facet.ARCHIVE),
    "update-type": FacetKind(Facet.UPDATE_TYPE),
    "issn": FacetKind(Facet.ISSN, cap=100),
    "published": FacetKind(Facet.YEAR),
    "source": FacetKind(Facet.SOURCE),
    "type-name": FacetKind(Facet.TYPE),
    "journal-issue": FacetKind(Facet.JOURNAL_ISSUE),
    "license": FacetKind(Facet.LICENSE),
    "category-name": FacetKind(Facet.CATEGORY),
    "relation-type": FacetKind(Facet.RELATION_TYPE),
    "assertion-group": FacetKind(Facet.ASSERTION_GROUP),
}

_FIELDS: Final = (
    *("affiliation", "degree", "event-acronym", "bibliographic", "container-title"),
    *("publisher-name", "author", "event-theme", "standards-body-acronym", "chair"),
    *("event-location", "translator", "funder-name", "event-name", "publisher-location", "title"),
    *("standards-body-name", "contributor", "description", "editor", "event-sponsor"),
)
FIELD_QUERIES: Final[Mapping[str, Text]] = {name: Text(name) for name in _FIELDS}

SELECTS: Final = (
    *("abstract", "URL", "resource", "member", "posted", "score", "created", "degree"),
    *("update-policy", "short-title", "license", "ISSN", "container-title", "issued", "update-to"),
    *("issue", "prefix", "approved", "indexed", "article-number", "clinical-trial-number"),
    *("accepted", "author", "group-title", "DOI", "is-referenced-by-count", "updated-by", "event"),
    *("chair", "standards-body", "original-title", "funder", "translator", "published", "archive"),
    *("published-print", "alternative-id", "subject", "subtitle", "published-online"),
    *("publisher-location", "content-domain", "reference", "title", "link", "type", "publisher"),
    *("volume", "references-count", "ISBN", "issn-type", "assertion", "deposited", "page"),
    *("contributor", "content-created", "short-container-title", "relation", "editor"),
)

WORKS: Final = Route(
    "works",
    parameters=frozenset(
        {"query", "rows", "offset", "cursor", "sort", "order", "filter", "facet", "select"}
    )
    | {"sample", "mailto"},
    filters=WORK_FILTERS,
    facets=FACETS,
    fields=FIELD_QUERIES,
    sorts=SORTS,
    selects=SELECTS,
    most_offset=MOST_OFFSET_WORKS,
)
"""/works and /{kind}/{id}/works."""

MEMBERS: Final = Route(
    "members",
    parameters=frozenset({"query", "rows", "offset", "cursor", "filter", "mailto"}),
    filters=MEMBER_FILTERS,
    most_offset=MOST_OFFSET_NAMES,
)
"""/members."""

JOURNALS: Final = Route(
    "journals",
    parameters=frozenset({"query", "rows", "offset", "cursor", "mailto"}),
    most_offset=MOST_OFFSET_NAMES,
)
"""/journals."""

FUNDERS: Final = Route(
    "funders",
    parameters=JOURNALS.parameters | {"filter"},
    filters=FUNDER_FILTERS,
    most_offset=MOST_OFFSET_NAMES,
)
"""/funders."""

LICENSES: Final = Route("licenses", parameters=JOURNALS.parameters, most_offset=MOST_OFFSET_WORKS)
"""/licenses: the query asks for works."""

TYPES: Final = Route(
    "types",
    parameters=frozenset({"query", "rows", "offset", "mailto"}),
    most_offset=MOST_OFFSET_NAMES,
)
"""/types: takes what lists take and shows all of them whatever it is."""

SINGLE: Final = Route("single", parameters=frozenset({"mailto"}))
"""/works/{doi}, /members/{id}, /journals/{issn}, ...: nothing but who is asking."""
