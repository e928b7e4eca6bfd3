"""Journals, their issues and volumes, and their articles."""

from services.deposits.crossref import identity, parts
from services.deposits.crossref.crossmark import CROSSMARK_ROW
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.common import (
    CITATIONS_ROW,
    CODEN,
    COMPONENTS_ROW,
    CONTRIBUTORS_ROW,
    DISTRIBUTION,
    LANGUAGE_ROW,
    OWN_DOI,
    PUBLICATION_TYPE,
    SCN,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.programs import PROGRAMS, RELATIONS_ROW
from services.deposits.crossref.rows import Notes, Row, Table, not_carried, text, titled

# -- tables ------------------------------------------------------------------------------------


def _volume(element: Element, notes: Notes) -> Work | None:
    said = VOLUME.read(element, notes)
    said.pop("doi_data", None)
    return said or None


VOLUME = Table(
    "journal_volume",
    Row("volume", "volume", text, kind="short"),
    not_carried("publisher_item", "belongs to the volume, not to its articles"),
    parts.ARCHIVES_ROW,
    OWN_DOI,
)
_VOLUME_ROW = Row("journal_volume", "*", _volume, keys=("volume", "archive"), inside=VOLUME)

JOURNAL = Table(
    "journal_metadata",
    LANGUAGE_ROW,
    *DISTRIBUTION,
    Row("full_title", "container-title", titled, kind="journal-title", many=True),
    Row("abbrev_title", "short-container-title", titled, kind="journal-title", many=True),
    parts.ISSN_ROW,
    CODEN,
    parts.ARCHIVES_ROW,
    OWN_DOI,
)

_ISSUE_DATE = parts.by_medium(print="published-print", online="published-online")


def _issue_date(element: Element, notes: Notes) -> Work | None:
    found = _ISSUE_DATE(element, notes)
    return {"journal-issue": found} if found else None


ISSUE = Table(
    "journal_issue",
    not_carried("contributors", "editors of the issue, not of its articles"),
    not_carried("titles", "the title of the issue, not of its articles"),
    Row(
        "publication_date",
        "*",
        _issue_date,
        kind="issue-dates",
        keys=("journal-issue",),
        note="journal-issue.published-print and .published-online; @media_type other is not "
        "carried",
    ),
    _VOLUME_ROW,
    Row("issue", "issue", text, kind="short", note="also journal-issue.issue"),
    Row("special_numbering", "special_numbering", text, kind="numbering"),
    parts.ARCHIVES_ROW,
    OWN_DOI,
)


def _shape_issue(said: Work) -> Work:
    """Put an issue's number beside its dates; without a number there is no issue to date."""
    if "issue" in said:
        dated = said.get("journal-issue", {})
        return {**said, "journal-issue": {"issue": said["issue"], **dated}}
    return {key: value for key, value in said.items() if key != "journal-issue"}


ISSUE_RECORD = Table(
    "journal_issue",
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.PUBLICATION_DATE,
    _VOLUME_ROW,
    Row("issue", "issue", text, kind="short"),
    Row("special_numbering", "special_numbering", text, kind="numbering"),
    parts.ARCHIVES_ROW,
    identity.DOI_DATA_ROW,
)

ARTICLE = Table(
    "journal_article",
    LANGUAGE_ROW,
    PUBLICATION_TYPE,
    *DISTRIBUTION,
    parts.TITLES_ROW,
    CONTRIBUTORS_ROW,
    parts.ABSTRACT_ROW,
    parts.PUBLICATION_DATE,
    parts.dated("acceptance_date", "accepted", since="4.4.0"),
    parts.PAGES_ROW,
    parts.PUBLISHER_ITEM_ROW,
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

# -- kinds -------------------------------------------------------------------------------------

_LENT = (
    ("journal_issue", ("journal-issue", "volume", "issue", "special_numbering", "archive")),
    (
        "journal_metadata",
        (
            *("language", "container-title", "short-container-title"),
            *("ISSN", "issn-type", "archive"),
        ),
    ),
)

_ARTICLE = Kind(
    "journal_article",
    "Journal Article",
    "journal-article",
    ARTICLE,
    (
        ("missing-title", "title", "titles"),
        (
            "missing-date",
            "published-print published-online published-other",
            "publication_date",
        ),
    ),
    borrows=_LENT,
)
_JOURNAL = Kind(
    "journal_metadata",
    "Journal",
    "journal",
    JOURNAL,
    (("missing-title", "title", "full_title"),),
    renames={"container-title": "title", "short-container-title": "short-title"},
)
_ISSUE = Kind("journal_issue", "Journal Issue", "journal-issue", ISSUE_RECORD, borrows=_LENT)
_VOLUME = Kind("journal_volume", "Journal Volume", "journal-volume", VOLUME, borrows=_LENT)

JOURNALS = Body(
    "journal",
    "Journal",
    (
        Part(("journal_metadata",), _JOURNAL, must=False, title="journal"),
        Part(
            ("journal_issue",),
            _ISSUE,
            must=False,
            lends=ISSUE,
            shape=_shape_issue,
            inside=(Inside(("journal_volume",), _VOLUME),),
        ),
        Part(("journal_article",), _ARTICLE, inside=(COMPONENTS,)),
    ),
)
