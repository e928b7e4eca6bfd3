"""Journals: found by their names, and their objects on the wire. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.distribution.rest.names import Page, answers, page_of, tokens
from services.distribution.rest.params import ListQuery
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.summary import Summary
from shared.events import TitleState

PRINT = "print"
"""What an ISSN is where nothing says what it is, as in a deposit."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal: a title with ISSNs, and who publishes it now."""

    subject: str
    title: str
    publisher: str
    issns: tuple[str, ...]


def journal_of(title: TitleState, publisher: str | None) -> Journal:
    """Return the journal that a title is."""
    return Journal(title.subject, title.name, publisher or "", title.issns)


def list_journals(
    titles: Iterable[TitleState], query: ListQuery, *, cursor_key: bytes
) -> Page[TitleState] | CursorInvalid:
    """Return the page of journals that a query finds: those of fewer words first.

    Every word of the query must begin a word of one of the journal's names. Without a query they
    come as they were registered by, which does not change.
    """
    words = tokens(query.query or "")
    found = (
        ((len(tokens(title.name)) if words else 0, title.subject), title)
        for title in titles
        if answers(words, (title.name, *title.names))
    )
    return page_of(found, query, kind="journals", cursor_key=cursor_key)


def render_journal(
    journal: Journal, summary: Summary, *, kinds: Mapping[str, str], checked: int
) -> dict[str, Any]:
    """Return the journal object; ``kinds``: the medium of each ISSN, ``checked``: epoch ms."""
    return {
        "last-status-check-time": checked,
        "counts": summary.counts,
        "breakdowns": summary.breakdowns,
        "publisher": journal.publisher,
        "coverage": summary.coverage,
        "title": journal.title,
        "subjects": [],
        "coverage-type": summary.coverage_all,
        "flags": summary.flags,
        "ISSN": journal.issns,
        "issn-type": [{"type": kinds.get(issn, PRINT), "value": issn} for issn in journal.issns],
    }


def issn_kinds(work: Mapping[str, Any]) -> dict[str, str]:
    """Return of which medium a work says that each ISSN of its journal is."""
    said = work.get("issn-type")
    return {
        one["value"]: one["type"]
        for one in (said if isinstance(said, list) else ())
        if isinstance(one, Mapping) and {"value", "type"} <= one.keys()
    }
