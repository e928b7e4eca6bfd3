"""Members and prefixes: which of them were asked for, and their objects on the wire. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.rest.names import Page, answers, page_of, tokens
from services.distribution.rest.params import ListQuery
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.summary import Summary

ID_HOST: Final = "https://id.crossref.org"
COUNTED: Final = ("current-doi-count", "backfile-doi-count")
"""The filters on how many works a member has; the counts are asked for before."""


@dataclass(frozen=True, slots=True)
class OwnedPrefix:
    """A prefix of a member, the name its works show, and its setting in force."""

    value: str
    name: str
    visibility: str


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation that owns prefixes."""

    id: int
    primary_name: str
    names: tuple[str, ...]
    location: str | None
    prefixes: tuple[OwnedPrefix, ...]


@dataclass(frozen=True, slots=True)
class Works:
    """How many works a member has of each time."""

    current: int = 0
    backfile: int = 0


_Test = Callable[[Member, Works, Any], bool]

_FILTERS: Final[Mapping[str, _Test]] = {
    "prefix": lambda member, _, value: any(prefix.value == value for prefix in member.prefixes),
    "has-public-references": lambda member, _, value: _public(member) is value,
    "reference-visibility": lambda member, _, value: any(
        prefix.visibility == value for prefix in member.prefixes
    ),
    "current-doi-count": lambda _, works, value: works.current == value,
    "backfile-doi-count": lambda _, works, value: works.backfile == value,
}


def list_members(
    members: Iterable[Member],
    query: ListQuery,
    *,
    works: Mapping[int, Works] | None = None,
    cursor_key: bytes,
) -> Page[Member] | CursorInvalid:
    """Return the page of members, by id, that satisfy every filter and every word of the query.

    A word of the query is satisfied by a word of a name that begins with it. ``works`` are needed
    where a filter is COUNTED.
    """
    words = tokens(query.query or "")
    counted = works or {}
    found = (
        ((member.id, ""), member)
        for member in members
        if answers(words, (member.primary_name, *member.names))
        and _passes(member, counted.get(member.id, Works()), query)
    )
    return page_of(found, query, kind="members", cursor_key=cursor_key)


def render_member(member: Member, summary: Summary, *, checked: int) -> dict[str, Any]:
    """Return the member object; ``checked`` is when the summary was made, in epoch ms."""
    return {
        "last-status-check-time": checked,
        "primary-name": member.primary_name,
        "counts": summary.counts,
        "breakdowns": summary.breakdowns,
        "prefixes": [prefix.value for prefix in member.prefixes],
        "coverage": summary.coverage,
        "prefix": [_prefix_entry(prefix) for prefix in member.prefixes],
        "id": member.id,
        "tokens": tokens(member.primary_name),
        "counts-type": summary.counts_type,
        "coverage-type": summary.coverage_type,
        "flags": summary.flags,
        "location": member.location,
        "names": list(member.names),
    }


def render_prefix(prefix: str, *, member: int, name: str) -> dict[str, str]:
    """Return the prefix object: exactly these three keys."""
    return {
        "member": f"{ID_HOST}/member/{member}",
        "name": name,
        "prefix": f"{ID_HOST}/prefix/{prefix}",
    }


def _prefix_entry(prefix: OwnedPrefix) -> dict[str, Any]:
    return {
        "value": prefix.value,
        "name": prefix.name,
        "public-references": prefix.visibility == "open",
        "reference-visibility": prefix.visibility,
    }


def _passes(member: Member, works: Works, query: ListQuery) -> bool:
    return all(
        any(_FILTERS[name](member, works, value) for value in values)
        for name, values in query.filters
    )


def _public(member: Member) -> bool:
    return any(prefix.visibility == "open" for prefix in member.prefixes)
