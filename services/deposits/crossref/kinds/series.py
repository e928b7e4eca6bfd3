"""Series and sets: their titles and ISSNs go to what stands in them; they may be records too."""

from services.deposits.crossref import parts
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.common import (
    CODEN,
    CONTENT,
    CONTRIBUTORS_ROW,
    ISBN_ROWS,
    OWN_DOI,
)
from services.deposits.crossref.kinds.shapes import Kind
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Read, Row, Table, not_carried, text

SERIES = Table(
    "series_metadata",
    CONTRIBUTORS_ROW,
    parts.TITLES_ROW,
    parts.ABSTRACT_ROW,
    parts.ISSN_ROW,
    CODEN,
    not_carried("series_number", "Crossref's work object has no number of a series"),
    *CONTENT,
    parts.ARCHIVES_ROW,
    OWN_DOI,
)

SET = Table(
    "set_metadata",
    parts.TITLES_ROW,
    *ISBN_ROWS,
    CONTRIBUTORS_ROW,
    Row("part_number", "part-number", text, kind="short"),
    parts.PUBLISHER_ITEM_ROW,
    parts.ARCHIVES_ROW,
    OWN_DOI,
)


def _lent(inside: Table, *keys: str) -> Read:
    """Return a reader of what a series or set says about the volume in it."""

    def read(element: Element, notes: Notes) -> Work | None:
        said = inside.read(element, notes)
        found = {key: said[key] for key in keys if key in said}
        if "title" in said:
            found["container-title"] = said["title"][:1]
        return found or None

    return read


SERIES_ROW = Row(
    "series_metadata",
    "*",
    _lent(SERIES, "ISSN", "issn-type"),
    kind="series",
    keys=("container-title", "ISSN", "issn-type"),
    inside=SERIES,
    note="its title comes first in container-title; the rest is the series' own record",
)
SET_ROW = Row(
    "set_metadata",
    "*",
    _lent(SET, "part-number"),
    kind="set",
    keys=("container-title", "part-number"),
    inside=SET,
    note="its title comes first in container-title; the rest is the set's own record",
)

_TITLED = (("missing-title", "title", "titles"),)


def series(name: str, title: str, kind: str) -> Kind:
    """Return the kind of a series as a record of its own."""
    return Kind(f"{name}/series_metadata", title, kind, SERIES, _TITLED)


BOOK_SET_RECORD = Kind("book/set_metadata", "Book Set", "book-set", SET, _TITLED)
