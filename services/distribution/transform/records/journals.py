"""Journals with their articles: children in the order of the schema."""

from collections.abc import Iterator
from itertools import groupby

from services.distribution.transform.records import parts
from services.distribution.transform.records.components import components
from services.distribution.transform.records.elements import Work, date, element, markup, text
from services.distribution.transform.records.identifiers import citations, doi_data
from services.distribution.transform.records.people import contributors
from services.distribution.transform.records.programs import relations

RECORDS = ("journal", "journal-issue", "journal-volume")


def journals(works: list[Work], version: str) -> Iterator[str]:
    """Yield a journal element per run of articles that share journal and issue.

    A journal, an issue or a volume that is a record itself has an element of its own.
    """

    def container(numbered: tuple[int, Work]) -> tuple[str, str, int]:
        number, work = numbered
        own = work["type"] if work["type"] in RECORDS else ""
        issue = _journal_issue(work, own, version=version)
        return _journal_metadata(work, own), issue, number if own else 0

    for (metadata, issue, _), found in groupby(enumerate(works, 1), key=container):
        articles = (article(w, version) for _, w in found if w["type"] not in RECORDS)
        yield element("journal", metadata, issue, *articles)


def _journal_metadata(work: Work, own: str) -> str:
    record = own == "journal"
    names, short = ("title", "short-title") if record else ("container-title", _SHORT)
    return element(
        "journal_metadata",
        *(element("full_title", markup(title)) for title in work.get(names, ())),
        *(element("abbrev_title", markup(title)) for title in work.get(short, ())),
        parts.issns(work),
        parts.archives(work) if record else "",
        doi_data(work) if record else "",
        language=work.get("language") if own else None,
    )


_SHORT = "short-container-title"


def _journal_issue(work: Work, own: str, *, version: str) -> str:
    """Return the issue; the schema wants a date, so one of medium `other` stands in for none."""
    if own == "journal":
        return ""
    record = own == "journal-issue"
    volume = own == "journal-volume"
    inner = (
        element(
            "journal_volume",
            text("volume", work.get("volume")),
            parts.archives(work) if volume else "",
            doi_data(work) if volume else "",
        ),
        text("issue", work.get("issue")),
        text("special_numbering", work.get("special_numbering")),
    )
    if record:
        said = (contributors(work, version), parts.titles(work), parts.dates(work))
        return element("journal_issue", *said, *inner, parts.archives(work), doi_data(work))
    dated = _dates(work.get("journal-issue", {}))
    if not dated and not any(inner):
        return ""
    return element("journal_issue", dated or parts.container_date(work, version), *inner)


def _dates(issue: Work) -> str:
    return "".join(
        date("publication_date", issue.get(f"published-{medium}"), media_type=medium)
        for medium in ("print", "online")
    )


def article(work: Work, version: str) -> str:
    """Return a journal_article, children in the schema's order."""
    return element(
        "journal_article",
        parts.titles(work),
        contributors(work, version),
        parts.abstract(work),
        parts.dates(work),
        date("acceptance_date", work.get("accepted")),
        parts.pages(work.get("page")),
        *parts.record(work),
        components(work),
        publication_type="full_text",
        language=work.get("language"),
    )


def posted(work: Work, version: str) -> str:
    """Return a posted_content, children in the schema's order."""
    return element(
        "posted_content",
        text("group_title", work.get("group-title")),
        contributors(work, version),
        parts.titles(work),
        date("posted_date", work.get("posted")),
        date("acceptance_date", work.get("accepted")),
        parts.institutions(work),
        parts.item_number(work),
        parts.abstract(work),
        parts.marked(work),
        relations(work),
        parts.archives(work),
        parts.version(work),
        doi_data(work),
        citations(work),
        type=work.get("subtype"),
        language=work.get("language"),
    )
