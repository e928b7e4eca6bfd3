"""Conflicts: two DOIs that say they are the same thing, by their bibliographic fingerprint.

Both stay registered; the later one is warned of, and the report lists both (crossref.md 5.7).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from services.deposits.crossref.diagnostics import ADDED_WITH_CONFLICT
from services.deposits.model.titles import normalised
from services.deposits.model.verdicts import Registration

MOST_NAMED: Final = 20  # DOIs in one warning
# What is told apart by other things than title and author: containers, and parts of a work.
_UNCOMPARED: Final = frozenset(
    {
        "journal",
        "journal-issue",
        "journal-volume",
        "book-series",
        "book-set",
        "proceedings-series",
        "report-series",
        "standard-series",
        "component",
        "peer-review",
    }
)


def fingerprint(work: Mapping[str, Any]) -> str | None:
    """Return what two works are compared by; None where too little is said to compare.

    Title and type are not enough (every journal has its editorials): an author or a first page
    must be said as well.
    """
    title = normalised(_first(work.get("title")))
    author = _author(work.get("author") or work.get("editor"))
    page = str(work.get("page") or work.get("article-number") or "").partition("-")[0].strip()
    if not title or work.get("type") in _UNCOMPARED or not (author or page):
        return None
    container = normalised(_first(work.get("container-title"))) or _first(work.get("ISSN"))
    said = [
        work.get("type"),
        title,
        author,
        container,
        str(work.get("volume") or ""),
        str(work.get("issue") or ""),
        page,
        _year(work),
        # Versions and translations of one thing are several works.
        work.get("version"),
        work.get("language"),
        work.get("edition-number"),
        work.get("component-number"),
    ]
    return hashlib.sha256(orjson.dumps(said, default=str)).hexdigest()[:32]


def conflict_id(shared_fingerprint: str) -> str:
    """Return the number of a conflict: the same for all who are in it, at any time."""
    return str(int(shared_fingerprint[:12], 16))


def warned(
    registration: Registration, shared_fingerprint: str, others: Sequence[str]
) -> Registration:
    """Warn of a registration that has the fingerprint of ``others``."""
    verdict = registration.verdict
    details = {
        **verdict.details,
        "conflict_id": conflict_id(shared_fingerprint),
        "dois_in_conflict": list(others)[:MOST_NAMED],
    }
    told = replace(verdict, status="Warning", msg=ADDED_WITH_CONFLICT, details=details)
    return replace(registration, verdict=told)


def _first(said: Any) -> str:
    if isinstance(said, list):
        said = said[0] if said else ""
    return said if isinstance(said, str) else ""


def _author(people: Any) -> str:
    first = people[0] if isinstance(people, list) and people else {}
    return normalised(str(first.get("family") or first.get("name") or ""))


def _year(work: Mapping[str, Any]) -> int | None:
    for key in ("issued", "approved", "accepted"):
        parts = (work.get(key) or {}).get("date-parts") or [[None]]
        if parts[0] and parts[0][0]:
            return int(parts[0][0])
    return None
