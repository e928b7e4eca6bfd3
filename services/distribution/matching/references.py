"""What a reference says, in fields or in one text, as it is compared with cards. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

from services.distribution.matching.cards import Card
from services.distribution.matching.words import doi_in, number, numbers_in, words, years_in

MOST_WANTED: Final = 40  # features of one reference
_TITLED: Final = 3  # words that make a title worth looking for
_ENOUGH: Final = 3  # fields that say more than a text
_FIELDS: Final = (
    "article-title", "volume-title", "journal-title", "series-title", "volume", "first-page",
    "year", "author", "ISSN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A reference in fields; what it does not say is empty."""

    title: tuple[str, ...]
    container: tuple[str, ...]
    issn: str
    volume: str
    page: str
    year: int | None
    author: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A reference in one text."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    years: tuple[int, ...]


Reading = Said | Told


def digest_of(reference: Mapping[str, Any]) -> str:
    """Return what tells a reference from another one under the same key."""
    text = orjson.dumps(reference, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def hidden_doi(reference: Mapping[str, Any]) -> str | None:
    """Return a DOI that stands in the text of a reference, not in its field."""
    return doi_in(str(reference.get("unstructured") or ""))


def read(reference: Mapping[str, Any]) -> Reading | None:
    """Read a reference as it can be compared, None where it says too little."""
    known = sum(bool(reference.get(name)) for name in _FIELDS)
    text = str(reference.get("unstructured") or "")
    if text and known < _ENOUGH:
        years = tuple(int(year) for year in years_in(text))
        return Told(tuple(words(text)), tuple(numbers_in(text)), years)
    if known < 2:  # noqa: PLR2004  (one field alone names nothing)
        return None
    years_said = years_in(str(reference.get("year") or ""))
    title = reference.get("article-title") or reference.get("volume-title") or ""
    holder = reference.get("journal-title") or reference.get("series-title")
    if holder is None and reference.get("article-title"):
        holder = reference.get("volume-title")
    return Said(
        title=tuple(words(str(title))),
        container=tuple(words(str(holder or ""))),
        issn=str(reference.get("ISSN") or "").rpartition("/")[2],
        volume=number(str(reference.get("volume") or "")),
        page=number(str(reference.get("first-page") or "")),
        year=int(years_said[0]) if years_said else None,
        author=tuple(words(str(reference.get("author") or ""))),
    )


def wanted(reading: Reading) -> list[str]:
    """Return the features under which a work that a reference means may be offered."""
    match reading:
        case Said():
            return list(islice(_of_fields(reading), MOST_WANTED))
        case Told():
            return list(islice(_of_text(reading), MOST_WANTED))


def offered(card: Card) -> list[str]:
    """Return the features under which references may look for a work."""
    found = [
        _numbered(card.volume, page, year)
        for year in sorted(card.years)
        for page in sorted(card.pages)
        if card.volume
    ]
    if card.family:
        found += [_authored(card.family, year) for year in sorted(card.years)]
    if len(card.title) >= _TITLED:
        found.append(_titled(card.title))
    return found


def named(doi: str) -> str:
    """Return the feature of a DOI that stands in a text."""
    return f"d|{doi}"


def is_common(feature: str) -> bool:
    """Say whether many works offer a feature: a name and a year."""
    return feature.startswith("a|")


def query_of(reference: Mapping[str, Any]) -> str:
    """Return the words that a search for the work of a reference asks for."""
    parts = (str(reference[name]) for name in (*_FIELDS, "unstructured") if reference.get(name))
    return " ".join(dict.fromkeys(word for part in parts for word in words(part)))


def _of_fields(said: Said) -> Iterator[str]:
    if said.year is not None:
        if said.volume and said.page:
            yield _numbered(said.volume, said.page, said.year)
        # Which word of "J. van der Berg" is the one that names is not known.
        for word in islice((one for one in said.author if len(one) > 2), 3):  # noqa: PLR2004
            yield _authored(word, said.year)
    if len(said.title) >= _TITLED:
        yield _titled(said.title)


def _of_text(told: Told) -> Iterator[str]:
    numbers = told.numbers
    for year in told.years[:2]:
        for word in islice((one for one in told.words if len(one) > 2), 3):  # noqa: PLR2004
            yield _authored(word, year)
        for place, volume in enumerate(numbers):
            for page in numbers[place + 1 : place + 3]:  # an issue may stand between
                yield _numbered(volume, page, year)


def _numbered(volume: str, page: str, year: int) -> str:
    return f"n|{volume}|{page}|{year}"


def _authored(family: str, year: int) -> str:
    return f"a|{family}|{year}"


def _titled(title: tuple[str, ...]) -> str:
    text = " ".join(title[:12]).encode()
    return f"t|{hashlib.blake2b(text, digest_size=8).hexdigest()}"
