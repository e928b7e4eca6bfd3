"""Rows that several kinds share: contributors, citations, ISBNs, publishers, descriptions."""

from stdnum import isbn as isbn_numbers

from services.deposits.crossref import identity, markup, parts
from services.deposits.crossref.citations import CITATION, references
from services.deposits.crossref.crossmark import CROSSMARK_ROW
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.people import CONTRIBUTORS, INSTITUTION, contributors, institution
from services.deposits.crossref.programs import ACCESS_ROW, FUNDING_ROW, RELATIONS_ROW, TRIALS_ROW
from services.deposits.crossref.rows import (
    Notes,
    Row,
    Table,
    attribute,
    loose,
    not_carried,
    table,
    text,
)

# -- attributes --------------------------------------------------------------------------------

LANGUAGE_ROW = Row("@language", "language", attribute("language"), kind="language")
_REFERENCE_DISTRIBUTION = not_carried(
    "@reference_distribution_opts",
    "who may see references is the member's preference by prefix, never the file's (CRR-3)",
)
_METADATA_DISTRIBUTION = not_carried("@metadata_distribution_opts", "out of use", until="4.4.2")
DISTRIBUTION = (_REFERENCE_DISTRIBUTION, _METADATA_DISTRIBUTION)
PUBLICATION_TYPE = not_carried(
    "@publication_type", "Crossref's work object has no publication type"
)

# -- people and institutions -------------------------------------------------------------------

CONTRIBUTORS_ROW = Row(
    "contributors",
    "*",
    contributors,
    kind="contributors",
    keys=("author", "editor", "chair", "translator", "contributor"),
    inside=CONTRIBUTORS,
)
INSTITUTION_ROW = Row(
    "institution", "institution", institution, kind="institution", many=True, inside=INSTITUTION
)


def _publisher(element: Element, notes: Notes) -> Work | None:
    """Read the first publisher; the place of another must not become its own."""
    if next(element.itersiblings(str(element.tag), preceding=True), None) is not None:
        return None
    return PUBLISHER.read(element, notes) or None


PUBLISHER = Table(
    "publisher",
    Row("publisher_name", "publisher", text, kind="text"),
    Row("publisher_place", "publisher-location", text, kind="text"),
)
PUBLISHER_ROW = Row(
    "publisher",
    "*",
    _publisher,
    keys=("publisher", "publisher-location"),
    inside=PUBLISHER,
    note="the first one; kinds without it show the owner's name",
)

# -- identifiers -------------------------------------------------------------------------------


def _isbn(element: Element, notes: Notes) -> Work | None:
    """Read an isbn into ISBN and isbn-type, hyphens left out; a wrong digit is told."""
    written = markup.plain(element)
    value = isbn_numbers.compact(written.upper().removeprefix("ISBN").strip(" :"))
    if not value:
        return None
    if not isbn_numbers.is_valid(value):
        notes.add("isbn-checksum", element, isbn=written[:40])
    medium = (element.get("media_type") or "print").strip()
    return {"ISBN": [value], "isbn-type": [{"type": medium, "value": value}]}


ISBN_ROW = Row(
    "isbn",
    "*",
    _isbn,
    kind="isbn",
    keys=("ISBN", "isbn-type"),
    note="without hyphens; @media_type is print when not given",
)
NO_ISBN = not_carried("noisbn", "why there is no ISBN is no part of the work object")
ISBN_ROWS = (ISBN_ROW, NO_ISBN)
EDITION_ROW = Row("edition_number", "edition-number", text, kind="short")
CODEN = not_carried("coden", "Crossref's work object has no CODEN")

# -- dates and text ----------------------------------------------------------------------------

ACCEPTED_ROW = parts.dated("acceptance_date", "accepted")
APPROVED_ROW = parts.dated("approval_date", "approved")
DESCRIPTION_ROW = Row(
    "description",
    "description",
    loose,
    kind="loose",
    note="plain text in which face markup shows as tags; @language is not carried",
)
FORMAT = not_carried("format", "Crossref's work object has no format of the content")
SCN = not_carried("scn_policies", "Crossref's work object has no sharing policies", since="4.4.2")

VERSION = Table(
    "version_info",
    Row("version", "version", text, kind="short"),
    Row("version_description", "description", text, kind="text"),
)
VERSION_ROW = Row(
    "version_info", "version", table(VERSION), kind="version", inside=VERSION, since="5.5.0"
)

# -- citations, components ---------------------------------------------------------------------

CITATIONS_ROW = Row(
    "citation_list",
    "reference",
    references,
    kind="references",
    inside=CITATION,
    note="in order; reference-count and references-count are their number",
)


def _components(element: Element, notes: Notes) -> None:
    """Tell of components that are no records; those with a doi_data are read by the reader."""
    for component in element.iterchildren("{*}component"):
        if component.find("{*}doi_data") is None:
            doi = (component.findtext("{*}doi") or "").strip(markup.SPACE)
            notes.add("component-elsewhere", component, doi=doi[:200])


COMPONENTS_ROW = Row(
    "component_list",
    "*",
    _components,
    note="each component with a doi_data is a record of its own, after this one; one that only "
    "names a DOI (of another agency) is told",
)

OWN_DOI = Row(
    "doi_data", "*", identity.doi_data, inside=identity.DOI_DATA, note="a record of its own"
)

# -- what nearly every kind ends with ------------------------------------------------------------

CONTENT = (parts.PUBLISHER_ITEM_ROW, CROSSMARK_ROW, FUNDING_ROW, ACCESS_ROW)
CLOSING = (RELATIONS_ROW, parts.ARCHIVES_ROW, identity.DOI_DATA_ROW, CITATIONS_ROW)
TRIALS = TRIALS_ROW
