"""Parts that several kinds of record share: titles, dates, pages, publishers, numbers, programs."""

import re

from services.distribution.transform.records.elements import (
    Work,
    date,
    element,
    many,
    markup,
    quoted,
    stand_in,
    text,
)
from services.distribution.transform.records.identifiers import citations, doi_data
from services.distribution.transform.records.people import contributors, institution
from services.distribution.transform.records.programs import crossmark, programs, relations

_MEDIA = ("print", "online", "other")
_UNKNOWN = {"date-parts": [[2000]]}  # stands where the schema wants a date that is not known
_UNNAMED = "<publisher><publisher_name>Unnamed</publisher_name></publisher>"
NO_VOLUME = "<volume>1</volume>"  # stands where the schema wants a title or a volume


def titles(work: Work, *, key: str = "title") -> str:
    """Return a titles element per title; subtitles and an original title go with the first.

    Titles are XML already. An empty subtitle is a subtitle.
    """
    if not work.get(key):
        return ""
    subtitles = [
        f"<subtitle>{markup(subtitle)}</subtitle>" for subtitle in work.get("subtitle", ())
    ]
    original = [
        element("original_language_title", markup(title))
        for title in work.get("original-title", ())
    ]
    first, *others = work[key]
    return element(
        "titles", element("title", markup(first)), *subtitles[:1], *original, *subtitles[1:]
    ) + "".join(titled(title) for title in others)


def titled(title: str) -> str:
    """Return titles of one title, which is XML already."""
    return element("titles", element("title", markup(title)))


def abstract(work: Work) -> str:
    """Return the abstract, which is JATS already."""
    return element("jats:abstract", markup(work["abstract"])) if "abstract" in work else ""


def dates(work: Work) -> str:
    """Return the publication dates, one of each medium."""
    return "".join(
        date("publication_date", work.get(f"published-{medium}"), media_type=medium)
        for medium in _MEDIA
    )


def container_date(work: Work, version_of_schema: str) -> str:
    """Return a stand-in for a container's own date, which is not known: its item's year, if any.

    The schema wants one; nothing inside is lent it.
    """
    year = work["issued"]["date-parts"][0][:1]
    known = {"date-parts": [year]} if year != [None] else _UNKNOWN
    return stand_in(version_of_schema, date("publication_date", known, media_type="other"))


def pages(page: str | None) -> str:
    """Return pages of `first-last`, or of one number with whatever dashes it has."""
    first, _, last = (page or "").partition("-")
    if not (first and last):
        first, last = page or "", ""
    return element("pages", text("first_page", first), text("last_page", last or None))


def item_number(work: Work) -> str:
    """Return the article number."""
    return text("item_number", work.get("article-number"), item_number_type="article_number")


def publisher_item(work: Work) -> str:
    """Return the article number and other identifiers."""

    def kind(identifier: str) -> str:
        if identifier.startswith("10."):
            return "doi"
        return "pii" if re.fullmatch(r"S?\d{15}[\dX]", identifier) else "other"

    named = many(work.get("alternative-id", ()), lambda i: text("identifier", i, id_type=kind(i)))
    return element("publisher_item", item_number(work), named)


def publisher(work: Work) -> str:
    """Return publisher with its place."""
    return element(
        "publisher",
        text("publisher_name", work.get("publisher")),
        text("publisher_place", work.get("publisher-location")),
    )


def container_publisher(work: Work, version_of_schema: str) -> str:
    """Return a publisher for a container of a series or set, which is lent none."""
    return publisher(work) or stand_in(version_of_schema, _UNNAMED)


def isbns(work: Work) -> str:
    """Return ISBNs with their media."""
    return many(work.get("isbn-type", ()), lambda i: text("isbn", i["value"], media_type=i["type"]))


def issns(work: Work) -> str:
    """Return ISSNs with their media."""
    return many(work.get("issn-type", ()), lambda i: text("issn", i["value"], media_type=i["type"]))


def institutions(work: Work) -> str:
    """Return the institutions behind a work."""
    return many(work.get("institution", ()), institution)


def marked(work: Work) -> str:
    """Return crossmark with the programs inside, or the programs alone."""
    return crossmark(work) if "update-policy" in work else programs(work)


def archives(work: Work) -> str:
    """Return where the work is archived."""
    named = "".join(f"<archive name={quoted(name)}/>" for name in work.get("archive", ()))
    return element("archive_locations", named)


def version(work: Work) -> str:
    """Return version_info (5.5.0)."""
    said = work.get("version", {})
    return element(
        "version_info",
        text("version", said.get("version")),
        text("version_description", said.get("description")),
    )


# -- compositions ------------------------------------------------------------------------------


def record(work: Work) -> tuple[str, ...]:
    """Return what ends most kinds of record: from publisher_item to citation_list."""
    return (
        publisher_item(work),
        marked(work),
        relations(work),
        archives(work),
        version(work),
        doi_data(work),
        citations(work),
    )


def series(work: Work, version_of_schema: str) -> str:
    """Return series_metadata of a series that is a record itself."""
    return element(
        "series_metadata",
        contributors(work, version_of_schema),
        titles(work),
        abstract(work),
        issns(work),
        publisher_item(work),
        marked(work),
        archives(work),
        doi_data(work),
    )


def containers(work: Work) -> tuple[list[str], str | None]:
    """Return the title of the series or set, if any, and that of the book or the like inside it.

    One title alone is the series' when there is an ISSN: then the book itself has none.
    """
    *outer, title = work.get("container-title") or [None]
    return ([title], None) if "ISSN" in work and not outer else (outer, title)
