"""project: a work's state -> what the search projection keeps of it. Pure.

Only the fields named here are read, so the text and the DOIs of references cannot enter the index
(design 1.7); their number can, whatever the setting (L4).
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from services.distribution.search.keys import first_second, seconds_of
from services.distribution.search.request import Moment, Text

_MARKUP: Final = re.compile(r"<[^>]*>")


class WorkFacts(Protocol):
    """The state of a work as deposits.works.v1 carries it, as far as search reads it."""

    @property
    def doi(self) -> str:
        """Its DOI."""

    @property
    def prefix(self) -> str:
        """The DOI's own prefix."""

    @property
    def title(self) -> str | None:
        """Subject of the title it stands in, None where it stands in none."""

    @property
    def version(self) -> int:
        """Our version of it; grows with each change."""

    @property
    def created(self) -> dt.datetime:
        """When it was first registered."""

    @property
    def deposited(self) -> dt.datetime:
        """When this state was accepted."""

    @property
    def work(self) -> Mapping[str, Any]:
        """The Crossref work object as far as the deposit says it."""


@dataclass(frozen=True, slots=True)
class SearchDoc:
    """One work in the search projection. Dates are seconds since year one; unknown ones absent."""

    doi: str
    version: int
    owner: str
    title: str | None
    type: str
    issn: tuple[str, ...]
    published_year: int | None
    issued_year: int | None
    references: int
    has: frozenset[str]
    moments: Mapping[Moment, int]
    texts: Mapping[Text, str]


def project(
    state: WorkFacts | Mapping[str, Any],
    *,
    indexed: dt.datetime | str,
    owner: str | None = None,
) -> SearchDoc:
    """Return the search document of a work.

    ``indexed`` is the event's own time, not this host's, so that all hosts agree; ``owner`` is the
    owner prefix, by default the DOI's own.
    """
    facts = _facts(state)
    work: Mapping[str, Any] = facts["work"]
    issued = _parts(work, "issued") or _parts(work, "published")
    published = _parts(work, "published") or issued
    moments = {
        Moment.INDEXED: seconds_of(indexed),
        Moment.DEPOSITED: seconds_of(facts["deposited"]),
        Moment.CREATED: seconds_of(facts["created"]),
        Moment.PUBLISHED: first_second(published),
        Moment.ISSUED: first_second(issued),
        Moment.PUBLISHED_ONLINE: first_second(_parts(work, "published-online")),
        Moment.PUBLISHED_PRINT: first_second(_parts(work, "published-print")),
    }
    known = {moment: seconds for moment, seconds in moments.items() if seconds is not None}
    references = _reference_count(work)
    return SearchDoc(
        doi=str(facts["doi"]).lower(),
        version=int(facts["version"]),
        owner=owner or facts["prefix"],
        title=facts.get("title"),
        type=str(work.get("type", "other")),
        issn=tuple(dict.fromkeys(_strings(work, "ISSN"))),
        published_year=_year(published) if Moment.PUBLISHED in known else None,
        issued_year=_year(issued) if Moment.ISSUED in known else None,
        references=references,
        has=frozenset(name for name, present in FLAGS.items() if present(work)),
        moments=known,
        texts=_texts(str(facts["doi"]).lower(), work),
    )


def _facts(state: WorkFacts | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(state, Mapping):
        return state
    names = ("doi", "prefix", "title", "version", "created", "deposited", "work")
    return {name: getattr(state, name) for name in names}


def _parts(work: Mapping[str, Any], name: str) -> list[Any]:
    """Return the known date parts of a partial date, [] if it has none."""
    value = work.get(name)
    dates = _items(value, "date-parts") if isinstance(value, dict) else ()
    first = dates[0] if dates else None
    return [part for part in first if part is not None] if isinstance(first, list) else []


def _year(parts: list[Any]) -> int:
    return int(parts[0])


def _items(work: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = work.get(name)
    return value if isinstance(value, list) else ()


def _strings(work: Mapping[str, Any], name: str) -> list[str]:
    value = work.get(name)
    if isinstance(value, str):
        return [value]
    return [item for item in _items(work, name) if isinstance(item, str)]


def _members(work: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in _items(work, name) if isinstance(item, dict)]


def _reference_count(work: Mapping[str, Any]) -> int:
    declared = work.get("references-count", work.get("reference-count"))
    return int(declared) if declared is not None else len(work.get("reference") or ())


def _people(work: Mapping[str, Any], *roles: str) -> Iterable[Mapping[str, Any]]:
    return [person for role in roles if role in work for person in _members(work, role)]


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(str(person[k]) for k in ("given", "family", "name", "suffix") if person.get(k))


def _affiliations(work: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return [place for person in _people(work, *ROLES) for place in _members(person, "affiliation")]


ROLES: Final = ("author", "editor", "chair", "translator", "contributor")

_TITLES: Final = ("title", "subtitle", "original-title", "short-title")
_CONTAINERS: Final = ("container-title", "short-container-title")
_NUMBERS: Final = ("volume", "issue", "page", "article-number")


def _texts(doi: str, work: Mapping[str, Any]) -> dict[Text, str]:
    title = [part for name in _TITLES for part in _strings(work, name)]
    container = [part for name in _CONTAINERS for part in _strings(work, name)]
    author = [_name(person) for person in _people(work, "author")]
    numbers = [part for name in _NUMBERS for part in _strings(work, name)]
    dates = (_parts(work, "published"), _parts(work, "issued"))
    years = {str(_year(parts)) for parts in dates if first_second(parts) is not None}
    bibliographic = [*title, *author, *container, *_strings(work, "ISSN"), *sorted(years), *numbers]
    free = [
        *bibliographic,
        doi,
        *(_name(person) for person in _people(work, *ROLES[1:])),
        *(str(funder.get("name", "")) for funder in _members(work, "funder")),
        *(str(place.get("name", "")) for place in _affiliations(work)),
        *(str(place.get("name", "")) for place in _members(work, "institution")),
        *_strings(work, "group-title"),
    ]
    return {
        Text.TITLE: _plain(title),
        Text.AUTHOR: _plain(author),
        Text.CONTAINER_TITLE: _plain(container),
        Text.BIBLIOGRAPHIC: _plain(bibliographic),
        Text.FREE: _plain(free),
    }


def _plain(parts: Iterable[str]) -> str:
    """Join parts without their face markup, whose tag names are no words of the work."""
    return _MARKUP.sub("", " \n".join(part for part in parts if part))


def _has_ror(work: Mapping[str, Any]) -> bool:
    places = (*_affiliations(work), *_members(work, "funder"), *_members(work, "institution"))
    return any(
        str(identifier.get("id-type", "")).upper() == "ROR"
        for place in places
        for identifier in _members(place, "id")
    )


def _has_link_for(*applications: str) -> Callable[[Mapping[str, Any]], bool]:
    def present(work: Mapping[str, Any]) -> bool:
        return any(
            link.get("intended-application") in applications for link in _members(work, "link")
        )

    return present


FLAGS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "references": lambda work: _reference_count(work) > 0,
    "abstracts": lambda work: bool(work.get("abstract")),
    "affiliations": lambda work: any(_affiliations(work)),
    "award-numbers": lambda work: any(funder.get("award") for funder in _members(work, "funder")),
    "descriptions": lambda work: bool(work.get("description")),
    "funders": lambda work: any(_members(work, "funder")),
    "licenses": lambda work: any(_members(work, "license")),
    "orcids": lambda work: any(person.get("ORCID") for person in _people(work, *ROLES)),
    "resource-links": _has_link_for("text-mining", "unspecified", "syndication"),
    "ror-ids": _has_ror,
    "similarity-checking": _has_link_for("similarity-checking"),
    "update-policies": lambda work: bool(work.get("update-policy")),
}
"""What a work can have: the twelve that coverage counts (crossref.md 1.14), in a fixed order."""
