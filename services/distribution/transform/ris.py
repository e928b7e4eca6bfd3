"""A work as RIS: a tag a line, which no value can break."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.distribution.transform import wording
from services.distribution.transform.wording import Work

_TYPES: Final[Mapping[str, str]] = {
    "journal-article": "JOUR",
    **dict.fromkeys(("book", "monograph", "reference-book", "book-set"), "BOOK"),
    "edited-book": "EDBOOK",
    "book-series": "SER",
    **dict.fromkeys(("book-chapter", "book-section", "book-part", "book-track"), "CHAP"),
    "reference-entry": "ENCYC",
    **dict.fromkeys(("proceedings-article", "proceedings", "proceedings-series"), "CONF"),
    "dissertation": "THES",
    **dict.fromkeys(("report", "report-series", "report-component"), "RPRT"),
    "standard": "STAND",
    "dataset": "DATA",
    "database": "DBASE",
    "grant": "GRANT",
    "posted-content": "UNPB",
}
"""Type of a work -> RIS's; the rest are GEN."""


def ris(work: Work) -> str:
    """Return the record, ended by ER."""
    lines = (f"{tag}  - {value}\n" for tag, value in _tags(work) if value)
    return "".join(lines) + "ER  - \n"


def _tags(work: Work) -> Iterator[tuple[str, str | None]]:
    year, month, day, *_ = (*wording.date_parts(work), None, None, None)
    start, end = wording.pages(work)
    yield "TY", _TYPES.get(work["type"], "GEN")
    yield "DO", wording.plain(str(work["DOI"]))
    yield "UR", wording.plain(wording.url(work))
    yield "TI", wording.title(work)
    yield "T2", wording.first(work, "container-title")
    yield from (("AU", _name(person)) for person in wording.people(work, "author"))
    yield from (("A2", _name(person)) for person in wording.people(work, "editor"))
    if year is not None:
        yield "PY", str(year)
        yield (
            "DA",
            "/".join(str(year) if p is year else f"{p:02d}" for p in (year, month, day) if p),
        )
    yield "PB", wording.plain(work.get("publisher") or "")
    yield "CY", wording.plain(work.get("publisher-location") or "")
    yield "SP", start
    yield "EP", end
    yield "IS", wording.plain(work.get("issue") or "")
    yield "VL", wording.plain(work.get("volume") or "")
    yield from (
        ("SN", wording.plain(number)) for number in (*work.get("ISSN", ()), *work.get("ISBN", ()))
    )
    yield "LA", wording.plain(work.get("language") or "")


def _name(person: Mapping[str, str]) -> str:
    if "literal" in person:
        return person["literal"]
    parts = (person.get(key) for key in ("family", "given", "suffix"))
    return ", ".join(part for part in parts if part)
