"""Reading a work's object without trusting its shape: what is not as expected is not there. Pure.

A member's slip must not keep a work out of the lists, and one work must not stop the index.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Work: TypeAlias = Mapping[str, Any]

ROLES: Final = ("author", "editor", "chair", "translator", "contributor")
INVESTIGATORS: Final = ("lead-investigator", "co-lead-investigator", "investigator")
LONGEST: Final = 1_000  # characters of a value that is found or counted as a whole

_MARKUP: Final = re.compile(r"<[^>]*>")


def items(work: Work, name: str) -> Sequence[Any]:
    """Return the list under a name, empty if there is none."""
    value = work.get(name)
    return value if isinstance(value, list) else ()


def records(work: Work, name: str) -> list[Work]:
    """Return the objects of the list under a name; a single object is a list of one."""
    value = work.get(name)
    if isinstance(value, Mapping):
        return [value]
    return [item for item in items(work, name) if isinstance(item, Mapping)]


def strings(work: Work, name: str) -> list[str]:
    """Return the texts under a name: of a list, or the one that stands there alone."""
    value = work.get(name)
    if isinstance(value, str):
        return [value]
    return [item for item in items(work, name) if isinstance(item, str)]


def text(work: Work, name: str) -> str:
    """Return the text under a name, empty if there is none."""
    value = work.get(name)
    return value if isinstance(value, str) else ""


def parts(work: Work, name: str) -> list[Any]:
    """Return the known date parts of a partial date, [] if it has none."""
    value = work.get(name)
    dates = items(value, "date-parts") if isinstance(value, Mapping) else ()
    first = dates[0] if dates else None
    return [part for part in first if part is not None] if isinstance(first, list) else []


def people(work: Work, *roles: str) -> list[Work]:
    """Return the contributors of some roles, role by role."""
    return [person for role in roles for person in records(work, role)]


def name_of(person: Work) -> str:
    """Return a person's or a group's name."""
    return " ".join(str(person[k]) for k in ("given", "family", "name", "suffix") if person.get(k))


def everyone(work: Work) -> list[Work]:
    """Return all who contributed to a work, and the investigators of a grant's projects."""
    projects = records(work, "project")
    return [*people(work, *ROLES), *(one for p in projects for one in people(p, *INVESTIGATORS))]


def funders(work: Work) -> list[Work]:
    """Return the funders of a work, and those of a grant's projects."""
    fundings = (one for project in records(work, "project") for one in records(project, "funding"))
    return [*records(work, "funder"), *(one for f in fundings for one in records(f, "funder"))]


def affiliations(work: Work) -> list[Work]:
    """Return the places of all who contributed."""
    return [place for person in everyone(work) for place in records(person, "affiliation")]


def plain(texts: Iterable[str]) -> str:
    """Join texts without their face markup, whose tag names are no words of the work."""
    return _MARKUP.sub("", " \n".join(one for one in texts if one))


def whole(value: object) -> str:
    """Return a value as it is found and counted: one line, and not too long for a term."""
    return " ".join(str(value).split())[:LONGEST]
