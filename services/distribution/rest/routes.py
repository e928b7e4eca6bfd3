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


SORTS: Final[Mapping[str, Sort]] = {
    "created": Moment.CREATED,
    "deposited": Moment.DEPOSITED,
    "indexed": Moment.INDEXED,
    "is-referenced-by-count": Tally.CITED_BY,
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
    "affiliation": FacetKind(Facet.AFFILIATION),
    "archive": FacetKind(Facet.ARCHIVE),
    "assertion": FacetKind(Facet.ASSERTION),
    "assertion-group": FacetKind(Facet.ASSERTION_GROUP),
    "category-name": FacetKind(Facet.CATEGORY),
    "container-title": FacetKind(Facet.CONTAINER_TITLE, cap=100),
    "funder-doi": FacetKind(Facet.FUNDER),
    "funder-name": FacetKind(Facet.FUNDER_NAME),
    "issn": FacetKind(Facet.ISSN, cap=100),
    "journal-issue": FacetKind(Facet.JOURNAL_ISSUE),
    "journal-volume": FacetKind(Facet.JOURNAL_VOLUME),
    "license": FacetKind(Facet.LICENSE),
    "link-application": FacetKind(Facet.LINK_APPLICATION),
    "orcid": FacetKind(Facet.ORCID, cap=100),
    "published": FacetKind(Facet.YEAR),
    "publisher-name": FacetKind(Facet.PUBLISHER),
    "relation-type": FacetKind(Facet.RELATION_TYPE),
    "ror-id": FacetKind(Facet.ROR),
    "source": FacetKind(Facet.SOURCE),
    "type-name": FacetKind(Facet.TYPE),
    "update-type": FacetKind(Facet.UPDATE_TYPE),
}

FIELD_QUERIES: Final[Mapping[str, Text]] = {
    text.value: text for text in sorted(Text) if text is not Text.FREE
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
