"""What a kind of record is, and how a body element is made of records and of what they share.

All of it is data: the reader walks `Body` and `Part`, and knows no kind by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.deposits.crossref.dates import Work
from services.deposits.crossref.rows import Table
from services.deposits.crossref.submission import TitleKind


@dataclass(frozen=True, slots=True)
class TypeBy:
    """Work types by an attribute of the record's element, or (`above`) of the one around it."""

    attribute: str
    types: Mapping[str, str]
    above: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its name, the work's type, its table and what it must have.

    `required` holds (rule, keys any of which will do, element named). `renames` are keys that
    the record's own work spells otherwise than what it lends. `borrows` names the parts of the
    body element that lend to it, nearest first, and the keys taken; what the record says itself
    stands. A `part` sets some keys of a work that exists and has no type of its own.
    """

    name: str
    title: str
    type: str
    table: Table
    required: tuple[tuple[str, str, str], ...] = ()
    by: TypeBy | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    borrows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    resource: bool = True  # whether a landing page must be named
    effect: Literal["whole", "part"] = "whole"


@dataclass(frozen=True, slots=True)
class Inside:
    """Records inside a part, each where an element at `path` has a doi_data of its own.

    `title` is set where the element itself states a title; else the part's title is theirs.
    """

    path: tuple[str, ...]
    kind: Kind
    title: TitleKind | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An element that is read and let go of as a whole when it ends.

    `path` leads to it from the body element; () is the body element itself. It is a record when
    it has a DOI, or in any case when it `must` be. `lends` is the table of what it lends to the
    parts after it, where the kind's own does not do; where `beside` names elements that stand
    before it, that table reads them and it. `shape` tidies what is lent.
    """

    path: tuple[str, ...]
    kind: Kind | None = None
    must: bool = True
    lends: Table | None = None
    beside: tuple[str, ...] = ()
    shape: Callable[[Work], Work] | None = None
    title: TitleKind | None = None
    inside: tuple[Inside, ...] = ()

    @property
    def name(self) -> str:
        """Return the element's name, "" for the body element itself."""
        return self.path[-1] if self.path else ""


@dataclass(frozen=True, slots=True)
class Body:
    """A child of the body: its element, what it is called in messages, and its parts.

    `parent` is the attribute that names the DOI its components belong to.
    """

    element: str
    title: str
    parts: tuple[Part, ...]
    parent: str = ""
