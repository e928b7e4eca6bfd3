"""Peer reviews, and publications that are pending."""

from services.distribution.transform.records import parts
from services.distribution.transform.records.elements import (
    Work,
    date,
    element,
    markup,
    quoted,
    stand_in,
    text,
)
from services.distribution.transform.records.identifiers import doi_data
from services.distribution.transform.records.people import contributors
from services.distribution.transform.records.programs import access, relations

_SAID = ("stage", "type", "recommendation", "revision-round", "language")


def peer_review(work: Work, version: str) -> str:
    """Return a peer_review, children in the schema's order."""
    review = work.get("review", {})
    shown = "".join(f" {key}={quoted(review[key])}" for key in _SAID if key in review)
    inner = "".join(
        (
            contributors(work, version),
            parts.titles(work),
            date("review_date", work.get("published-print")),
            parts.institutions(work),
            text("competing_interest_statement", review.get("competing-interest-statement")),
            text("running_number", review.get("running-number")),
            access(work),
            relations(work),
            parts.version(work),
            doi_data(work),
        )
    )
    return f"<peer_review{shown}>{inner}</peer_review>"


def pending_publication(work: Work, version: str) -> str:
    """Return a pending_publication, children in the schema's order; its DOI has no target yet."""
    return element(
        "pending_publication",
        contributors(work, version),
        _publication(work, version),
        parts.titles(work),
        date("acceptance_date", work.get("accepted")),
        parts.institutions(work),
        parts.item_number(work),
        parts.abstract(work),
        parts.marked(work),
        relations(work),
        text("doi", work["DOI"]),
        language=work.get("language"),
    )


def _publication(work: Work, version: str) -> str:
    """Return where it will be published; the schema wants a number or the publication's DOI."""
    titles = (element("full_title", markup(title)) for title in work.get("container-title", ()))
    numbers = parts.issns(work) + parts.isbns(work)
    return element("publication", *titles, numbers or stand_in(version, text("doi", work["DOI"])))
