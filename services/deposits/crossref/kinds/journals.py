"""Kinds of record as tables: what each element of a journal or of posted content becomes.

A kind is a row of `KINDS`; its table reads the record's own element. A further kind (books,
conferences, ...) is a further table here and a further row there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.deposits.crossref import parts
from services.deposits.crossref.citations import CITATION, references
from services.deposits.crossref.crossmark import CROSSMARK_ROW
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.people import CONTRIBUTORS, INSTITUTION, contributors, institution
from services.deposits.crossref.programs import PROGRAMS, RELATIONS_ROW
from services.deposits.crossref.rows import (
    Notes,
    Row,
    Table,
    attribute,
    not_carried,
    table,
    text,
    titled,
)

# -- tables ------------------------------------------------------------------------------------

LANGUAGE_ROW = Row("@language", "language", attribute("language"), kind="language")
_REFERENCE_DISTRIBUTION = not_carried(
    "@reference_distribution_opts",
    "who may see references is the member's preference by prefix, never the file's (CRR-3)",
)
_METADATA_DISTRIBUTION = not_carried("@metadata_distribution_opts", "out of use", until="4.4.2")
CONTRIBUTORS_ROW = Row(
    "contributors",
    "*",
    contributors,
    kind="contributors",
    keys=("author", "editor", "chair", "translator", "contributor"),
    inside=CONTRIBUTORS,
)
CITATIONS_ROW = Row(
    "citation_list",
    "reference",
    references,
    kind="references",
    inside=CITATION,
    note="in order; reference-count and references-count are their number",
)
_COMPONENTS = not_carried("component_list", "components are records of their own: not read yet")
_SCN = not_carried("scn_policies", "Crossref's work object has no sharing policies", since="4.4.2")


_OWN_DOI = Row("doi_data", "*", parts.doi_data, inside=parts.DOI_DATA, note="a record of its own")


def _volume(element: Element, notes: Notes) -> Work | None:
    said = VOLUME.read(element, notes)
    said.pop("doi_data", None)
    return said or None


VOLUME = Table(
    "journal_volume",
    Row("volume", "volume", text, kind="short"),
    not_carried("publisher_item", "belongs to the volume, not to its articles"),
    parts.ARCHIVES_ROW,
    _OWN_DOI,
)
_VOLUME_ROW = Row("journal_volume", "*", _volume, keys=("volume", "archive"), inside=VOLUME)

JOURNAL = Table(
    "journal_metadata",
    LANGUAGE_ROW,
    _REFERENCE_DISTRIBUTION,
    _METADATA_DISTRIBUTION,
    Row("full_title", "container-title", titled, kind="journal-title", many=True),
    Row("abbrev_title", "short-container-title", titled, kind="journal-title", many=True),
    parts.ISSN_ROW,
    not_carried("coden", "Crossref's work object has no CODEN"),
    parts.ARCHIVES_ROW,
    _OWN_DOI,
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
    _OWN_DOI,
)

ISSUE_RECORD = Table(
    "journal_issue",
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.PUBLICATION_DATE,
    _VOLUME_ROW,
    Row("issue", "issue", text, kind="short"),
    Row("special_numbering", "special_numbering", text, kind="numbering"),
    parts.ARCHIVES_ROW,
    parts.DOI_DATA_ROW,
)

VERSION = Table(
    "version_info",
    Row("version", "version", text, kind="short"),
    Row("version_description", "description", text, kind="text"),
)
_VERSION_ROW = Row(
    "version_info", "version", table(VERSION), kind="version", inside=VERSION, since="5.5.0"
)

ARTICLE = Table(
    "journal_article",
    LANGUAGE_ROW,
    not_carried("@publication_type", "Crossref's work object has no publication type"),
    _REFERENCE_DISTRIBUTION,
    _METADATA_DISTRIBUTION,
    parts.TITLES_ROW,
    CONTRIBUTORS_ROW,
    parts.ABSTRACT_ROW,
    parts.PUBLICATION_DATE,
    Row("acceptance_date", "accepted", parts.partial, kind="date", since="4.4.0"),
    parts.PAGES_ROW,
    parts.PUBLISHER_ITEM_ROW,
    CROSSMARK_ROW,
    *PROGRAMS,
    RELATIONS_ROW,
    parts.ARCHIVES_ROW,
    _SCN,
    _VERSION_ROW,
    parts.DOI_DATA_ROW,
    CITATIONS_ROW,
    _COMPONENTS,
)

POSTED = Table(
    "posted_content",
    Row("@type", "subtype", attribute("type"), kind="posted-type", note="preprint when not given"),
    LANGUAGE_ROW,
    _REFERENCE_DISTRIBUTION,
    _METADATA_DISTRIBUTION,
    Row("group_title", "group-title", text, kind="text"),
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    Row("posted_date", "posted", parts.partial, kind="date"),
    Row("acceptance_date", "accepted", parts.partial, kind="date"),
    Row(
        "institution", "institution", institution, kind="institution", many=True, inside=INSTITUTION
    ),
    parts.ITEM_NUMBER_ROW,
    parts.ABSTRACT_ROW,
    CROSSMARK_ROW,
    *PROGRAMS,
    RELATIONS_ROW,
    parts.ARCHIVES_ROW,
    _SCN,
    _VERSION_ROW,
    parts.DOI_DATA_ROW,
    CITATIONS_ROW,
    _COMPONENTS,
)


# -- kinds -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its element, the work's type, its table and what it must have."""

    element: str
    title: str
    type: str
    table: Table
    required: tuple[tuple[str, str, str], ...]  # (rule, keys any of which will do, element named)
    fixed: Mapping[str, Any]
    renames: Mapping[str, str]  # keys that an article lends from here are the record's own


KINDS: dict[str, Kind] = {
    kind.element: kind
    for kind in (
        Kind(
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
            {},
            {},
        ),
        Kind(
            "posted_content",
            "Posted Content",
            "posted-content",
            POSTED,
            (
                ("missing-title", "title", "titles"),
                ("missing-date", "posted", "posted_date"),
            ),
            {"subtype": "preprint"},
            {},
        ),
        Kind(
            "journal_metadata",
            "Journal",
            "journal",
            JOURNAL,
            (("missing-title", "title", "full_title"),),
            {},
            {"container-title": "title", "short-container-title": "short-title"},
        ),
        Kind("journal_issue", "Journal Issue", "journal-issue", ISSUE_RECORD, (), {}, {}),
        Kind("journal_volume", "Journal Volume", "journal-volume", VOLUME, (), {}, {}),
    )
}
