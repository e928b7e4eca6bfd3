"""A work as BibTeX, in the order and layout of the wire, with what TeX reads specially escaped."""

import re
from collections.abc import Mapping
from typing import Final

from services.distribution.transform import wording
from services.distribution.transform.wording import Work

_ENTRIES: Final[Mapping[str, str]] = {
    "journal-article": "article",
    **dict.fromkeys(
        ("book", "monograph", "edited-book", "reference-book", "book-set", "book-series"), "book"
    ),
    **dict.fromkeys(
        ("book-chapter", "book-section", "book-part", "book-track", "reference-entry"), "inbook"
    ),
    "proceedings-article": "inproceedings",
    **dict.fromkeys(("proceedings", "proceedings-series"), "proceedings"),
    "dissertation": "phdthesis",
    **dict.fromkeys(("report", "report-series", "report-component"), "techreport"),
}
"""Type of a work -> BibTeX's entry; the rest are misc."""

_CONTAINER: Final = {"article": "journal", "book": "series", "proceedings": "series"}
_PUBLISHER: Final = {"phdthesis": "school", "techreport": "institution"}
_MONTHS: Final[dict[int | None, str]] = dict(
    enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905
)
_TO: Final = "\N{EN DASH}"
# Braces are written by name: BibTeX counts them before TeX sees the backslash.
_SPECIAL: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "&%$#_"},
    }
)
_VERBATIM: Final = str.maketrans({"{": "%7B", "}": "%7D", "\\": "%5C"})
_IN_KEY: Final = re.compile(r"[^A-Za-z0-9]")


def bibtex(work: Work) -> str:
    """Return one entry on one line, as the wire has it."""
    entry = _ENTRIES.get(work["type"], "misc")
    year, month, *_ = (*wording.date_parts(work), None, None)
    start, end = wording.pages(work)
    texts = {
        "title": wording.title(work),
        "volume": wording.plain(work.get("volume") or ""),
        "ISSN": wording.issn(work),
        "ISBN": wording.isbn(work),
    }
    verbatim = {"url": wording.url(work), "DOI": str(work["DOI"])}
    container = _CONTAINER.get(entry, "booktitle" if entry.startswith("in") else "howpublished")
    after = {
        "number": wording.plain(work.get("issue") or ""),
        container: wording.first(work, "container-title"),
        _PUBLISHER.get(entry, "publisher"): wording.plain(work.get("publisher") or ""),
        "author": " and ".join(map(_name, wording.people(work, "author"))),
        "editor": " and ".join(map(_name, wording.people(work, "editor"))),
        "year": None if year is None else str(year),
    }
    fields = [
        *_written(texts),
        *(f"{name}={{{_plain(value)}}}" for name, value in verbatim.items()),
        *_written(after, ready=frozenset({"author", "editor"})),
        *([f"month={_MONTHS[month]}"] if month in _MONTHS else []),
        *([f"pages={{{_TO.join(_tex(page) for page in (start, end) if page)}}}"] if start else []),
    ]
    return f" @{entry}{{{_key(work, year)}, {', '.join(fields)} }}\n"


def _written(said: Mapping[str, str | None], *, ready: frozenset[str] = frozenset()) -> list[str]:
    return [
        f"{name}={{{value if name in ready else _tex(value)}}}"
        for name, value in said.items()
        if value
    ]


def _tex(said: str) -> str:
    return said.translate(_SPECIAL)


def _plain(said: str) -> str:
    """Return a link or a DOI, which is not typeset; braces would end it early."""
    return wording.plain(said).translate(_VERBATIM)


def _name(person: Mapping[str, str]) -> str:
    """Return a name as BibTeX reads it: an organisation's in braces is one word."""
    if "literal" in person:
        return f"{{{_tex(person['literal'])}}}"
    parts = (person.get(key) for key in ("family", "suffix", "given"))
    # A name that is itself "and" or holds a comma must not divide the list.
    written = [_guarded(_tex(part)) for part in parts if part]
    return ", ".join(written)


def _guarded(part: str) -> str:
    return f"{{{part}}}" if "," in part or re.search(r"\band\b", part) else part


def _key(work: Work, year: int | None) -> str:
    """Return the key of an entry: the first author's or title's first word and the year."""
    named = next(iter(wording.people(work, "author", "editor")), {})
    word = named.get("family") or named.get("literal") or wording.first(work, "title") or "work"
    key = _IN_KEY.sub("_", word.split()[0])
    return key if year is None else f"{key}_{year}"
