"""The mapping as data: rows say which element becomes which key of the work object, and how.

A `Table` reads the children of one element. The same rows feed the reader, the page
docs/interfaces/deposit-elements.md and the generator of random deposits, so a kind of record is
added by adding rows. Reading is total: whatever is wrong is noted, nothing is raised.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from services.deposits.crossref import markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import RECORD_RULES, Place, Problem, Severity, problem
from services.deposits.crossref.markup import Element
from services.deposits.crossref.vocabulary import short_name

MOST_PROBLEMS = 20  # of one severity in one record: enough to mend it, and finding one takes time


@dataclass(slots=True)
class Notes:
    """What is found while one record is read: problems, with their places."""

    kind: str
    prefix: str  # element path down to the record itself
    root: Element
    problems: list[Problem] = field(default_factory=list)
    _told: Counter[Severity] = field(default_factory=Counter)

    def add(self, rule: str, at: Element, /, **facts: object) -> None:
        """Note a broken rule at an element; of each severity the first ``MOST_PROBLEMS``."""
        severity = RECORD_RULES[rule].severity
        self._told[severity] += 1
        if self._told[severity] > MOST_PROBLEMS:
            return
        place = Place(self.path(at), markup.line_of(at))
        self.problems.append(problem(rule, place, kind=self.kind, **facts))

    def path(self, element: Element) -> str:
        """Return the element's path from the root of the file."""
        steps: list[str] = []
        here: Element | None = element
        while here is not None and here is not self.root:
            twins = sum(1 for _ in here.itersiblings(here.tag, preceding=True))
            steps.append(f"{short_name(str(here.tag))}[{twins + 1}]")
            here = here.getparent()
        return "/".join([self.prefix, *reversed(steps)])


Read = Callable[[Element, Notes], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One element (or `@attribute`, or `.` for the element's own text) and where it goes.

    `key` is the work object's key; `*` means that `read` returns a dict of several, named in
    `keys`; "" means that the work object has no place for it, and `note` says why.
    `read` gets the element (for an attribute, its owner) and returns a value, or None for
    nothing. `many` collects values into a list. `kind` names the sort of value; `inside` is the
    table of a composite element.
    """

    element: str
    key: str
    read: Read | None = None
    kind: str = ""
    many: bool = False
    keys: tuple[str, ...] = ()
    inside: "Table | None" = None
    since: str = "4.3.0"
    until: str = "5.5.0"
    note: str = ""


_ONE, _MANY, _SEVERAL = range(3)
_KNOWN_TAGS = 512  # a table meets a few dozen; a hostile file may invent names without end


@dataclass(frozen=True, slots=True)
class _Step:
    """What to do with one child: a row, ready to run."""

    read: Read | None
    key: str
    way: int
    leaf: bool  # single-valued plain text: an element without children needs no call


class Table:
    """Rows by element; reads an element into a dict."""

    __slots__ = ("_by_tag", "_children", "_own", "name", "rows")

    def __init__(self, name: str, *rows: Row) -> None:
        self.name = name
        self.rows = rows
        self._own = tuple(_step(r) for r in rows if r.element[0] in "@." and r.read)
        self._children = {r.element: _step(r) for r in rows if r.element[0] not in "@."}
        self._by_tag: dict[Any, _Step | None] = {}

    def read(self, element: Element, notes: Notes) -> Work:
        """Return what the element's attributes, text and children say, by key."""
        found: Work = {}
        for own in self._own:
            if own.read is not None:
                _put(found, own, own.read(element, notes))
        by_tag = self._by_tag
        for child in element:
            try:
                step = by_tag[child.tag]
            except KeyError:
                step = self._learn(child, notes)
            if step is None or step.read is None:
                continue
            if step.leaf and len(child) == 0:  # the bulk of a file: fields of references
                value = (child.text or "").strip(markup.SPACE)
                if value:
                    found.setdefault(step.key, value)
            else:
                _put(found, step, step.read(child, notes))
        return found

    def gather(self, children: Iterable[Element], notes: Notes) -> Work:
        """Return what some elements say by this table's rows; those without a row are passed by."""
        found: Work = {}
        for child in children:
            step = self._children.get(short_name(str(child.tag)))
            if step is not None and step.read is not None:
                _put(found, step, step.read(child, notes))
        return found

    def _learn(self, child: Element, notes: Notes) -> _Step | None:
        """Find a tag's row by its short name; a tag without a row is told each time it is met."""
        if not isinstance(child.tag, str):
            return None  # a comment or an instruction
        name = short_name(child.tag)
        step = self._children.get(name)
        if step is None:
            notes.add("unknown-element", child, element=name)
        elif len(self._by_tag) < _KNOWN_TAGS:
            self._by_tag[child.tag] = step
        return step


def _step(row: Row) -> _Step:
    way = _SEVERAL if row.key == "*" else _MANY if row.many else _ONE
    return _Step(row.read, row.key, way, leaf=way == _ONE and row.read in (text, loose))


def _put(found: Work, step: _Step, value: Any) -> None:
    """Place a value; of a single-valued key the first counts, lists grow, dicts are merged."""
    if value is None:
        return
    if step.way == _ONE:
        found.setdefault(step.key, value)
    elif step.way == _MANY:
        found.setdefault(step.key, []).append(value)
    else:
        merge(found, value)


def merge(found: Work, more: Work) -> None:
    """Merge one dict into another: lists are extended, dicts merged, else the first one stays."""
    for key, value in more.items():
        known = found.get(key)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif isinstance(known, dict) and isinstance(value, dict) and "date-parts" not in value:
            merge(known, value)
        elif key not in found:
            found[key] = value


def text(element: Element, _: Notes) -> str | None:
    """Read plain text; nothing when it is empty."""
    return markup.plain(element) or None


def loose(element: Element, _: Notes) -> str | None:
    """Read plain text in which markup shows as tags; nothing when it is empty."""
    return markup.loose(element) or None


def titled(element: Element, _: Notes) -> str | None:
    """Read a title, face markup kept; nothing when it is empty."""
    return markup.titled(element) or None


def attribute(name: str) -> Read:
    """Return a reader of an attribute of the element."""

    def read(element: Element, _: Notes) -> str | None:
        return (element.get(name) or "").strip(markup.SPACE) or None

    return read


def table(inside: Table) -> Read:
    """Return a reader of a composite element; nothing when it holds nothing."""

    def read(element: Element, notes: Notes) -> Work | None:
        return inside.read(element, notes) or None

    return read


def described(element: str, key: str, note: str = "") -> Row:
    """Return a row that only says where an element goes: its parent is read as a whole."""
    return Row(element, key, note=note)


def not_carried(element: str, note: str, *, since: str = "4.3.0", until: str = "5.5.0") -> Row:
    """Return the row of an element the work object has no place for."""
    return Row(element, "", note=note, since=since, until=until)
