"""A work as UNIXSD: its record with what the registry knows of it, as a query is answered. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.distribution.transform.records.elements import escaped, quoted, writable
from services.distribution.transform.unixref import XSI, unixref

NAMESPACE: Final = "http://www.crossref.org/qrschema/3.0"
VERSION: Final = "3.0"
LOCATION: Final = f"{NAMESPACE} http://www.crossref.org/schemas/crossref_query_output3.0.xsd"
OPENING: Final = (
    f'<crossref_result xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" version="{VERSION}"'
    f' xsi:schemaLocation="{LOCATION}"><query_result>'
    "<head><doi_batch_id>none</doi_batch_id></head><body>"
)
CLOSING: Final = "</body></query_result></crossref_result>"
"""What stands around queries, and closes them."""

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
) -> str:
    """Return ``crossref_result`` of a work object, as the wire's REST shows works.

    ``prefix_name`` is what the owner's prefix is called, ``citation_id`` the number of the record
    and ``container`` what it stands in (``journal-id``, ``book-id`` or ``series-id``) with its
    number: left out where the registry has none. Items stand in the order of crossref.md 1.11.
    """
    said = described(work, prefix_name=prefix_name, citation_id=citation_id, container=container)
    return f'{OPENING}<query status="resolved">{said}</query>{CLOSING}'


def described(
    work: Mapping[str, Any],
    *,
    prefix_name: str | None = None,
    citation_id: int | None = None,
    container: tuple[str, int] | None = None,
) -> str:
    """Return a work's DOI, items and record, as a ``query`` holds them; see `unixsd`."""
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
    said = [
        f'<doi type="{kind_of(work)}">{escaped(work["DOI"])}</doi>',
        *(
            f'<crm-item name="{name}" type="{kind}">{escaped(str(value))}</crm-item>'
            for name, kind, value in items
            if value is not None
        ),
        *(
            f'<crm-item name="relation" type={quoted(kind)} claim={quoted(claim)}>'
            f"{escaped(identifier)}</crm-item>"
            for claim, identifier, kind in _claims(work)
        ),
    ]
    return f"{writable(''.join(said))}<doi_record>{unixref(work)}</doi_record>"


def _claims(work: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what others say of the work: updates of it, and relations they assert."""
    for update in work.get("updated-by", ()):
        yield update["type"], update["DOI"], "doi"
    for name, related in work.get("relation", {}).items():
        camel = re.sub(r"-(.)", lambda found: found[1].upper(), name)
        for item in related:
            if item.get("asserted-by") == "object":
                yield camel, item["id"], item["id-type"]


def _moment(stamp: Mapping[str, Any] | None) -> str | None:
    return stamp["date-time"] if stamp else None


def _digits(stamp: Mapping[str, Any] | None) -> str | None:
    """Return a moment as digits to the millisecond: 20170216083203000."""
    if not stamp:
        return None
    return re.sub(r"\D", "", stamp["date-time"]) + f"{stamp['timestamp'] % 1000:03d}"
