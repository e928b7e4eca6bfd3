"""Dissertations, reports and standards, with the content items of the latter two."""

from services.deposits.crossref import markup, parts
from services.deposits.crossref.citations import standards_body
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.books import CONTENT_ITEM, LENT_BY_BOOK
from services.deposits.crossref.kinds.common import (
    APPROVED_ROW,
    CLOSING,
    COMPONENTS_ROW,
    CONTENT,
    CONTRIBUTORS_ROW,
    DISTRIBUTION,
    EDITION_ROW,
    INSTITUTION_ROW,
    ISBN_ROW,
    LANGUAGE_ROW,
    PUBLICATION_TYPE,
    PUBLISHER_ROW,
    SCN,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS, LISTED
from services.deposits.crossref.kinds.series import SERIES_ROW, series
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.people import PERSON_ROW
from services.deposits.crossref.rows import Notes, Row, Table, described, not_carried, table, text

_HEAD = (LANGUAGE_ROW, *DISTRIBUTION)
_TITLED = (("missing-title", "title", "titles"),)

# -- dissertations -----------------------------------------------------------------------------

DISSERTATION = Table(
    "dissertation",
    PUBLICATION_TYPE,
    *_HEAD,
    PERSON_ROW,
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.ABSTRACT_ROW,
    APPROVED_ROW,
    INSTITUTION_ROW,
    Row("degree", "degree", text, kind="text", many=True),
    ISBN_ROW,
    *CONTENT,
    SCN,
    VERSION_ROW,
    *CLOSING,
    COMPONENTS_ROW,
)
_DISSERTATION = Kind(
    "dissertation",
    "Dissertation",
    "dissertation",
    DISSERTATION,
    (*_TITLED, ("missing-date", "approved", "approval_date")),
)
DISSERTATIONS = Body(
    "dissertation", "Dissertation", (Part((), _DISSERTATION, inside=(COMPONENTS,)),)
)

# -- reports -----------------------------------------------------------------------------------

_ISSUED = (
    EDITION_ROW,
    parts.PUBLICATION_DATE,
    APPROVED_ROW,
    ISBN_ROW,
    PUBLISHER_ROW,
    INSTITUTION_ROW,
    not_carried("contract_number", "Crossref's work object has no contract number"),
    *CONTENT,
    SCN,
    VERSION_ROW,
    *CLOSING,
)
_ABOUT = (CONTRIBUTORS_ROW, parts.TITLES_ROW, parts.ABSTRACT_ROW)

REPORT = Table("report-paper_metadata", *_HEAD, *_ABOUT, *_ISSUED)
REPORT_IN_SERIES = Table(
    "report-paper_series_metadata",
    *_HEAD,
    SERIES_ROW,
    *_ABOUT,
    Row("volume", "volume", text, kind="short", note="of the report's own record"),
    *_ISSUED,
)
_LENT_BY_REPORT = (*LENT_BY_BOOK, "institution")


def _report(made: Table, *inside: Inside) -> Part:
    kind = Kind(
        made.name,
        "Report",
        "report",
        made,
        (
            ("missing-title", "title volume", "titles"),
            (
                "missing-date",
                "published-print published-online published-other",
                "publication_date",
            ),
        ),
    )
    return Part((made.name,), kind, must=False, inside=inside)


_REPORT_ITEM = Kind(
    "report-paper/content_item",
    "Report Component",
    "report-component",
    CONTENT_ITEM,
    borrows=tuple((lender.name, _LENT_BY_REPORT) for lender in (REPORT, REPORT_IN_SERIES)),
)
REPORTS = Body(
    "report-paper",
    "Report",
    (
        _report(REPORT),
        _report(
            REPORT_IN_SERIES,
            Inside(("series_metadata",), series("report-paper", "Report Series", "report-series")),
        ),
        Part(("content_item",), _REPORT_ITEM, inside=(COMPONENTS,)),
        LISTED,
    ),
)

# -- standards ---------------------------------------------------------------------------------


def _designator(element: Element, _: Notes) -> str | None:
    return (element.findtext("{*}std_designator") or "").strip(markup.SPACE) or None


DESIGNATOR = Table(
    "std_as_published",
    not_carried("@family", "another designator"),
    not_carried("@set", "another designator"),
    not_carried("@undated", "another designator"),
    described("std_designator", "alternative-id"),
    not_carried("std_alt_script", "the designator in another script"),
    not_carried("std_variant_form", "the designator in another form"),
)


def _designated(name: str) -> Row:
    return Row(name, "alternative-id", _designator, kind="identifier", many=True, inside=DESIGNATOR)


_NO_DESIGNATOR = "a designator of another standard or form; Crossref's work object has no place"
DESIGNATORS = Table(
    "designators",
    _designated("std_family_designator"),
    _designated("std_set_designator"),
    _designated("std_undated_designator"),
    _designated("std_as_published"),
    not_carried("std_alt_as_published", _NO_DESIGNATOR),
    not_carried("std_supersedes", _NO_DESIGNATOR),
    not_carried("std_adopted_from", _NO_DESIGNATOR),
    not_carried("std_revision_of", _NO_DESIGNATOR),
)
STANDARDS_BODY = Table(
    "standards_body",
    Row("standards_body_name", "name", text, kind="text"),
    Row("standards_body_acronym", "acronym", text, kind="text"),
)


def _standards_body(element: Element, notes: Notes) -> Work | None:
    """Read name and acronym; some write the name alone, as in a citation."""
    name = standards_body(element, notes)
    found = {"name": name} if name and not len(element) else STANDARDS_BODY.read(element, notes)
    return found or None


STANDARD = Table(
    "standard_metadata",
    not_carried("@publication_status", "Crossref's work object has no status of a standard"),
    *_HEAD,
    *_ABOUT,
    Row("designators", "*", table(DESIGNATORS), keys=("alternative-id",), inside=DESIGNATORS),
    EDITION_ROW,
    APPROVED_ROW,
    ISBN_ROW,
    PUBLISHER_ROW,
    Row(
        "standards_body",
        "standards-body",
        _standards_body,
        kind="standards-body-of",
        inside=STANDARDS_BODY,
    ),
    *CONTENT,
    SCN,
    VERSION_ROW,
    *CLOSING,
)
_STANDARD = Kind("standard_metadata", "Standard", "standard", STANDARD, _TITLED)
_STANDARD_ITEM = Kind(
    "standard/content_item",
    "Content Item",
    "other",  # Crossref's list of types has none for a part of a standard
    CONTENT_ITEM,
    borrows=((STANDARD.name, (*LENT_BY_BOOK, "standards-body")),),
)
STANDARDS = Body(
    "standard",
    "Standard",
    (
        Part(("standard_metadata",), _STANDARD),
        Part(("content_item",), _STANDARD_ITEM, inside=(COMPONENTS,)),
        LISTED,
    ),
)
