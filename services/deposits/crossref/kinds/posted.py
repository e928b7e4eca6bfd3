"""Posted content, peer reviews and pending publications: records that stand alone."""

from services.deposits.crossref import identity, parts
from services.deposits.crossref.crossmark import CROSSMARK_ROW
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.common import (
    ACCEPTED_ROW,
    CITATIONS_ROW,
    COMPONENTS_ROW,
    CONTRIBUTORS_ROW,
    DISTRIBUTION,
    INSTITUTION_ROW,
    ISBN_ROW,
    LANGUAGE_ROW,
    SCN,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS
from services.deposits.crossref.kinds.shapes import Body, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.programs import (
    ACCESS_ROW,
    FUNDING_ROW,
    PROGRAMS,
    RELATIONS_ROW,
)
from services.deposits.crossref.rows import (
    Notes,
    Read,
    Row,
    Table,
    attribute,
    loose,
    not_carried,
    table,
    text,
    titled,
)

_TITLED = ("missing-title", "title", "titles")

# -- posted content ----------------------------------------------------------------------------

POSTED = Table(
    "posted_content",
    Row("@type", "subtype", attribute("type"), kind="posted-type", note="preprint when not given"),
    LANGUAGE_ROW,
    *DISTRIBUTION,
    Row("group_title", "group-title", text, kind="text"),
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.dated("posted_date", "posted"),
    ACCEPTED_ROW,
    INSTITUTION_ROW,
    parts.ITEM_NUMBER_ROW,
    parts.ABSTRACT_ROW,
    CROSSMARK_ROW,
    *PROGRAMS,
    RELATIONS_ROW,
    parts.ARCHIVES_ROW,
    SCN,
    VERSION_ROW,
    identity.DOI_DATA_ROW,
    CITATIONS_ROW,
    COMPONENTS_ROW,
)
_POSTED = Kind(
    "posted_content",
    "Posted Content",
    "posted-content",
    POSTED,
    (_TITLED, ("missing-date", "posted", "posted_date")),
    fixed={"subtype": "preprint"},
)
POSTED_CONTENT = Body(
    "posted_content", "Posted Content", (Part((), _POSTED, inside=(COMPONENTS,)),)
)

# -- peer reviews ------------------------------------------------------------------------------


def _review(key: str, read: Read) -> Read:
    """Return a reader of one field of `review`."""

    def field(element: Element, notes: Notes) -> Work | None:
        value = read(element, notes)
        return {"review": {key: value}} if value else None

    return field


def _field(element: str, key: str, read: Read, *, kind: str, note: str = "") -> Row:
    return Row(element, "*", _review(key, read), kind=kind, keys=(f"review.{key}",), note=note)


PEER_REVIEW = Table(
    "peer_review",
    _field("@stage", "stage", attribute("stage"), kind="review-stage"),
    _field("@type", "type", attribute("type"), kind="review-type"),
    _field(
        "@recommendation",
        "recommendation",
        attribute("recommendation"),
        kind="review-recommendation",
    ),
    _field("@revision-round", "revision-round", attribute("revision-round"), kind="review-round"),
    _field("@language", "language", attribute("language"), kind="review-language"),
    *DISTRIBUTION,
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.dated(
        "review_date",
        "published-print",
        note="it has no @media_type, and print is the schema's default",
    ),
    INSTITUTION_ROW,
    _field(
        "competing_interest_statement",
        "competing-interest-statement",
        loose,
        kind="review-statement",
        note="@language is not carried",
    ),
    _field("running_number", "running-number", text, kind="review-number"),
    ACCESS_ROW,
    RELATIONS_ROW,
    SCN,
    VERSION_ROW,
    identity.DOI_DATA_ROW,
)
_PEER_REVIEW = Kind(
    "peer_review",
    "Peer Review",
    "peer-review",
    PEER_REVIEW,
    (_TITLED, ("missing-date", "published-print", "review_date")),
)
PEER_REVIEWS = Body("peer_review", "Peer Review", (Part((), _PEER_REVIEW),))

# -- pending publications ----------------------------------------------------------------------


def _bare_doi(element: Element, notes: Notes) -> Work | None:
    doi = identity.doi(element, notes)
    return {"doi_data": {"doi": doi}} if doi else None


BARE_DOI_ROW = Row(
    "doi",
    "*",
    _bare_doi,
    kind="doi",
    keys=("DOI", "URL"),
    note="without doi_data: the record has no `resource`",
)

PUBLICATION = Table(
    "publication",
    Row("full_title", "container-title", titled, kind="journal-title", many=True),
    parts.ISSN_ROW,
    ISBN_ROW,
    not_carried("doi", "the DOI of the publication, not of the record"),
)
PENDING = Table(
    "pending_publication",
    LANGUAGE_ROW,
    CONTRIBUTORS_ROW,
    Row(
        "publication",
        "*",
        table(PUBLICATION),
        keys=("container-title", "ISSN", "issn-type", "ISBN", "isbn-type"),
        inside=PUBLICATION,
    ),
    parts.TITLES_ROW,
    ACCEPTED_ROW,
    INSTITUTION_ROW,
    parts.ITEM_NUMBER_ROW,
    not_carried("intent_statement", "Crossref's work object has no statement of intent"),
    parts.ABSTRACT_ROW,
    CROSSMARK_ROW,
    FUNDING_ROW,
    ACCESS_ROW,
    RELATIONS_ROW,
    BARE_DOI_ROW,
)
_PENDING = Kind(
    "pending_publication",
    "Pending Publication",
    "other",  # Crossref's list has no type of its own; the full deposit replaces the record
    PENDING,
    (("missing-date", "accepted", "acceptance_date"),),
    resource=False,
)
PENDING_PUBLICATIONS = Body("pending_publication", "Pending Publication", (Part((), _PENDING),))
