"""Work objects as Crossref's XML: one element each, for every kind of record.

The inverse of what deposits reads: in schema 5.3.1, or in 5.5.0 where a work has a version or other
things only that schema carries; or as the registry gives a record out again. Written for itself,
not from the reader's tables, so that each checks the other.

| module | what it writes |
|---|---|
| elements.py, identifiers.py, people.py, programs.py, parts.py | what several kinds share |
| journals.py | articles, posted content |
| books.py, conferences.py, reports.py, databases.py | these, and what stands in them |
| reviews.py, components.py | peer reviews, pending publications; figures and the like |
| grants.py | grants, in a schema of their own |
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from services.distribution.transform.records import (
    books,
    components,
    conferences,
    databases,
    grants,
    journals,
    reports,
    reviews,
)
from services.distribution.transform.records.elements import REGISTERED, Work
from services.distribution.transform.records.people import PEOPLE, is_plain

Body: TypeAlias = Literal[
    "journal",
    "posted_content",
    "book",
    "conference",
    "dissertation",
    "report-paper",
    "standard",
    "database",
    "peer_review",
    "pending_publication",
    "sa_component",
    "grant",
]
_BODIES: dict[str, Body] = {
    "journal-article": "journal",
    **dict.fromkeys(journals.RECORDS, "journal"),
    "posted-content": "posted_content",
    **dict.fromkeys(books.BOOKS, "book"),
    **dict.fromkeys(books.ITEMS, "book"),
    "book-series": "book",
    "book-set": "book",
    "proceedings": "conference",
    "proceedings-series": "conference",
    "proceedings-article": "conference",
    "dissertation": "dissertation",
    "report": "report-paper",
    "report-series": "report-paper",
    "report-component": "report-paper",
    "standard": "standard",
    "database": "database",
    "dataset": "database",
    "peer-review": "peer_review",
    "component": "sa_component",
    "grant": "grant",
}


def body_of(work: Work) -> Body:
    """Return the element that a work is written in; one of an unknown type is some other item."""
    if work["type"] == "other" and "standards-body" in work:
        return "standard"  # a part of a standard
    if work["type"] == "other" and "resource" not in work:
        return "pending_publication"
    return _BODIES.get(work["type"], "book")


def _each(write: Callable[[Work, str], str]) -> Callable[[list[Work], str], Iterable[str]]:
    return lambda works, version: (write(work, version) for work in works)


WRITERS: Final[dict[Body, Callable[[list[Work], str], Iterable[str]]]] = {
    "journal": journals.journals,
    "posted_content": _each(journals.posted),
    "book": _each(books.book),
    "conference": _each(conferences.conference),
    "dissertation": _each(reports.dissertation),
    "report-paper": _each(reports.report),
    "standard": reports.standards,
    "database": _each(databases.database),
    "peer_review": _each(reviews.peer_review),
    "pending_publication": _each(reviews.pending_publication),
    "sa_component": components.alone,
    "grant": grants.grants,
}


def written(work: Work) -> str:
    """Return the element of one record as the registry gives it out."""
    return "".join(WRITERS[body_of(work)]([work], REGISTERED))


# What an element holds only since 5.4.0 or 5.5.0.
_TRIALS = "clinical-trial-number"
_RICH_KEYS: dict[Body, tuple[str, ...]] = {"posted_content": ("archive", "update-policy", _TRIALS)}
_RICH_IN_SERIES = ("update-policy", "funder", "license", "free-to-read")  # of reports


def needs_rich(work: Work) -> bool:
    """Whether a work says something that 5.3.1 has no element for."""
    people = (person for key in PEOPLE for person in work.get(key, ()))
    identifiers = (i for funder in work.get("funder", ()) for i in funder.get("id", ()))
    return (
        "version" in work
        or any(key in work for key in _RICH_KEYS.get(body_of(work), ()))
        or (_is_report_in_series(work) and any(key in work for key in _RICH_IN_SERIES))
        or any(not is_plain(p["role"]) for p in people)
        or any(identifier["id-type"] != "DOI" for identifier in identifiers)
        or any("DOI" in a for f in work.get("funder", ()) for a in f.get("award-info", ()))
        or any("type" in reference for reference in work.get("reference", ()))
    )


def _is_report_in_series(work: Work) -> bool:
    return work["type"] == "report" and "ISSN" in work
