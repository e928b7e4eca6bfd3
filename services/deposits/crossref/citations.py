"""Citations: `citation_list/citation` -> `reference` (crossref.md 1.13 and 5.5).

References are kept whole and in order; nothing about them is corrected.
"""

import re

from services.deposits.crossref import markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Row, Table, described, loose, not_carried
from services.deposits.crossref.vocabulary import short_name

_RESOLVER = re.compile(r"(?i)^(https?://(dx\.)?doi\.org/|doi:\s*)(?=10\.)")
_DOI = re.compile(r"10\.[0-9]{4,9}/.+", re.DOTALL)


def _key(element: Element, notes: Notes) -> str | None:
    key = markup.collapse(element.get("key") or "")  # as the schema has it
    if not key:
        notes.add("citation-key", element)
    return key or None


def _doi(element: Element, notes: Notes) -> Work | None:
    doi = _RESOLVER.sub("", markup.plain(element))
    if not doi:
        return None
    if not _DOI.fullmatch(doi):
        parent = element.getparent()
        key = "" if parent is None else parent.get("key") or ""
        notes.add("reference-doi", element, key=key, doi=doi[:200])
    return {"DOI": doi, "doi-asserted-by": element.get("provider") or "publisher"}


def _issn(element: Element, _: Notes) -> Work | None:
    digits = markup.plain(element).replace("-", "")
    if not digits:
        return None
    uri = f"https://id.crossref.org/issn/{digits[:4]}-{digits[4:]}"
    return {"ISSN": uri, "issn-type": element.get("media_type") or "print"}


def _isbn(element: Element, _: Notes) -> Work | None:
    isbn = markup.plain(element)
    if not isbn:
        return None
    uri = f"https://id.crossref.org/isbn/{isbn}"
    return {"ISBN": uri, "isbn-type": element.get("media_type") or "print"}


def standards_body(element: Element, _: Notes) -> str | None:
    """Read the name alone: 5.x wraps name and acronym, 4.x has the text itself."""
    for child in element:
        if isinstance(child.tag, str) and short_name(child.tag) == "standards_body_name":
            return markup.plain(child) or None
    return markup.plain(element) or None


def _type(element: Element, _: Notes) -> str | None:
    return element.get("type") or None


STANDARDS_BODY = Table(
    "standards_body",
    described("standards_body_name", "standards-body"),
    not_carried("standards_body_acronym", "Crossref's reference has the name alone"),
)

CITATION = Table(
    "citation",
    Row("@key", "key", _key, kind="key", note="required, unique within the record"),
    Row("@type", "type", _type, kind="citation-type", since="5.4.0"),
    Row("issn", "*", _issn, kind="reference-issn", keys=("ISSN", "issn-type")),
    Row("journal_title", "journal-title", loose, kind="loose"),
    Row("author", "author", loose, kind="loose", note="the first author"),
    Row("volume", "volume", loose, kind="short"),
    Row("issue", "issue", loose, kind="short"),
    Row("first_page", "first-page", loose, kind="short"),
    Row(
        "elocation_id",
        "elocation-id",
        loose,
        kind="short",
        note="no field of Crossref's wire; kept because a reference is never cut",
    ),
    Row("cYear", "year", loose, kind="short"),
    Row(
        "doi",
        "*",
        _doi,
        kind="reference-doi",
        keys=("DOI", "doi-asserted-by"),
        note="asserted by @provider, else by the publisher",
    ),
    Row("isbn", "*", _isbn, kind="reference-isbn", keys=("ISBN", "isbn-type")),
    Row("series_title", "series-title", loose, kind="loose"),
    Row("volume_title", "volume-title", loose, kind="loose"),
    Row("edition_number", "edition", loose, kind="short"),
    Row("component_number", "component", loose, kind="short"),
    Row("article_title", "article-title", loose, kind="loose"),
    Row("std_designator", "standard-designator", loose, kind="designator"),
    Row(
        "standards_body",
        "standards-body",
        standards_body,
        kind="standards-body",
        inside=STANDARDS_BODY,
    ),
    Row("unstructured_citation", "unstructured", loose, kind="loose"),
)


def references(element: Element, notes: Notes) -> list[Work] | None:
    """Read a citation_list; duplicate keys are told, and every reference is kept."""
    found: list[Work] = []
    seen: set[str] = set()
    for child in element.iterchildren("{*}citation"):
        reference = CITATION.read(child, notes)
        key = reference.get("key", "")
        if key in seen:
            notes.add("duplicate-citation-key", child, key=key)
        elif key:
            seen.add(key)
        found.append(reference)
    return found or None
