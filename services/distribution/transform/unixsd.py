"""A work as UNIXSD: its record with what the registry knows of it, as a query is answered. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from services.distribution.transform.records.elements import writable
from services.distribution.transform.unixref import XSI, unixref

NAMESPACE: Final = "http://www.crossref.org/qrschema/3.0"
VERSION: Final = "3.0"
LOCATION: Final = f"{NAMESPACE} http://www.crossref.org/schemas/crossref_query_output3.0.xsd"
_PREFIXES: Final[dict[Any, str]] = {None: NAMESPACE, "xsi": XSI}

_KINDS: Final[Mapping[str, str]] = {
    "journal": "journal_title",
    "journal-volume": "journal_volume",
    "journal-issue": "journal_issue",
    "journal-article": "journal_article",
    "posted-content": "posted_content",
    "book-series": "book_series",
    **dict.fromkeys(
        ("book", "monograph", "edited-book", "reference-book", "book-set"), "book_title"
    ),
    **dict.fromkeys(
        ("book-chapter", "book-section", "book-part", "book-track", "reference-entry"),
        "book_content",
    ),
    "proceedings-series": "conference_series",
    "proceedings": "conference_title",
    "proceedings-article": "conference_paper",
    "dissertation": "dissertation",
    "report-series": "report-paper_series",
    "report": "report-paper_title",
    "report-component": "report-paper_content",
    "standard": "standard_title",
    "database": "database_title",
    "dataset": "dataset",
    "component": "component",
    "peer-review": "peer_review",
    "grant": "grant",
}
"""Type of a work -> type of its DOI."""


def kind_of(work: Mapping[str, Any]) -> str:
    """Return the type of a work's DOI in the older interfaces' words; ``other`` for the rest."""
    return _KINDS.get(work["type"], "other")


def unixsd(
    work: Mapping[str, Any],
    *,
    prefix_name: str | None = None,
    citation_id: int | None = None,
    container: tuple[str, int] | None = None,
) -> etree._Element:
    """Return ``crossref_result`` of a work object, as the wire's REST shows works.

    ``prefix_name`` is what the owner's prefix is called, ``citation_id`` the number of the record
    and ``container`` what it stands in (``journal-id``, ``book-id`` or ``series-id``) with its
    number: left out where the registry has none. Items stand in the order of crossref.md 1.11.
    """
    root = etree.Element(_named("crossref_result"), {"version": VERSION}, _PREFIXES)
    root.set(f"{{{XSI}}}schemaLocation", LOCATION)
    result = etree.SubElement(root, _named("query_result"))
    etree.SubElement(etree.SubElement(result, _named("head")), _named("doi_batch_id")).text = "none"
    body = etree.SubElement(result, _named("body"))
    query = etree.SubElement(body, _named("query"), status="resolved")
    described(query, work, prefix_name=prefix_name, citation_id=citation_id, container=container)
    return root


def described(
    parent: etree._Element,
    work: Mapping[str, Any],
    *,
    prefix_name: str | None = None,
    citation_id: int | None = None,
    container: tuple[str, int] | None = None,
) -> None:
    """Put a work's DOI, items and record into an element; arguments as of `unixsd`."""
    etree.SubElement(parent, _named("doi"), type=kind_of(work)).text = writable(work["DOI"])
    items = (
        ("publisher-name", "string", work.get("publisher")),
        ("prefix-name", "string", prefix_name),
        ("member-id", "number", work.get("member")),
        ("citation-id", "number", citation_id),
        *([(container[0], "number", container[1])] if container else []),
        ("deposit-timestamp", "number", _digits(work.get("deposited"))),
        ("owner-prefix", "string", work.get("prefix")),
        ("last-update", "date", _moment(work.get("indexed"))),
        ("created", "date", _moment(work.get("created"))),
        ("citedby-count", "number", work.get("is-referenced-by-count")),
    )
    for name, kind, value in items:
        if value is not None:
            _item(parent, str(value), {"name": name, "type": kind})
    for claim, identifier, kind in _claims(work):
        _item(parent, identifier, {"name": "relation", "type": kind, "claim": claim})
    etree.SubElement(parent, _named("doi_record")).append(unixref(work))


def _claims(work: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what others say of the work: updates of it, and relations they assert."""
    for update in work.get("updated-by", ()):
        yield update["type"], update["DOI"], "doi"
    for name, related in work.get("relation", {}).items():
        camel = re.sub(r"-(.)", lambda found: found[1].upper(), name)
        for item in related:
            if item.get("asserted-by") == "object":
                yield camel, item["id"], item["id-type"]


def _item(parent: etree._Element, value: str, said: dict[str, str]) -> None:
    etree.SubElement(parent, _named("crm-item"), said).text = writable(value)


def _moment(stamp: Mapping[str, Any] | None) -> str | None:
    return stamp["date-time"] if stamp else None


def _digits(stamp: Mapping[str, Any] | None) -> str | None:
    """Return a moment as digits to the millisecond: 20170216083203000."""
    if not stamp:
        return None
    return re.sub(r"\D", "", stamp["date-time"]) + f"{stamp['timestamp'] % 1000:03d}"


def _named(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
