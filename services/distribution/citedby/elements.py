"""Citing works as ``crossref_result`` 2.0 writes them: one element a kind of work. Pure.

Only the fields named here are read, so that no reference of a citing work can be in an answer.
``journal_cite`` is as real answers have it; the other kinds follow its manner (crossref.md 3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from services.distribution.matching.words import number

Element = etree._Element  # noqa: SLF001  (the library's name for it)
Filling = Callable[[Element, Mapping[str, Any]], None]

NS: Final = "http://www.crossref.org/qrschema/2.0"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
LOCATION: Final = (
    f"{NS} http://www.crossref.org/schema/queryResultSchema/crossref_query_output2.0.xsd"
)
_CONTROL: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_ROOT: Final = (
    f'<crossref_result version="2.0" xmlns="{NS}" xmlns:xsi="{_XSI}"'
    f' xsi:schemaLocation="{LOCATION}"><query_result>'
    "<head><doi_batch_id>none</doi_batch_id></head><body>"
)
ROOT: Final = _ROOT.encode()
HEAD: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ROOT
QUERY_HEAD: Final = HEAD.replace(
    b"http://www.crossref.org/schema/queryResultSchema/", b"https://www.crossref.org/schema/"
)
"""How answers to queries begin: they name another place of the same schema."""
TAIL: Final = b"</body></query_result></crossref_result>\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """How works of a type are written: the element, the DOI's type, what stands in it."""

    element: str
    doi_type: str
    fill: tuple[Filling, ...]


def forward_link(cited: str, citing: str, work: Mapping[str, Any], *, cited_by: int) -> bytes:
    """Return one ``forward_link``: a work that cites ``cited``, and how often that one is cited."""
    link = etree.Element("forward_link", doi=cited)
    link.append(cite(citing, work, cited_by=cited_by))
    return etree.tostring(link, encoding="utf-8")


def cite(citing: str, work: Mapping[str, Any], *, cited_by: int) -> Element:
    """Return the element of a citing work, without a namespace of its own."""
    kind = KINDS.get(str(work.get("type")), OTHER)
    element = etree.Element(kind.element, fl_count=str(cited_by))
    _fill(element, kind, citing, work)
    return element


def query(doi: str, work: Mapping[str, Any] | None, *, cited_by: int) -> bytes:
    """Return the ``query`` of an OpenURL answer: a work and its count, or that there is none."""
    status = "unresolved" if work is None else "resolved"
    element = etree.Element("query", status=status, fl_count=str(cited_by))
    if work is None:
        if doi:
            _text(element, "doi", doi)
    else:
        kind = KINDS.get(str(work.get("type")), OTHER)
        _doi(element, kind, doi)
        _fill(element, kind, None, work)
        _as_asked(element)
    return etree.tostring(element, encoding="utf-8")


def _as_asked(element: Element) -> None:
    """Write it as answers to queries do: the article's title last, and nobody as first author."""
    for person in element.iter("contributor", "organization"):
        del person.attrib["first-author"]
    if (title := element.find("article_title")) is not None:
        element.append(title)


def _fill(element: Element, kind: Kind, doi: str | None, work: Mapping[str, Any]) -> None:
    for fill in kind.fill:
        fill(element, work)
    if doi is not None:
        _doi(element, kind, doi)


def _doi(element: Element, kind: Kind, doi: str) -> None:
    _text(element, "doi", doi, type=kind.doi_type)


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, name, attributes).text = text.translate(_CONTROL)


def _first(work: Mapping[str, Any], name: str) -> str:
    value = work.get(name)
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str) and one), "")
    return value if isinstance(value, str) else ""


def _said(name: str, field: str) -> Filling:
    """Write the first text of a field, where there is one."""

    def fill(element: Element, work: Mapping[str, Any]) -> None:
        if text := _first(work, field):
            _text(element, name, text)

    return fill


def _issn(element: Element, work: Mapping[str, Any]) -> None:
    typed = work.get("issn-type") or [{"value": one} for one in work.get("ISSN", ())]
    for one in typed:
        attributes = {"type": one["type"]} if one.get("type") in ("print", "electronic") else {}
        _text(element, "issn", str(one.get("value", "")), **attributes)


def _isbn(element: Element, work: Mapping[str, Any]) -> None:
    for one in work.get("ISBN", ()):
        _text(element, "isbn", str(one).rpartition("/")[2])


def _contributors(element: Element, work: Mapping[str, Any]) -> None:
    people = [one for role in ("author", "editor") for one in work.get(role, ())]
    if not people:
        return
    holder = etree.SubElement(element, "contributors")
    for place, person in enumerate(people):
        attributes = {
            "first-author": "true" if place == 0 else "false",
            "sequence": "first" if place == 0 else "additional",
            "contributor_role": "author" if person in work.get("author", ()) else "editor",
        }
        if person.get("family"):
            one = etree.SubElement(holder, "contributor", attributes)
            if person.get("given"):
                _text(one, "given_name", str(person["given"]))
            _text(one, "surname", str(person["family"]))
        elif person.get("name"):
            one = etree.SubElement(holder, "organization", attributes)
            one.text = str(person["name"]).translate(_CONTROL)


def _page(element: Element, work: Mapping[str, Any]) -> None:
    if page := _first(work, "page") or _first(work, "article-number"):
        first = page.partition("-")[0].strip()
        _text(element, "first_page" if number(page) else "item_number", first)


def _year(element: Element, work: Mapping[str, Any]) -> None:
    for name in ("issued", "published"):
        date = work.get(name)
        parts = date.get("date-parts") if isinstance(date, Mapping) else None
        if parts and parts[0] and parts[0][0] is not None:
            _text(element, "year", str(parts[0][0]))
            return


def _institution(element: Element, work: Mapping[str, Any]) -> None:
    for one in work.get("institution", ()):
        if one.get("name"):
            _text(element, "institution_name", str(one["name"]))


def _publication_type(element: Element, _work: Mapping[str, Any]) -> None:
    _text(element, "publication_type", "full_text")


_JOURNAL: Final[tuple[Filling, ...]] = (
    _issn,
    _said("journal_title", "container-title"),
    _said("journal_abbreviation", "short-container-title"),
    _said("article_title", "title"),
    _contributors,
    _said("volume", "volume"),
    _said("issue", "issue"),
    _page,
    _year,
    _publication_type,
)
_BOOK: Final[tuple[Filling, ...]] = (
    _isbn,
    _issn,
    _said("volume_title", "title"),
    _contributors,
    _said("volume", "volume"),
    _said("edition_number", "edition-number"),
    _page,
    _year,
    _publication_type,
)
_PART: Final[tuple[Filling, ...]] = (
    _isbn,
    _issn,
    _said("volume_title", "container-title"),
    _said("article_title", "title"),
    *_BOOK[3:],
)
_REPORT: Final[tuple[Filling, ...]] = (
    _isbn,
    _said("volume_title", "title"),
    _contributors,
    _institution,
    _year,
    _publication_type,
)

OTHER: Final = Kind("journal_cite", "other", _JOURNAL)
_CITES: Final[Mapping[str, tuple[str, str, tuple[Filling, ...]]]] = {
    "journal-article": ("journal_cite", "journal_article", _JOURNAL),
    "journal-issue": ("journal_cite", "journal_issue", _JOURNAL),
    "journal": ("journal_cite", "journal_title", _JOURNAL),
    "book": ("book_cite", "book_title", _BOOK),
    "monograph": ("book_cite", "book_title", _BOOK),
    "edited-book": ("book_cite", "book_title", _BOOK),
    "reference-book": ("book_cite", "book_title", _BOOK),
    "book-chapter": ("book_cite", "book_content", _PART),
    "book-part": ("book_cite", "book_content", _PART),
    "book-section": ("book_cite", "book_content", _PART),
    "reference-entry": ("book_cite", "book_content", _PART),
    "proceedings": ("conf_cite", "conference_title", _BOOK),
    "proceedings-article": ("conf_cite", "conference_paper", _PART),
    "dissertation": ("dissertation_cite", "dissertation", _REPORT),
    "report": ("report_cite", "report-paper_title", _REPORT),
    "report-component": ("report_cite", "report-paper_content", _REPORT),
    "standard": ("standard_cite", "standard_title", _REPORT),
    "posted-content": ("postedcontent_cite", "posted_content", _REPORT),
}
KINDS: Final[Mapping[str, Kind]] = {name: Kind(*cite) for name, cite in _CITES.items()}
"""Type of the citing work -> how it is written; any other as a journal's."""
