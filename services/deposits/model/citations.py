"""What is told of a record's references: how many there are, and which have a DOI already."""

from collections.abc import Mapping
from typing import Any, Literal

CitationStatus = Literal["resolved_reference", "stored_query"]


def citation_counts(work: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts that stand in a verdict's details; nothing for a work without any."""
    references = work.get("reference") or ()
    if not references:
        return {}
    resolved = sum(1 for one in references if one.get("DOI"))
    return {"citations": {"total": len(references), "with-doi": resolved}}


def citation_statuses(work: Mapping[str, Any]) -> list[tuple[str, CitationStatus]]:
    """Return the status of each reference by its key, in order (crossref.md 5.8).

    One with a DOI is resolved; one without is kept as it was sent, to be asked for. They follow
    from the work, so they are not stored.
    """
    return [
        (str(one.get("key", "")), "resolved_reference" if one.get("DOI") else "stored_query")
        for one in work.get("reference") or ()
    ]
