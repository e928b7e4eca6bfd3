"""A card: what references say of a work, short, as the matcher keeps it beside each work. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.matching.words import number, words

_DATES: Final = ("issued", "published", "published-print", "published-online")
_CONTAINERS: Final = ("container-title", "short-container-title")
MOST_CONTAINERS: Final = 6
LONGEST: Final = 60  # words of a title that are kept


@dataclass(frozen=True, slots=True)
class Card:
    """One work as references name it; words are folded, numbers as they are compared."""

    doi: str
    type: str
    title: tuple[str, ...]
    containers: tuple[tuple[str, ...], ...]
    issn: frozenset[str]
    volume: str
    pages: frozenset[str]
    years: frozenset[int]
    family: str

    @classmethod
    def of(cls, doi: str, work: Mapping[str, Any]) -> "Card":
        """Return the card of a work object."""
        return cls(
            doi=doi,
            type=str(work.get("type", "other")),
            title=tuple(words(_first(work, "title"))[:LONGEST]),
            containers=tuple(
                dict.fromkeys(
                    tuple(words(one)) for name in _CONTAINERS for one in _texts(work, name)
                )
            )[:MOST_CONTAINERS],
            issn=frozenset(_texts(work, "ISSN")),
            volume=number(str(work.get("volume") or "")),
            pages=frozenset(_pages(work)),
            years=frozenset(_years(work)),
            family=_family(work),
        )

    def stored(self) -> dict[str, Any]:
        """Return the form in the store."""
        return {
            "type": self.type,
            "title": " ".join(self.title),
            "containers": [" ".join(one) for one in self.containers],
            "issn": sorted(self.issn),
            "volume": self.volume,
            "pages": sorted(self.pages),
            "years": sorted(self.years),
            "family": self.family,
        }

    @classmethod
    def read(cls, doi: str, stored: Mapping[str, Any]) -> "Card":
        """Return a card that was stored."""
        return cls(
            doi=doi,
            type=stored["type"],
            title=tuple(stored["title"].split()),
            containers=tuple(tuple(one.split()) for one in stored["containers"]),
            issn=frozenset(stored["issn"]),
            volume=stored["volume"],
            pages=frozenset(stored["pages"]),
            years=frozenset(stored["years"]),
            family=stored["family"],
        )


def _texts(work: Mapping[str, Any], name: str) -> list[str]:
    value = work.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _first(work: Mapping[str, Any], name: str) -> str:
    return next(iter(_texts(work, name)), "")


def _pages(work: Mapping[str, Any]) -> Iterable[str]:
    for name in ("page", "article-number"):
        value = work.get(name)
        if isinstance(value, str) and (known := number(value)):
            yield known


def _years(work: Mapping[str, Any]) -> Iterable[int]:
    for name in _DATES:
        date = work.get(name)
        parts = date.get("date-parts") if isinstance(date, Mapping) else None
        first = parts[0] if isinstance(parts, list) and parts else None
        if isinstance(first, list) and first and isinstance(first[0], int):
            yield first[0]


def _family(work: Mapping[str, Any]) -> str:
    """Return the last word of the first author's family name, or of a book's editor's."""
    for role in ("author", "editor"):
        people = work.get(role)
        for person in people if isinstance(people, list) else ():
            found = words(str(person.get("family") or person.get("name") or ""))
            if found:
                return found[-1]
    return ""
