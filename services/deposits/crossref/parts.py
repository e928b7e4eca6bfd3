"""Parts that several kinds of record share: titles, dates, pages, archives, abstracts."""

from stdnum import issn as issn_numbers

from services.deposits.crossref import dates, markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import (
    Notes,
    Read,
    Row,
    Table,
    attribute,
    described,
    not_carried,
    text,
)
from services.deposits.crossref.rows import titled as title_text
from services.deposits.crossref.vocabulary import short_name

# -- dates -------------------------------------------------------------------------------------


def date_parts(element: Element, notes: Notes) -> dates.Parts | None:
    """Read month, day and year of a date element; an invalid year is a failure of the record."""
    said = {short_name(str(child.tag)): markup.plain(child) for child in element}
    year = said.get("year", "")
    parts = dates.parts_of(year, month=said.get("month", ""), day=said.get("day", ""))
    if parts is None:
        notes.add("invalid-year", element, element=short_name(str(element.tag)), year=year[:20])
    return parts


def partial(element: Element, notes: Notes) -> Work | None:
    """Read a date element as a partial date."""
    parts = date_parts(element, notes)
    return dates.partial(parts) if parts else None


def by_medium(**keys: str) -> Read:
    """Return a reader of a date whose key depends on @media_type (print when not given)."""

    def read(element: Element, notes: Notes) -> Work | None:
        found = partial(element, notes)
        key = keys.get((element.get("media_type") or "print").strip())
        return {key: found} if found and key else None

    return read


DATE = Table(
    "date",
    not_carried("@media_type", "decides the key of a publication_date; other dates have none"),
    described("month", "date-parts", "a season or quarter is left out"),
    described("day", "date-parts"),
    described("year", "date-parts"),
)


def dated(element: str, key: str, *, since: str = "4.3.0", note: str = "") -> Row:
    """Return the row of a partial date."""
    return Row(element, key, partial, kind="date", inside=DATE, since=since, note=note)


PUBLICATION_DATE = Row(
    "publication_date",
    "*",
    by_medium(print="published-print", online="published-online", other="published-other"),
    kind="publication-dates",
    keys=("published-print", "published-online", "published-other"),
    inside=DATE,
    note="by @media_type; print when not given; the first of each counts",
)


# -- titles ------------------------------------------------------------------------------------


def _subtitle(element: Element, _: Notes) -> str:
    return markup.titled(element)  # an empty one shows as "" on Crossref's wire


TITLES = Table(
    "titles",
    Row("title", "title", title_text, kind="title", many=True),
    Row("subtitle", "subtitle", _subtitle, kind="title", many=True),
    Row(
        "original_language_title",
        "original-title",
        title_text,
        kind="title",
        many=True,
        note="@language is not carried",
    ),
)


def _titles(element: Element, notes: Notes) -> Work | None:
    return TITLES.read(element, notes) or None


TITLES_ROW = Row(
    "titles", "*", _titles, keys=("title", "subtitle", "original-title"), inside=TITLES
)


# -- abstracts ---------------------------------------------------------------------------------


def abstract(element: Element, _: Notes) -> str | None:
    """Read a JATS abstract as a string with the jats: prefix."""
    return markup.titled(element) or None


ABSTRACT_ROW = Row(
    "jats:abstract",
    "abstract",
    abstract,
    kind="abstract",
    note="the first one, as XML text with the jats: prefix",
)


# -- identifiers -------------------------------------------------------------------------------


def issn(element: Element, notes: Notes) -> Work | None:
    """Read an issn into ISSN and issn-type; a wrong check digit is told, not refused."""
    digits = markup.plain(element).replace("-", "").upper()
    if not digits:
        return None
    value = f"{digits[:4]}-{digits[4:]}"
    if not issn_numbers.is_valid(value):
        notes.add("issn-checksum", element, issn=value[:20])
    medium = (element.get("media_type") or "print").strip()
    return {"ISSN": [value], "issn-type": [{"type": medium, "value": value}]}


ISSN_ROW = Row(
    "issn",
    "*",
    issn,
    kind="issn",
    keys=("ISSN", "issn-type"),
    note="@media_type is print when not given",
)


def _item_number(element: Element, _: Notes) -> Work | None:
    value = markup.plain(element)
    kind = (element.get("item_number_type") or "").strip().lower().replace("-", "_")
    return {"article-number": value} if value and kind == "article_number" else None


ITEM_NUMBER_ROW = Row(
    "item_number",
    "*",
    _item_number,
    kind="article-number",
    keys=("article-number",),
    note="@item_number_type article_number alone; Crossref's wire has no place for the others "
    "(sequence-number, arNumber, pisa, ...)",
)

PUBLISHER_ITEM = Table(
    "publisher_item",
    ITEM_NUMBER_ROW,
    Row("identifier", "alternative-id", text, kind="identifier", many=True),
)


def _publisher_item(element: Element, notes: Notes) -> Work | None:
    return PUBLISHER_ITEM.read(element, notes) or None


PUBLISHER_ITEM_ROW = Row(
    "publisher_item",
    "*",
    _publisher_item,
    keys=("alternative-id", "article-number"),
    inside=PUBLISHER_ITEM,
)


# -- pages, archives ---------------------------------------------------------------------------

PAGES = Table(
    "pages",
    Row("first_page", "first", text, kind="short"),
    Row("last_page", "last", text, kind="short"),
    not_carried("other_pages", "Crossref's `page` is first-last and no more"),
)


def _pages(element: Element, notes: Notes) -> str | None:
    said = PAGES.read(element, notes)
    return "-".join(said[key] for key in ("first", "last") if key in said) or None


PAGES_ROW = Row("pages", "page", _pages, kind="page", inside=PAGES, note="first-last")


ARCHIVES = Table(
    "archive_locations",
    Row("archive", "archive", attribute("name"), kind="archive", many=True, note="@name"),
)


def _archives(element: Element, notes: Notes) -> Work | None:
    return ARCHIVES.read(element, notes) or None


ARCHIVES_ROW = Row("archive_locations", "*", _archives, keys=("archive",), inside=ARCHIVES)
