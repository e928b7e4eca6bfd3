"""Kinds of record: which tables read them, and how a work object is completed.

A kind is a row of `KINDS`. Its table reads the record's own element; what stands around it (the
journal and the issue of an article) is read once by their tables and lent to each record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.deposits.crossref import dates, parts
from services.deposits.crossref.citations import CITATION, references
from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import Problem
from services.deposits.crossref.markup import Element
from services.deposits.crossref.people import CONTRIBUTORS, INSTITUTION, contributors, institution
from services.deposits.crossref.programs import CROSSMARK_ROW, PROGRAMS, RELATIONS_ROW
from services.deposits.crossref.rows import Notes, Row, Table, attribute, not_carried, table, text, titled
from services.deposits.crossref.vocabulary import LINK_APPLICATIONS

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
    Row("full_title", "container-title", titled, kind="title", many=True),
    Row("abbrev_title", "short-container-title", titled, kind="title", many=True),
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a record: read once, lent to each record inside."""

    said: Work
    problems: tuple[Problem, ...] = ()
    lists: tuple[str, ...] = ("archive",)  # inherited only by a record that has none of its own


def surroundings(table: Table, element: Element, notes: Notes) -> Surroundings:
    """Read a journal's or an issue's element."""
    said = table.read(element, notes)
    said.pop("doi_data", None)
    if "issue" in said:
        said["journal-issue"] = {"issue": said["issue"], **said.get("journal-issue", {})}
    else:
        said.pop("journal-issue", None)
    return Surroundings(said, tuple(notes.problems))


@dataclass(frozen=True, slots=True)
class Reading:
    """A record's element, read: the DOI and timestamp as deposited, and the work."""

    doi: str
    timestamp: str | None
    work: Work
    problems: tuple[Problem, ...]
    components: int


def read_record(
    kind: Kind, element: Element, notes: Notes, *, around: tuple[Surroundings, ...]
) -> Reading:
    """Read one record; everything wrong with it is in `problems`."""
    said = kind.table.read(element, notes)
    work = {kind.renames.get(key, key): value for key, value in said.items()}
    for outer in around:
        for key, value in outer.said.items():
            work.setdefault(key, value)
    for key, value in kind.fixed.items():
        work.setdefault(key, value)
    target = work.pop("doi_data", {})
    _require(kind, work, target, element=element, notes=notes)
    found = tuple(p for outer in around for p in outer.problems) + tuple(notes.problems)
    doi = target.get("doi", "")
    _complete(work, kind, doi=doi, target=target)
    return Reading(doi, target.get("timestamp"), work, found, _components(element))


def _require(kind: Kind, work: Work, target: Work, *, element: Element, notes: Notes) -> None:
    if "doi" not in target:
        notes.add("missing-doi", element)
    elif "resource" not in target and not any(p.rule == "resource-url" for p in notes.problems):
        notes.add("missing-resource", element)
    broken = {p.rule for p in notes.problems}
    for rule, keys, named in kind.required:
        # A date that is there but wrong has been told already.
        if not any(key in work for key in keys.split()) and "invalid-year" not in broken:
            notes.add(rule, element, element=named)


_ISSUED_FROM = ("posted", "published-print", "published-online", "published-other")


def _complete(work: Work, kind: Kind, *, doi: str, target: Work) -> None:
    """Add what follows from what was said: identity, issued, licences' delays, counts."""
    work["type"] = kind.type
    work["DOI"] = doi.lower()
    work["URL"] = f"https://doi.org/{doi.lower()}"
    work["resource"] = {"primary": {"URL": target.get("resource", "")}}
    if "secondary" in target:
        work["resource"]["secondary"] = target["secondary"]
    if "link" in target:
        order = [application for *_, application in LINK_APPLICATIONS]
        work["link"] = sorted(target["link"], key=lambda x: order.index(x["intended-application"]))
    issued = dates.earliest(work[key] for key in _ISSUED_FROM if key in work)
    if issued:
        work["published"] = issued
    work["issued"] = issued or {"date-parts": [[None]]}
    if "license" in work:
        work["license"] = [_dated(licence, issued) for licence in work["license"]]
    domain = work.get("content-domain", {})
    work["content-domain"] = {"domain": [], "crossmark-restriction": False, **domain}
    work["reference-count"] = work["references-count"] = len(work.get("reference", ()))


def _dated(licence: Work, issued: Work | None) -> Work:
    """Complete a licence: it starts when the work was issued unless it says otherwise."""
    first = issued["date-parts"][0] if issued else None
    start = licence["start"]["date-parts"][0] if "start" in licence else first
    if start is None:
        return {**licence, "delay-in-days": 0}
    delay = (dates.padded(start) - dates.padded(first)).days if first else 0
    return {**licence, "start": dates.stamp(start), "delay-in-days": max(delay, 0)}


def _components(element: Element) -> int:
    listed = element.find("{*}component_list")
    return 0 if listed is None else sum(1 for _ in listed.iterchildren("{*}component"))


