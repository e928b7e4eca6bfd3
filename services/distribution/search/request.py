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
    TITLE = "title"
    """The subject of the title it stands in."""
    PREFIX = "prefix"
    """The DOI's own prefix, whoever owns the work."""
    ISBN = "isbn"
    """Thirteen digits."""
    ORCID = "orcid"
    """The bare iD of anyone who contributed."""
    ROR = "ror-id"
    """The bare ROR id of an affiliation, an institution or a funder."""
    FUNDER = "funder-doi"
    """A funder's id: the part of its DOI after 10.13039/, another DOI as it is."""
    FUNDER_ASSERTED_BY = "funder-doi-asserted-by"
    AFFILIATION = "affiliation"
    ARCHIVE = "archive"
    ASSERTION = "assertion"
    ASSERTION_GROUP = "assertion-group"
    CATEGORY = "category-name"
    CONTAINER_TITLE = "container-title"
    GROUP_TITLE = "group-title"
    LICENSE = "license"
    """The address of a licence."""
    PUBLISHER = "publisher-name"
    """Whom it names as its publisher, else its owner prefix (terms.publisher_of)."""
    RELATION_TYPE = "relation-type"
    UPDATE_TYPE = "update-type"
    UPDATES = "updates"
    """A DOI that it updates."""
    ALTERNATIVE_ID = "alternative-id"
    ARTICLE_NUMBER = "article-number"
    CONTENT_DOMAIN = "content-domain"
    CLINICAL_TRIAL = "clinical-trial-number"


class Part(StrEnum):
    """A kind of sub-record that a work has several of."""

    AWARD = "award"
    LICENSE = "license"
    FULL_TEXT = "full-text"
    RELATION = "relation"


PARTS: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.AWARD: ("number", "funder"),
    Part.LICENSE: ("url", "version"),
    Part.FULL_TEXT: ("type", "version", "application"),
    Part.RELATION: ("object", "object-type", "type"),
}
"""What the parts of a sub-record are called, in a fixed order."""


class Text(StrEnum):
    """A field that a work is found by, word by word."""

    FREE = "free"
    BIBLIOGRAPHIC = "bibliographic"
    TITLE = "title"
    AUTHOR = "author"
    CONTAINER_TITLE = "container-title"
    AFFILIATION = "affiliation"
    CHAIR = "chair"
    CONTRIBUTOR = "contributor"
    DEGREE = "degree"
    DESCRIPTION = "description"
    EDITOR = "editor"
    EVENT_ACRONYM = "event-acronym"
    EVENT_LOCATION = "event-location"
    EVENT_NAME = "event-name"
    EVENT_SPONSOR = "event-sponsor"
    EVENT_THEME = "event-theme"
    FUNDER_NAME = "funder-name"
    PUBLISHER_LOCATION = "publisher-location"
    PUBLISHER_NAME = "publisher-name"
    """As the work says it; an owner's name is not in the index (Words.alternatives)."""
    STANDARDS_BODY_ACRONYM = "standards-body-acronym"
    STANDARDS_BODY_NAME = "standards-body-name"
    TRANSLATOR = "translator"


class Moment(StrEnum):
    """A date of a work that lists are sorted and bounded by."""

    INDEXED = "indexed"
    DEPOSITED = "deposited"
    CREATED = "created"
    PUBLISHED = "published"
    ISSUED = "issued"
    PUBLISHED_ONLINE = "published-online"
    PUBLISHED_PRINT = "published-print"
    POSTED = "posted"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    AWARDED = "awarded"
    EVENT_START = "event-start"
    EVENT_END = "event-end"


class Tally(StrEnum):
    """A number of a work that lists are sorted by."""

    REFERENCES = "references-count"
    CITED_BY = "is-referenced-by-count"
    """How many works cite it, as of some time ago (services/distribution/counts.py)."""


class Amount(StrEnum):
    """A number that a work may have several of, and that lists are bounded by."""

    AWARD = "award-amount"


class Facet(StrEnum):
    """A field whose values can be counted."""

    OWNER = "owner"
    TYPE = "type"
    ISSN = "issn"
    YEAR = "year"
    PROFILE = "profile"
    AFFILIATION = "affiliation"
    ARCHIVE = "archive"
    ASSERTION = "assertion"
    ASSERTION_GROUP = "assertion-group"
    CATEGORY = "category-name"
    CONTAINER_TITLE = "container-title"
    FUNDER = "funder-doi"
    FUNDER_NAME = "funder-name"
    JOURNAL_ISSUE = "journal-issue"
    JOURNAL_VOLUME = "journal-volume"
    LICENSE = "license"
    LINK_APPLICATION = "link-application"
    ORCID = "orcid"
    PUBLISHER = "publisher-name"
    RELATION_TYPE = "relation-type"
    ROR = "ror-id"
    SOURCE = "source"
    UPDATE_TYPE = "update-type"


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
class Between:
    """One of the work's amounts lies in low..high, both inclusive, None for an open end."""

    amount: Amount
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Having:
    """One and the same sub-record has, of each part named, one of its values.

    ``named`` pairs parts (PARTS) with values; ``within`` is the longest delay of a licence, days.
    """

    part: Part
    named: tuple[tuple[str, frozenset[str]], ...]
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """The text holds at least one of these words; works that hold more of them rank higher.

    A work that has one of ``alternatives`` is found as well, with the score beside it: for words
    that are looked up elsewhere when the question is asked.
    """

    field: Text
    text: str
    alternatives: tuple[tuple[OneOf, float], ...] = ()


Clause: TypeAlias = OneOf | Flagged | During | Between | Having


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


@dataclass(frozen=True, slots=True)
class Sampled:
    """So many works as rows are asked for, drawn by chance: of one seed, always the same."""

    seed: int


Start: TypeAlias = Offset | After | FromStart | Sampled


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
