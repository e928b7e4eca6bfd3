"""A work's object -> its texts, field query by field query (crossref.md 1.4). Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from services.distribution.search.keys import first_second
from services.distribution.search.reading import (
    ROLES,
    Work,
    affiliations,
    everyone,
    funders,
    name_of,
    parts,
    people,
    plain,
    records,
    strings,
)
from services.distribution.search.request import Text

Words: TypeAlias = Callable[[Work], Iterable[str]]

_TITLES: Final = ("title", "subtitle", "original-title", "short-title")
_CONTAINERS: Final = ("container-title", "short-container-title")
_NUMBERS: Final = ("volume", "issue", "page", "article-number")


def _all(*names: str) -> Words:
    return lambda work: [part for name in names for part in strings(work, name)]


def _inside(name: str, key: str) -> Words:
    return lambda work: [part for one in records(work, name) for part in strings(one, key)]


def _people(*roles: str) -> Words:
    return lambda work: [name_of(person) for person in people(work, *roles)]


def _names(places: Iterable[Work]) -> list[str]:
    return [part for place in places for part in strings(place, "name")]


def _years(work: Work) -> list[str]:
    dates = (parts(work, "published"), parts(work, "issued"))
    return sorted({str(int(date[0])) for date in dates if first_second(date) is not None})


def _bibliographic(work: Work) -> list[str]:
    return [
        *_all(*_TITLES)(work),
        *_people("author")(work),
        *_all(*_CONTAINERS, "ISSN")(work),
        *_years(work),
        *_all(*_NUMBERS)(work),
    ]


def _free(work: Work) -> list[str]:
    return [
        *_bibliographic(work),
        *strings(work, "DOI"),
        *_people(*ROLES[1:])(work),
        *_names(funders(work)),
        *(award for funder in funders(work) for award in strings(funder, "award")),
        *_names(affiliations(work)),
        *_names(records(work, "institution")),
        *_all("group-title", "description", "degree", "publisher")(work),
        *_names(records(work, "event")),
        *_names(records(work, "standards-body")),
    ]


TEXTS: Final[Mapping[Text, Words]] = {
    Text.FREE: _free,
    Text.BIBLIOGRAPHIC: _bibliographic,
    Text.TITLE: _all(*_TITLES),
    Text.AUTHOR: _people("author"),
    Text.CONTAINER_TITLE: _all(*_CONTAINERS),
    Text.AFFILIATION: lambda work: _names(affiliations(work)),
    Text.CHAIR: _people("chair"),
    Text.CONTRIBUTOR: lambda work: [name_of(person) for person in everyone(work)],
    Text.DEGREE: _all("degree"),
    Text.DESCRIPTION: _all("description"),
    Text.EDITOR: _people("editor"),
    Text.EVENT_ACRONYM: _inside("event", "acronym"),
    Text.EVENT_LOCATION: _inside("event", "location"),
    Text.EVENT_NAME: _inside("event", "name"),
    Text.EVENT_SPONSOR: _inside("event", "sponsor"),
    Text.EVENT_THEME: _inside("event", "theme"),
    Text.FUNDER_NAME: lambda work: _names(funders(work)),
    Text.PUBLISHER_LOCATION: _all("publisher-location"),
    Text.PUBLISHER_NAME: _all("publisher"),
    Text.STANDARDS_BODY_ACRONYM: _inside("standards-body", "acronym"),
    Text.STANDARDS_BODY_NAME: _inside("standards-body", "name"),
    Text.TRANSLATOR: _people("translator"),
}


def texts_of(work: Work) -> dict[Text, str]:
    """Return the texts of a work that has any, without face markup."""
    found = ((field, plain(words(work))) for field, words in TEXTS.items())
    return {field: text for field, text in found if text}
