"""A work as CSL JSON: as the wire gives it to readers, and strictly for citation processors."""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.transform import wording
from services.distribution.transform.wording import Work

_SINGLE: Final[Mapping[str, str]] = {
    "title": "title",
    "container-title": "container-title",
    "short-container-title": "container-title-short",
}
"""Field of a work object -> the one text that CSL JSON has of it."""

_ABSENT: Final = frozenset({"issn-type", "isbn-type"})

TYPES: Final[Mapping[str, str]] = {
    "journal-article": "article-journal",
    **dict.fromkeys(
        ("book", "monograph", "edited-book", "reference-book", "book-set", "book-series"), "book"
    ),
    **dict.fromkeys(("book-chapter", "book-section", "book-part", "book-track"), "chapter"),
    "reference-entry": "entry-encyclopedia",
    "proceedings-article": "paper-conference",
    **dict.fromkeys(("proceedings", "proceedings-series"), "book"),
    "dissertation": "thesis",
    **dict.fromkeys(("report", "report-series", "report-component", "standard"), "report"),
    **dict.fromkeys(("dataset", "database"), "dataset"),
    "peer-review": "review",
}
"""Type of a work -> CSL type; the rest are articles."""

_ROLES: Final = {"author": "author", "editor": "editor", "translator": "translator"}
_TEXTS: Final[Mapping[str, str]] = {
    "volume": "volume",
    "issue": "issue",
    "page": "page",
    "article-number": "number",
    "publisher": "publisher",
    "publisher-location": "publisher-place",
    "edition-number": "edition",
}


def csl_json(work: Work) -> dict[str, Any]:
    """Return a work object as the wire's transforms have it (crossref.md 1.11).

    Without envelope; of titles the first, as text; the DOI as an older URL.
    """
    said = {name: value for name, value in work.items() if name not in _SINGLE.keys() | _ABSENT}
    texts = {
        shown: values[0] for name, shown in _SINGLE.items() if (values := work.get(name) or ())
    }
    return {**said, **texts, "URL": wording.url(work)}


def csl_item(work: Work) -> dict[str, Any]:
    """Return what a citation processor needs of a work, in plain words: fields of CSL alone."""
    texts = {
        "title": wording.first(work, "title"),
        "container-title": wording.first(work, "container-title"),
        "ISSN": wording.issn(work),
        "ISBN": wording.isbn(work),
        **{shown: wording.plain(str(work.get(name) or "")) for name, shown in _TEXTS.items()},
    }
    parts = wording.date_parts(work)
    named = {shown: wording.people(work, role) for role, shown in _ROLES.items()}
    return {
        "id": "work",
        "type": TYPES.get(work["type"], "article"),
        "DOI": wording.plain(str(work["DOI"])),
        "URL": wording.url(work),
        **{name: value for name, value in texts.items() if value},
        **{name: value for name, value in named.items() if value},
        **({"issued": {"date-parts": [parts]}} if parts else {}),
    }
