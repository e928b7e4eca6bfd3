"""Members and prefixes: which of them were asked for, and their objects on the wire. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.rest.params import MembersQuery
from services.distribution.rest.plan import FIRST_PAGE, CursorInvalid
from services.distribution.rest.summary import Summary
from services.distribution.search import After, FromStart, fingerprint, read_cursor, write_cursor

ID_HOST: Final = "https://id.crossref.org"

_TOKEN: Final = re.compile(r"\w+")


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
class MemberPage:
    """One page of members, by id."""

    total: int
    members: tuple[Member, ...]
    next_cursor: str | None


_Test = Callable[[Member, Any], bool]

_FILTERS: Final[Mapping[str, _Test]] = {
    "prefix": lambda member, value: any(prefix.value == value for prefix in member.prefixes),
    "has-public-references": lambda member, value: _public(member) is value,
    "reference-visibility": lambda member, value: any(
        prefix.visibility == value for prefix in member.prefixes
    ),
}


def list_members(
    members: Iterable[Member], query: MembersQuery, *, cursor_key: bytes
) -> MemberPage | CursorInvalid:
    """Return the page of members that satisfy every filter and every word of the query.

    A word of the query is satisfied by a word of the name that begins with it.
    """
    question = fingerprint(["members", query.query, query.filters])
    after = _position(query, question=question, cursor_key=cursor_key)
    if isinstance(after, CursorInvalid):
        return after
    found = sorted((m for m in members if _matches(m, query)), key=lambda member: member.id)
    ahead = [member for member in found if member.id > after] if query.cursor else found
    page = tuple(ahead[query.offset : query.offset + query.rows])
    if query.cursor is None:
        return MemberPage(len(found), page, None)
    last = page[-1].id if page else after
    position = After(last, "") if last else FromStart()
    token = write_cursor(position, question=question, key=cursor_key)
    return MemberPage(len(found), page, token)


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
        "tokens": _tokens(member.primary_name),
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


def _position(query: MembersQuery, *, question: bytes, cursor_key: bytes) -> int | CursorInvalid:
    """Return the id after which the page begins."""
    if query.cursor is None or query.cursor == FIRST_PAGE:
        return 0
    position = read_cursor(query.cursor, question=question, key=cursor_key)
    match position:
        case None:
            return CursorInvalid(query.cursor)
        case FromStart():
            return 0
        case After(key, _):
            return key


def _matches(member: Member, query: MembersQuery) -> bool:
    words = _tokens(query.query or "")
    tokens = [token for name in (member.primary_name, *member.names) for token in _tokens(name)]
    return all(any(token.startswith(word) for token in tokens) for word in words) and all(
        any(_FILTERS[name](member, value) for value in values) for name, values in query.filters
    )


def _public(member: Member) -> bool:
    return any(prefix.visibility == "open" for prefix in member.prefixes)


def _tokens(name: str) -> list[str]:
    return _TOKEN.findall(name.lower())
