"""Journals with their articles, and posted content: children in the order of the schema."""

import re
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import quoteattr

from deploy.demo.deposit_xml.elements import Work, date, element, many, text
from deploy.demo.deposit_xml.identifiers import citations, doi_data
from deploy.demo.deposit_xml.people import contributors, institution
from deploy.demo.deposit_xml.programs import crossmark, programs, relations


def journals(works: list[Work], version: str) -> Iterator[str]:
    """Yield a journal element per run of articles that share journal and issue."""
    for (metadata, issue), articles in groupby(
        works, key=lambda w: (_journal_metadata(w), _journal_issue(w))
    ):
        yield element("journal", metadata, issue, *(article(w, version) for w in articles))


def _journal_metadata(work: Work) -> str:
    return element(
        "journal_metadata",
        *(element("full_title", title) for title in work.get("container-title", ())),
        *(element("abbrev_title", title) for title in work.get("short-container-title", ())),
        *(
            text("issn", issn["value"], media_type=issn["type"])
            for issn in work.get("issn-type", ())
        ),
    )


def _journal_issue(work: Work) -> str:
    """Return the issue; the schema wants a date, so one of medium `other` stands in for none."""
    said = work.get("journal-issue", {})
    dated = date("publication_date", said.get("published-print"), media_type="print") + date(
        "publication_date", said.get("published-online"), media_type="online"
    )
    inner = (
        element("journal_volume", text("volume", work.get("volume"))),
        text("issue", work.get("issue")),
        text("special_numbering", work.get("special_numbering")),
    )
    if not dated and not any(inner):
        return ""
    stand_in = date("publication_date", work["issued"], media_type="other")
    return element("journal_issue", dated or stand_in, *inner)


def article(work: Work, version: str) -> str:
    """Return a journal_article, children in the schema's order."""
    return element(
        "journal_article",
        _titles(work),
        contributors(work, version),
        _abstract(work),
        *(
            date("publication_date", work.get(f"published-{medium}"), media_type=medium)
            for medium in ("print", "online", "other")
        ),
        date("acceptance_date", work.get("accepted")),
        _pages(work.get("page")),
        element("publisher_item", _item_number(work), _identifiers(work)),
        crossmark(work) if "update-policy" in work else programs(work),
        relations(work),
        _archives(work),
        _version(work),
        doi_data(work),
        citations(work),
        publication_type="full_text",
        language=work.get("language"),
    )


def posted(work: Work, version: str) -> str:
    """Return a posted_content, children in the schema's order."""
    return element(
        "posted_content",
        text("group_title", work.get("group-title")),
        contributors(work, version),
        _titles(work),
        date("posted_date", work.get("posted")),
        date("acceptance_date", work.get("accepted")),
        *(institution(i) for i in work.get("institution", ())),
        _item_number(work),
        _abstract(work),
        crossmark(work) if "update-policy" in work else programs(work),
        relations(work),
        _archives(work),
        _version(work),
        doi_data(work),
        citations(work),
        type=work.get("subtype"),
        language=work.get("language"),
    )


def _titles(work: Work) -> str:
    """Return a titles element per title; subtitles and an original title go with the first.

    Titles are XML already. An empty subtitle is a subtitle.
    """
    subtitles = [f"<subtitle>{subtitle}</subtitle>\n" for subtitle in work.get("subtitle", ())]
    original = [
        element("original_language_title", title) for title in work.get("original-title", ())
    ]
    first, *others = work["title"]
    return element(
        "titles", element("title", first), *subtitles[:1], *original, *subtitles[1:]
    ) + "".join(element("titles", element("title", title)) for title in others)


def _abstract(work: Work) -> str:
    return element("jats:abstract", work["abstract"]) if "abstract" in work else ""


def _pages(page: str | None) -> str:
    first, _, last = (page or "").partition("-")
    if not (first and last):
        first, last = page or "", ""
    return element("pages", text("first_page", first), text("last_page", last or None))


def _item_number(work: Work) -> str:
    return text("item_number", work.get("article-number"), item_number_type="article_number")


def _identifiers(work: Work) -> str:
    def kind(identifier: str) -> str:
        if identifier.startswith("10."):
            return "doi"
        return "pii" if re.fullmatch(r"S?\d{15}[\dX]", identifier) else "other"

    return many(work.get("alternative-id", ()), lambda i: text("identifier", i, id_type=kind(i)))


def _version(work: Work) -> str:
    said = work.get("version", {})
    return element(
        "version_info",
        text("version", said.get("version")),
        text("version_description", said.get("description")),
    )


def _archives(work: Work) -> str:
    named = "".join(f"<archive name={quoteattr(name)}/>" for name in work.get("archive", ()))
    return element("archive_locations", named)
