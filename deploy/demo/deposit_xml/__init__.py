"""Work objects as Crossref deposit XML.

The inverse of what deposits reads, for every kind of record: in schema 5.3.1, or in 5.5.0 where a
work has a version or other things only that schema carries; and resource-only deposits. Written
for itself, not from the reader's tables, so that each checks the other.

What a deposit cannot say is left out: stamps, counts, owners, inverse relations, and who asserted
a reference's DOI. facts.py names each such difference.

| module | what it writes |
|---|---|
| elements.py, identifiers.py, people.py, programs.py, parts.py | what several kinds share |
| journals.py | articles, posted content |
| books.py, conferences.py, reports.py, databases.py | these, and what stands in them |
| reviews.py, components.py | peer reviews, pending publications; figures and the like |
| grants.py | grants, in a schema of their own |
| resources.py | resource-only deposits |
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from deploy.demo.deposit_xml import (
    books,
    components,
    conferences,
    databases,
    grants,
    journals,
    reports,
    reviews,
)
from deploy.demo.deposit_xml.elements import Work, element, text
from deploy.demo.deposit_xml.identifiers import stamped
from deploy.demo.deposit_xml.people import PEOPLE, RICH_SCHEMA

PLAIN_SCHEMA = "5.3.1"

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
    """Return the child of body that a work is written in. A file has one kind of them."""
    if work["type"] == "other" and "standards-body" in work:
        return "standard"  # a part of a standard
    if work["type"] == "other" and "resource" not in work:
        return "pending_publication"
    return _BODIES[work["type"]]


def _each(write: Callable[[Work, str], str]) -> Callable[[list[Work], str], Iterable[str]]:
    return lambda works, version: (write(work, version) for work in works)


_WRITERS: dict[Body, Callable[[list[Work], str], Iterable[str]]] = {
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


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a submission. The address is made up for the demo: nobody's."""

    batch_id: str
    timestamp: str
    depositor: str = "Colophon demo"
    email: str = "demo@example.org"
    registrant: str = "Colophon demo"


def deposit(works: Iterable[Work], head: Head, *, schema: str | None = None) -> bytes:
    """Return one submission of works of one kind (`body_of`), and of components of theirs.

    The schema is 5.3.1 unless a work needs 5.5.0 or it is given. Raises ValueError for a mixed
    or an empty batch.
    """
    batch = list(works)
    version = schema or (RICH_SCHEMA if any(map(_needs_rich, batch)) else PLAIN_SCHEMA)
    batch = _with_components(batch, version)
    kinds = {body_of(work) for work in batch}
    if len(kinds) != 1:
        raise ValueError("a submission holds works of one kind, at least one")
    (kind,) = kinds
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            grants.opening() if kind == "grant" else _opening(version),
            _head(head),
            "<body>\n",
            *_WRITERS[kind](batch, version),
            "</body>\n</doi_batch>\n",
        )
    ).encode()


def _with_components(works: list[Work], version: str) -> list[Work]:
    """Return the works with their components inside, and without those components."""
    parents = {work["DOI"] for work in works if work["type"] != "component"}
    inside: dict[str, list[Work]] = {}
    for work in works:
        if work["type"] == "component" and (doi := components.parent(work)[1]) in parents:
            inside.setdefault(doi, []).append(work)
    kept = [w for w in works if all(w is not c for c in inside.get(_parent_of(w), ()))]
    return [
        {**work, components.INSIDE: (inside[work["DOI"]], version)}
        if work["DOI"] in inside
        else work
        for work in kept
    ]


def _parent_of(work: Work) -> str:
    return components.parent(work)[1] if work["type"] == "component" else ""


# What an element holds only since 5.4.0 or 5.5.0.
_TRIALS = "clinical-trial-number"
_RICH_KEYS: dict[Body, tuple[str, ...]] = {"posted_content": ("archive", "update-policy", _TRIALS)}
_RICH_IN_SERIES = ("update-policy", "funder", "license", "free-to-read")  # of reports


_PLAIN_ROLES = [
    [{"role": role, "vocabulary": "crossref"}]
    for role in ("author", "editor", "chair", "reviewer", "translator")
]


def _needs_rich(work: Work) -> bool:
    """Whether a work says something that 5.3.1 has no element for."""
    people = (person for key in PEOPLE for person in work.get(key, ()))
    identifiers = (i for funder in work.get("funder", ()) for i in funder.get("id", ()))
    return (
        "version" in work
        or any(key in work for key in _RICH_KEYS.get(body_of(work), ()))
        or (_is_report_in_series(work) and any(key in work for key in _RICH_IN_SERIES))
        or any(p["role"] not in _PLAIN_ROLES for p in people)
        or any(identifier["id-type"] != "DOI" for identifier in identifiers)
        or any("DOI" in a for f in work.get("funder", ()) for a in f.get("award-info", ()))
        or any("type" in reference for reference in work.get("reference", ()))
    )


def _is_report_in_series(work: Work) -> bool:
    return work["type"] == "report" and "ISSN" in work


def _opening(version: str) -> str:
    return (
        f'<doi_batch version="{version}" xmlns="http://www.crossref.org/schema/{version}"'
        ' xmlns:jats="http://www.ncbi.nlm.nih.gov/JATS1"'
        ' xmlns:fr="http://www.crossref.org/fundref.xsd"'
        ' xmlns:ai="http://www.crossref.org/AccessIndicators.xsd"'
        ' xmlns:ct="http://www.crossref.org/clinicaltrials.xsd"'
        ' xmlns:rel="http://www.crossref.org/relations.xsd"'
        ' xmlns:mml="http://www.w3.org/1998/Math/MathML">\n'
    )


def _head(head: Head) -> str:
    depositor = text("depositor_name", head.depositor) + text("email_address", head.email)
    return element(
        "head",
        text("doi_batch_id", head.batch_id),
        text("timestamp", head.timestamp),
        element("depositor", depositor),
        text("registrant", head.registrant),
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """One file to deposit: all its DOIs share a prefix."""

    prefix: str
    file_name: str
    works: tuple[Work, ...]
    xml: bytes


def batches(works: Iterable[Work], *, largest: int = 25) -> Iterator[Batch]:
    """Yield submissions: per prefix and kind, at most `largest` works each, in a fixed order."""

    def group(work: Work) -> tuple[str, str]:
        return work["DOI"].split("/")[0], body_of(work)

    for (prefix, kind), found in groupby(sorted(works, key=group), key=group):
        members = sorted(
            found, key=lambda w: (w.get("container-title", []), w.get("volume", ""), w["DOI"])
        )
        for at in range(0, len(members), largest):
            part = tuple(members[at : at + largest])
            name = f"demo-{prefix}-{kind}-{at // largest + 1}"
            latest = max(stamped(work) or "1" for work in part)
            yield Batch(prefix, f"{name}.xml", part, deposit(part, Head(name, latest)))
