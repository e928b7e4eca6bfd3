"""A body element while it stands open: what it has lent so far, and the records its parts make.

It reads what `kinds.BODIES` says about the element and knows no kind by name. Both passes use it,
the first without mapping, so that they count alike.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.deposits.crossref import records
from services.deposits.crossref.dates import Work
from services.deposits.crossref.faults import Place, Problem, Unreadable, problem
from services.deposits.crossref.kinds import Body, Kind, Part
from services.deposits.crossref.markup import Element, bare, line_of
from services.deposits.crossref.records import Surroundings
from services.deposits.crossref.rows import MOST_PROBLEMS, Notes
from services.deposits.crossref.submission import Record, TitleClaim, TitleKind
from services.deposits.crossref.vocabulary import short_name

MOST_INSIDE = 10_000  # records inside one part, which are held at once
_LONGEST_TIMESTAMP = 32  # digits
_LONGEST_DOI = 1_000  # characters kept of what is too long to be one, to be told


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a whole file: the head's timestamp, and whether records are mapped."""

    timestamp: str | None
    mapping: bool


class Standing:
    """One body element, from its start to its end."""

    def __init__(self, body: Body, element: Element, *, number: int, settings: Settings) -> None:
        self.element = element
        self.records = 0
        self._body = body
        self._settings = settings
        self._path = f"/doi_batch/body/{body.element}[{number}]"
        self._seen: Counter[str] = Counter()
        self._around: dict[str, Surroundings] = {}
        self._title: TitleClaim | None = None
        self._strange: list[Problem] = []  # told with the next record
        self._parent = (element.get(body.parent) or "").strip() if body.parent else ""
        self._parts = {part.path: part for part in body.parts}
        self._lenders = {
            lender for part in body.parts if part.kind for lender, _ in part.kind.borrows
        }
        self._known = {part.path[0] for part in body.parts if part.path} | {
            name for part in body.parts for name in part.beside
        }

    def part(self, element: Element, name: str) -> Part | None:
        """Return the part an element of this name is, None where it is none (or inside one)."""
        if element is self.element:
            return self._parts.get(())
        above = element.getparent()
        if above is self.element:
            return self._parts.get((name,))
        if above is not None and above.getparent() is self.element:
            return self._parts.get((short_name(str(above.tag)), name))
        return None

    def read(self, part: Part, element: Element) -> Iterator[Record]:
        """Read a part that has ended: its own record and those inside it, in that order.

        Raises Unreadable when more records stand inside it than may be held at once.
        """
        path = self._place(part)
        for told in self._strangers(element):
            self._strange.append(told)
        kind = part.kind
        own = kind is not None and (part.must or _has_doi(element))
        if part.title is not None or part.name in self._lenders:
            self._lend(part, element, path, own=own)
        doi = ""
        if kind is not None and own:
            made = self._record(kind, element, path)
            doi = made.doi
            if part.name in self._lenders:
                self._parent = doi  # of components listed beside it
            yield made
        for inside in part.inside:
            for number, (nested, at) in enumerate(_inside(element, inside.path, path)):
                if number >= MOST_INSIDE:
                    place = Place(at, line_of(nested))
                    raise Unreadable("too-many", place, limit=MOST_INSIDE)
                if not _has_doi(nested):
                    continue
                made = self._record(inside.kind, nested, at, parent=doi)
                if inside.title and self._settings.mapping:
                    made = replace(made, title=_claim(inside.title, made.work, made.doi))
                yield made

    def close(self) -> Iterator[Record]:
        """End the element: one that held no record at all fails, so that nothing is silent."""
        if self.records == 0:
            place = Place(self._path, line_of(self.element))
            yield self._failed("no-record", place, self._body.element)

    # -- one record ----------------------------------------------------------------------------

    def _record(
        self, kind: Kind, element: Element, path: str, *, parent: str | None = None
    ) -> Record:
        self.records += 1
        line = line_of(element)
        if not self._settings.mapping:
            return Record(0, "", None, kind.name, {}, line)
        notes = Notes(kind.title, path, element)
        read = records.read_record(
            kind,
            element,
            notes,
            around=self._around,
            parent=self._parent if parent is None else parent,
        )
        timestamp = read.timestamp or self._settings.timestamp
        told = self._version_problems(timestamp, kind, Place(path, line))
        strange, self._strange = self._strange, []
        return Record(
            index=0,
            doi=read.doi[:_LONGEST_DOI],
            timestamp=timestamp,
            kind=kind.name,
            work=read.work,
            line=line,
            problems=(*strange, *read.problems, *told),
            effect=kind.effect,
            title=self._title,
        )

    def _version_problems(self, timestamp: str | None, kind: Kind, place: Place) -> list[Problem]:
        if timestamp is None:
            missing = problem("missing-timestamp", place, kind=kind.title)
            return [] if kind.effect == "part" else [missing]
        digits = timestamp.isascii() and timestamp.isdigit()
        if not digits or len(timestamp) > _LONGEST_TIMESTAMP:
            return [problem("timestamp", place, kind=kind.title, timestamp=timestamp[:40])]
        return []

    def _failed(self, rule: str, place: Place, named: str) -> Record:
        self.records += 1
        found = problem(rule, place, kind=self._body.title, element=named)
        return Record(0, "", self._settings.timestamp, named, {}, place.line, (found,))

    # -- what is lent --------------------------------------------------------------------------

    def _lend(self, part: Part, element: Element, path: str, *, own: bool) -> None:
        """Keep what a part lends; what is wrong with it is told by its own record, if it is one."""
        if not self._settings.mapping:
            return
        title = part.kind.title if part.kind else self._body.title
        table = part.lends or (part.kind.table if part.kind else None)
        if table is None:
            return
        if part.beside:
            # Only what stands before: the parser may have read on, or not.
            notes = Notes(title, self._path, self.element)
            before = [*element.itersiblings(preceding=True)]
            said = table.gather([*reversed(before), element], notes)
        else:
            notes = Notes(title, path, element)
            said = table.read(element, notes)
        target = said.pop("doi_data", {})
        if part.shape is not None:
            said = part.shape(said)
        self._around[part.name] = Surroundings(said, () if own else tuple(notes.problems))
        if part.title is not None:
            self._title = _claim(part.title, said, target.get("doi", ""))

    # -- places --------------------------------------------------------------------------------

    def _place(self, part: Part) -> str:
        if not part.path:
            return self._path
        *outer, name = part.path
        self._seen[name] += 1
        return "/".join(
            [self._path, *(f"{step}[1]" for step in outer), f"{name}[{self._seen[name]}]"]
        )

    def _strangers(self, element: Element) -> Iterator[Problem]:
        """Tell of children of the body element that are no part of it; they go with this one."""
        if element.getparent() is not self.element or not self._settings.mapping:
            return
        for sibling in element.itersiblings(preceding=True):
            name = short_name(str(sibling.tag))
            if name not in self._known and len(self._strange) < MOST_PROBLEMS:
                place = Place(f"{self._path}/{name}", line_of(sibling))
                yield problem("unknown-element", place, kind=self._body.title, element=name)


def _has_doi(element: Element) -> bool:
    return element.find("{*}doi_data") is not None


def _inside(element: Element, path: tuple[str, ...], at: str) -> Iterator[tuple[Element, str]]:
    """Yield the elements at a path below one, each with its own path in the file."""
    name, *rest = path
    for number, child in enumerate(element.iterchildren(f"{{*}}{name}"), 1):
        here = f"{at}/{name}[{number}]"
        if rest:
            yield from _inside(child, tuple(rest), here)
        else:
            yield child, here


def _claim(kind: TitleKind, said: Work, doi: str) -> TitleClaim:
    """Return the title that an element states; a volume without one is its series and number."""
    titles = said.get("title") or said.get("container-title") or ("",)
    name = bare(titles[0])
    if kind != "journal" and "title" not in said and "volume" in said:
        name = f"{name} {said['volume']}".strip()
    # The ISSNs of a series are the series' own, not those of each book in it.
    serial = kind == "journal" or ("ISBN" not in said and "container-title" not in said)
    return TitleClaim(
        kind,
        name,
        issns=tuple(said.get("ISSN", ())) if serial else (),
        isbns=tuple(said.get("ISBN", ())),
        doi=doi,
    )
