"""Kinds of record as data: what each element becomes, and how bodies are made of records.

A kind is a row of `KINDS`, a body element a row of `BODIES`; a further kind is a further table
in one of these modules and needs no code in the reader.
"""

from collections.abc import Iterator

from services.deposits.crossref.kinds.books import (
    BOOK,
    BOOK_IN_SERIES,
    BOOK_IN_SET,
    BOOKS,
    CONTENT_ITEM,
)
from services.deposits.crossref.kinds.components import COMPONENT, STANDALONE
from services.deposits.crossref.kinds.conferences import (
    CONFERENCE,
    CONFERENCES,
    EVENT,
    PAPER,
    PROCEEDINGS,
    PROCEEDINGS_IN_SERIES,
)
from services.deposits.crossref.kinds.databases import DATABASE, DATABASES, DATASET
from services.deposits.crossref.kinds.grants import GRANT, GRANTS
from services.deposits.crossref.kinds.journals import (
    ARTICLE,
    ISSUE,
    ISSUE_RECORD,
    JOURNAL,
    JOURNALS,
    VOLUME,
)
from services.deposits.crossref.kinds.posted import (
    PEER_REVIEW,
    PEER_REVIEWS,
    PENDING,
    PENDING_PUBLICATIONS,
    POSTED,
    POSTED_CONTENT,
)
from services.deposits.crossref.kinds.reports import (
    DISSERTATION,
    DISSERTATIONS,
    REPORT,
    REPORT_IN_SERIES,
    REPORTS,
    STANDARD,
    STANDARDS,
)
from services.deposits.crossref.kinds.resources import RESOURCES_ONLY
from services.deposits.crossref.kinds.series import SERIES, SET
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part, TypeBy

__all__ = [
    "ARTICLE",
    "BODIES",
    "BOOK",
    "BOOK_IN_SERIES",
    "BOOK_IN_SET",
    "COMPONENT",
    "CONFERENCE",
    "CONTENT_ITEM",
    "DATABASE",
    "DATASET",
    "DISSERTATION",
    "EVENT",
    "GRANT",
    "ISSUE",
    "ISSUE_RECORD",
    "JOURNAL",
    "KINDS",
    "PAPER",
    "PEER_REVIEW",
    "PENDING",
    "POSTED",
    "PROCEEDINGS",
    "PROCEEDINGS_IN_SERIES",
    "REPORT",
    "REPORT_IN_SERIES",
    "SERIES",
    "SET",
    "STANDARD",
    "VOLUME",
    "Body",
    "Inside",
    "Kind",
    "Part",
    "TypeBy",
]

BODIES: dict[str, Body] = {
    body.element: body
    for body in (
        *(JOURNALS, POSTED_CONTENT, BOOKS, CONFERENCES, DISSERTATIONS, REPORTS, STANDARDS),
        *(DATABASES, PEER_REVIEWS, PENDING_PUBLICATIONS, STANDALONE, GRANTS),
        *RESOURCES_ONLY,
    )
}


def _kinds() -> Iterator[Kind]:
    for body in BODIES.values():
        for part in body.parts:
            if part.kind is not None:
                yield part.kind
            yield from (inside.kind for inside in part.inside)


KINDS: dict[str, Kind] = {kind.name: kind for kind in _kinds()}
