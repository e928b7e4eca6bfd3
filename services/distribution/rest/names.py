"""Lists of what has a name: members, journals, funders. Found word by word, paged. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Generic, TypeAlias, TypeVar

from services.distribution.rest.params import ListQuery
from services.distribution.rest.plan import FIRST_PAGE, CursorInvalid
from services.distribution.search import After, FromStart, fingerprint, read_cursor, write_cursor

_DROPPED: Final = re.compile(r"[(),.'\"]")
_KEPT_NAMES: Final = 200_000  # cut names that are remembered: of all journals there are

Place: TypeAlias = tuple[int, str]
"""Where something stands in its list; no two stand at one place."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, how many there are in all, and the cursor of the next page."""

    total: int
    items: tuple[T, ...]
    next_cursor: str | None


@lru_cache(maxsize=_KEPT_NAMES)
def tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name as the wire has them: ``U.S. Army/Navy`` is us, army/navy."""
    return tuple(_DROPPED.sub("", name.lower()).replace("-", " ").split())


def answers(words: Sequence[str], names: Iterable[str]) -> bool:
    """Whether every word of a query begins a word of one of the names."""
    if not words:
        return True
    # Each word after a blank: one look in one text is quicker than one in each word.
    text = "".join(f" {token}" for name in names for token in tokens(name))
    return all(f" {word}" in text for word in words)


def page_of(
    found: Iterable[tuple[Place, T]], query: ListQuery, *, kind: str, cursor_key: bytes
) -> Page[T] | CursorInvalid:
    """Return the page of what was found that a query asks for, by place."""
    question = fingerprint([kind, query.query, query.filters])
    after = _position(query, question=question, cursor_key=cursor_key)
    if isinstance(after, CursorInvalid):
        return after
    ordered = sorted(found, key=lambda pair: pair[0])
    ahead = [pair for pair in ordered if after is None or pair[0] > after]
    page = ahead[query.offset : query.offset + query.rows]
    items = tuple(item for _, item in page)
    if query.cursor is None:
        return Page(len(ordered), items, None)
    last = page[-1][0] if page else after
    position = After(*last) if last else FromStart()
    token = write_cursor(position, question=question, key=cursor_key)
    return Page(len(ordered), items, token)


def _position(
    query: ListQuery, *, question: bytes, cursor_key: bytes
) -> Place | CursorInvalid | None:
    """Return the place after which the page begins, None for the beginning."""
    if query.cursor is None or query.cursor == FIRST_PAGE:
        return None
    match read_cursor(query.cursor, question=question, key=cursor_key):
        case None:
            return CursorInvalid(query.cursor)
        case FromStart():
            return None
        case After(key, text):
            return key, text
