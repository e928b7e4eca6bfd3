"""Books, alone, in a series or in a set, and their content items."""

from services.deposits.crossref import parts
from services.deposits.crossref.kinds.common import (
    ACCEPTED_ROW,
    CLOSING,
    COMPONENTS_ROW,
    CONTENT,
    CONTRIBUTORS_ROW,
    DISTRIBUTION,
    EDITION_ROW,
    ISBN_ROWS,
    LANGUAGE_ROW,
    PUBLICATION_TYPE,
    PUBLISHER_ROW,
    SCN,
    TRIALS,
    VERSION_ROW,
)
from services.deposits.crossref.kinds.components import COMPONENTS
from services.deposits.crossref.kinds.series import (
    BOOK_SET_RECORD,
    SERIES_ROW,
    SET_ROW,
    series,
)
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part, TypeBy
from services.deposits.crossref.rows import Row, Table, not_carried, text

# -- tables ------------------------------------------------------------------------------------

_HEAD = (LANGUAGE_ROW, *DISTRIBUTION)
_VOLUME = Row(
    "volume",
    "volume",
    text,
    kind="short",
    note="of the volume's own record; as on Crossref's wire its items do not show it",
)
_ABOUT = (CONTRIBUTORS_ROW, parts.TITLES_ROW, parts.ABSTRACT_ROW)
_PUBLISHED = (EDITION_ROW, parts.PUBLICATION_DATE, *ISBN_ROWS, PUBLISHER_ROW)

BOOK = Table(
    "book_metadata", *_HEAD, *_ABOUT, *_PUBLISHED, ACCEPTED_ROW, *CONTENT, VERSION_ROW, *CLOSING
)
BOOK_IN_SERIES = Table(
    "book_series_metadata",
    *_HEAD,
    SERIES_ROW,
    *_ABOUT,
    _VOLUME,
    *_PUBLISHED,
    *CONTENT,
    VERSION_ROW,
    *CLOSING,
)
BOOK_IN_SET = Table(
    "book_set_metadata",
    *_HEAD,
    SET_ROW,
    *_ABOUT,
    _VOLUME,
    *_PUBLISHED,
    *CONTENT,
    VERSION_ROW,
    *CLOSING,
)

CONTENT_ITEM = Table(
    "content_item",
    not_carried("@component_type", "decides the work's type"),
    not_carried("@level_sequence_number", "Crossref's work object has no levels"),
    PUBLICATION_TYPE,
    *_HEAD,
    *_ABOUT,
    Row("component_number", "component-number", text, kind="short"),
    parts.PUBLICATION_DATE,
    ACCEPTED_ROW,
    parts.PAGES_ROW,
    *CONTENT,
    TRIALS,
    SCN,
    VERSION_ROW,
    *CLOSING,
    COMPONENTS_ROW,
)

# -- kinds -------------------------------------------------------------------------------------

_BY_BOOK = TypeBy(
    "book_type",
    {"edited_book": "edited-book", "monograph": "monograph", "reference": "reference-book"},
    above=True,
)
_TITLED = (("missing-title", "title volume", "titles"),)
_OWN = ("book_metadata", "book_series_metadata", "book_set_metadata")
LENT_BY_BOOK = (
    *("container-title", "ISBN", "isbn-type", "ISSN", "issn-type"),
    *("publisher", "publisher-location", "edition-number", "language"),
)
ITEM_TYPES = {
    "chapter": "book-chapter",
    "section": "book-section",
    "part": "book-part",
    "track": "book-track",
    "reference_entry": "reference-entry",
}

_ITEM = Kind(
    "content_item",
    "Content Item",
    "other",
    CONTENT_ITEM,
    by=TypeBy("component_type", ITEM_TYPES),
    borrows=tuple((lender, LENT_BY_BOOK) for lender in _OWN),
)


def _book(table: Table, *inside: Inside) -> Part:
    kind = Kind(table.name, "Book", "book", table, _TITLED, by=_BY_BOOK)
    return Part((table.name,), kind, must=False, title="book", inside=inside)


BOOKS = Body(
    "book",
    "Book",
    (
        _book(BOOK),
        _book(
            BOOK_IN_SERIES,
            Inside(("series_metadata",), series("book", "Book Series", "book-series"), "book"),
        ),
        _book(BOOK_IN_SET, Inside(("set_metadata",), BOOK_SET_RECORD, "book")),
        Part(("content_item",), _ITEM, inside=(COMPONENTS,)),
    ),
)
