"""Books, their series and sets, and what stands in them: one book element each.

An item is written in a book of its own that says what the item's work shows of its book. Of two
container titles the first is the series', when there is an ISSN, or else the set's.
"""

from services.distribution.transform.records import parts
from services.distribution.transform.records.components import components
from services.distribution.transform.records.elements import (
    Work,
    date,
    element,
    quoted,
    stand_in,
    text,
)
from services.distribution.transform.records.identifiers import doi_data
from services.distribution.transform.records.people import contributors

BOOKS = {
    "monograph": "monograph",
    "edited-book": "edited_book",
    "reference-book": "reference",
    "book": "other",
}
ITEMS = {
    "book-chapter": "chapter",
    "book-section": "section",
    "book-part": "part",
    "book-track": "track",
    "reference-entry": "reference_entry",
    "other": "other",
    "report-component": "chapter",
}
_NO_ISBN = '<noisbn reason="monograph"/>'


def book(work: Work, version: str) -> str:
    """Return a book: itself, as a series or as a set, or around one content item."""
    kind = work["type"]
    match kind:
        case "book-series":
            inner = _series_record(work, version)
        case "book-set":
            inner = _set_record(work, version)
        case _ if kind in BOOKS:
            inner = _book_record(work, version)
        case _:
            inner = _around(work, version) + content_item(work, version)
    return f"<book book_type={quoted(BOOKS.get(kind, 'other'))}>{inner}</book>"


# -- the book itself ---------------------------------------------------------------------------


def _book_record(work: Work, version: str) -> str:
    return _metadata(
        work,
        work.get("container-title", []),
        version,
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        dates=(parts.dates(work), date("acceptance_date", work.get("accepted"))),
        record=parts.record(work),
        language=work.get("language"),
    )


def _metadata(
    work: Work,
    outer: list[str],
    version: str,
    *said: str,
    dates: tuple[str, ...],
    record: tuple[str, ...] = (),
    language: str | None = None,
) -> str:
    """Return the metadata of a book: alone, or in the series or set whose title `outer` holds."""
    edition = text("edition_number", work.get("edition-number"))
    numbers = parts.isbns(work) or stand_in(version, _NO_ISBN)
    ended = (edition, *dates, numbers, parts.publisher(work), *record)
    if not outer:
        return element("book_metadata", *said, *ended, language=language)
    name, around = _series(work, outer) if "ISSN" in work else _set(work, outer, version)
    volume = text("volume", work.get("volume"))
    return element(name, around, *said, volume, *ended, language=language)


def _series(work: Work, outer: list[str]) -> tuple[str, str]:
    return "book_series_metadata", element(
        "series_metadata", parts.titled(outer[0]), parts.issns(work)
    )


def _set(work: Work, outer: list[str], version: str) -> tuple[str, str]:
    number = text("part_number", work.get("part-number"))
    isbn = stand_in(version, _NO_ISBN)
    return "book_set_metadata", element("set_metadata", parts.titled(outer[0]), isbn, number)


# -- series and sets ---------------------------------------------------------------------------


def _series_record(work: Work, version: str) -> str:
    """Return a series that is a record itself; the schema wants a date beside it."""
    return element(
        "book_series_metadata",
        parts.series(work, version),
        parts.container_date(work, version),
        parts.container_publisher(work, version),
    )


def _set_record(work: Work, version: str) -> str:
    """Return a set that is a record itself; the schema wants a volume beside it."""
    whole = element(
        "set_metadata",
        parts.titles(work),
        parts.isbns(work) or stand_in(version, _NO_ISBN),
        contributors(work, version),
        text("part_number", work.get("part-number")),
        parts.publisher_item(work),
        parts.archives(work),
        doi_data(work),
    )
    return element(
        "book_set_metadata",
        whole,
        stand_in(version, parts.NO_VOLUME),
        parts.container_date(work, version),
        stand_in(version, _NO_ISBN),
        parts.container_publisher(work, version),
    )


# -- content items -----------------------------------------------------------------------------


def _around(work: Work, version: str) -> str:
    """Return the metadata of the book that an item stands in, as far as the item shows it."""
    outer, named = parts.containers(work)
    return _metadata(
        work,
        outer,
        version,
        parts.titled(named) if named else stand_in(version, parts.NO_VOLUME),
        dates=(parts.container_date(work, version),),
    )


def content_item(work: Work, version: str) -> str:
    """Return a content_item, children in the schema's order."""
    return element(
        "content_item",
        contributors(work, version),
        parts.titles(work),
        parts.abstract(work),
        text("component_number", work.get("component-number")),
        parts.dates(work),
        date("acceptance_date", work.get("accepted")),
        parts.pages(work.get("page")),
        *parts.record(work),
        components(work),
        component_type=ITEMS.get(work["type"], "other"),
        language=work.get("language"),
    )
