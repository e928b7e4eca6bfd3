"""Deposit XML as a stream: first a check of the whole file, then its records one by one.

Both passes are push parsers: `feed` takes bytes as they come, `close` ends the file. Memory does
not grow with the file: each record's elements are let go of when it has been read, and no single
part may be larger than `LARGEST_PART`.

A file is refused whole (`Unreadable`) or not at all, as in the real system, where a file that is
not well-formed gives one failure and processes no record. So feed a `Checker` first: it parses
everything (DOCTYPE, entities, encodings, depth, schema) without mapping. Then a `DepositReader`
over the same bytes yields records and cannot fail half-way. `read_deposit` does both in one
parse for a small file, by returning nothing until the end is reached.
"""

from collections import Counter
from collections.abc import Iterable

from services.deposits.crossref import kinds, records
from services.deposits.crossref.faults import Place, Problem, Unreadable, problem
from services.deposits.crossref.feeding import Feed
from services.deposits.crossref.kinds import KINDS, Kind
from services.deposits.crossref.markup import Element, line_of, plain
from services.deposits.crossref.records import Surroundings
from services.deposits.crossref.rows import Notes
from services.deposits.crossref.schemas import NO_SCHEMAS, Schemas
from services.deposits.crossref.submission import Deposit, Depositor, Head, Outline, Record
from services.deposits.crossref.vocabulary import BODY_KINDS, REPEATING_PARTS, short_name

_LONGEST_TIMESTAMP = 32  # digits


class DepositReader:
    """The second pass: bytes in, the head and then records out."""

    def __init__(self, *, schemas: Schemas = NO_SCHEMAS, mapping: bool = True) -> None:
        """Read; `mapping=False` counts records without reading them (the Checker's way)."""
        self._feed = Feed(schemas)
        self._mapping = mapping
        self._out: list[Head | Record] = []
        self._head: Head | None = None
        self._seen: Counter[str] = Counter()  # per kind, for element paths
        self._journal: Surroundings | None = None
        self._issue: Surroundings | None = None
        self._index = 0
        self._dois_of_kind = 0
        self._unread = False  # inside a kind that has no rows yet

    def feed(self, data: bytes) -> list[Head | Record]:
        """Take bytes, return what they complete; raises Unreadable."""
        for event, element in self._feed.feed(data):
            self._take(event, element)
        return self._drain()

    def close(self) -> list[Head | Record]:
        """End the file, return what is left; raises Unreadable for a file that is not whole."""
        for event, element in self._feed.close():
            self._take(event, element)
        if self._head is None:
            raise Unreadable("head-incomplete", Place("/doi_batch"), element="doi_batch_id")
        return self._drain()

    @property
    def schema(self) -> str | None:
        """The file name of the schema being applied, if any."""
        return self._feed.schema

    def _drain(self) -> list[Head | Record]:
        out, self._out = self._out, []
        return out

    # -- events ------------------------------------------------------------------------------

    def _take(self, event: str, element: Element) -> None:
        name = short_name(str(element.tag))
        parent = element.getparent()
        above = "" if parent is None else short_name(str(parent.tag))
        if event == "end":
            self._end(above, name, element)
            self._feed.progress()
        elif above == "body" and name in BODY_KINDS:
            self._open(name)

    def _end(self, above: str, name: str, element: Element) -> None:
        match above, name:
            case "doi_batch", "head":
                self._read_head(element)
            case "doi_batch", "body":
                self._unknown_kinds(element)
            case "journal", "journal_metadata" | "journal_issue":
                self._read_surroundings(name, element)
            case ("journal", "journal_article") | ("body", "posted_content"):
                self._read_record(KINDS[name], element)
            case "body", "journal":
                self._journal = self._issue = None
                _let_go(element)
            case _, "doi_data" if self._unread:
                self._unsupported(element)
            case "body", _ if name in BODY_KINDS:
                self._close_unsupported(name, element)
            case _, _ if self._unread and name in REPEATING_PARTS:
                _let_go(element)
            case _:
                pass

    def _open(self, name: str) -> None:
        self._seen[name] += 1
        self._dois_of_kind = 0
        self._unread = name not in {"journal", *KINDS}
        if name == "journal":
            self._seen["journal_article"] = 0

    def _read_head(self, element: Element) -> None:
        said: dict[str, str] = {}
        for child in element.iter("*"):
            said.setdefault(short_name(str(child.tag)), plain(child))
        if not said.get("doi_batch_id"):
            place = Place("/doi_batch/head", line_of(element))
            raise Unreadable("head-incomplete", place, element="doi_batch_id")
        self._head = Head(
            batch_id=said["doi_batch_id"],
            timestamp=said.get("timestamp") or None,
            schema_version=self._feed.version,
            depositor=Depositor(
                name=said.get("depositor_name") or said.get("name", ""),
                email=said.get("email_address", ""),
            ),
            registrant=said.get("registrant", ""),
        )
        self._out.append(self._head)
        _let_go(element)

    def _read_surroundings(self, name: str, element: Element) -> None:
        if self._mapping:
            table = {"journal_metadata": kinds.JOURNAL, "journal_issue": kinds.ISSUE}[name]
            path = f"{self._path('journal')}/{name}[1]"
            notes = Notes(KINDS[name].title, path, element)
            found = records.surroundings(table, element, notes)
            if name == "journal_metadata":
                self._journal = found
            else:
                self._issue = found
        own = [(KINDS[name], element)]
        own += [(KINDS["journal_volume"], v) for v in element.iterchildren("{*}journal_volume")]
        for kind, part in own:
            if part.find("{*}doi_data") is not None:
                self._read_record(kind, part)
        _let_go(element)

    def _read_record(self, kind: Kind, element: Element) -> None:
        if kind.element == "journal_article":
            self._seen[kind.element] += 1
        index, self._index = self._index, self._index + 1
        line = line_of(element)
        if not self._mapping:
            self._out.append(Record(index, "", None, kind.element, {}, line))
        else:
            self._out.append(self._record(kind, element, index=index, line=line))
        if kind.element in {"journal_article", "posted_content"}:
            _let_go(element)

    def _record(self, kind: Kind, element: Element, *, index: int, line: int) -> Record:
        notes = Notes(kind.title, self._path(kind.element), element)
        lent = [] if kind.element == "journal_metadata" else [self._issue, self._journal]
        if kind.element == "posted_content":
            lent = []
        around = tuple(outer for outer in lent if outer is not None)
        read = records.read_record(kind, element, notes, around=around)
        timestamp = read.timestamp or (self._head.timestamp if self._head else None)
        problems = [*read.problems, *self._version_problems(timestamp, kind.title, notes)]
        return Record(
            index=index,
            doi=read.doi,
            timestamp=timestamp,
            kind=kind.element,
            work=read.work,
            line=line,
            problems=tuple(problems),
            components=read.components,
        )

    def _version_problems(self, timestamp: str | None, kind: str, notes: Notes) -> list[Problem]:
        place = Place(notes.path(notes.root), line_of(notes.root))
        if timestamp is None:
            return [problem("missing-timestamp", place, kind=kind)]
        digits = timestamp.isascii() and timestamp.isdigit()
        if not digits or len(timestamp) > _LONGEST_TIMESTAMP:
            return [problem("timestamp", place, kind=kind, timestamp=timestamp[:40])]
        return []

    # -- kinds that are not read yet -----------------------------------------------------------

    def _unsupported(self, element: Element) -> None:
        """Fail the record a doi_data belongs to: its kind has no rows yet."""
        top: Element | None = element
        while top is not None and short_name(str(top.tag)) not in BODY_KINDS:
            top = top.getparent()
        above = None if top is None else top.getparent()
        if top is None or above is None or short_name(str(above.tag)) != "body":
            return
        owner = element.getparent()
        doi = element.findtext("{*}doi") or ""
        named = short_name(str((top if owner is None else owner).tag))
        self._dois_of_kind += 1
        self._fail("unsupported-kind", short_name(str(top.tag)), element, doi=doi, named=named)

    def _close_unsupported(self, name: str, element: Element) -> None:
        if self._dois_of_kind == 0:
            doi = element.findtext("{*}doi") or ""
            self._fail("unsupported-kind", name, element, doi=doi, named=name)
        _let_go(element)

    def _unknown_kinds(self, body: Element) -> None:
        for child in body:
            name = short_name(str(child.tag)) if isinstance(child.tag, str) else ""
            if name and name not in BODY_KINDS:
                self._fail("unknown-kind", name, child, doi="", named=name)
        _let_go(body)

    def _fail(self, rule: str, kind: str, element: Element, *, doi: str, named: str) -> None:
        index, self._index = self._index, self._index + 1
        line = line_of(element)
        place = Place(self._path(kind), line)
        found = problem(rule, place, kind=BODY_KINDS.get(kind, kind), element=named)
        head = self._head.timestamp if self._head else None
        self._out.append(Record(index, doi.strip(), head, kind, {}, line, (found,)))

    def _path(self, name: str) -> str:
        journal = f"/doi_batch/body/journal[{self._seen['journal'] or 1}]"
        match name:
            case "journal":
                return journal
            case "journal_article":
                return f"{journal}/journal_article[{self._seen[name] or 1}]"
            case "journal_metadata" | "journal_issue":
                return f"{journal}/{name}[1]"
            case "journal_volume":
                return f"{journal}/journal_issue[1]/journal_volume[1]"
            case _:
                return f"/doi_batch/body/{name}[{self._seen[name] or 1}]"


def _let_go(element: Element) -> None:
    """Free an element's content and what stood before it; parents stay open."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


class Checker:
    """The first pass: is the file readable as a whole? Feed it all, then ask for the outline."""

    def __init__(self, *, schemas: Schemas = NO_SCHEMAS) -> None:
        self._reader = DepositReader(schemas=schemas, mapping=False)
        self._head: Head | None = None
        self._records = 0

    def feed(self, data: bytes) -> None:
        """Take bytes; raises Unreadable as soon as the file is known to be unreadable."""
        self._count(self._reader.feed(data))

    def close(self) -> Outline:
        """End the file and return its outline; raises Unreadable."""
        self._count(self._reader.close())
        assert self._head is not None  # close() has refused a file without one
        return Outline(self._head, self._records, self._reader.schema)

    def _count(self, found: list[Head | Record]) -> None:
        for item in found:
            if isinstance(item, Head):
                self._head = item
            else:
                self._records += 1


def read_deposit(chunks: Iterable[bytes], *, schemas: Schemas = NO_SCHEMAS) -> Deposit:
    """Read a small deposit in one pass and one go; raises Unreadable, then nothing was read."""
    reader = DepositReader(schemas=schemas)
    found: list[Head | Record] = []
    for chunk in chunks:
        found += reader.feed(chunk)
    found += reader.close()
    head = next(item for item in found if isinstance(item, Head))
    return Deposit(head, tuple(r for r in found if isinstance(r, Record)), reader.schema)
