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

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace

from services.deposits.crossref.faults import Place, Unreadable, problem
from services.deposits.crossref.feeding import Feed
from services.deposits.crossref.kinds import BODIES
from services.deposits.crossref.markup import Element, line_of, plain
from services.deposits.crossref.schemas import NO_SCHEMAS, Schemas
from services.deposits.crossref.standing import Settings, Standing
from services.deposits.crossref.submission import Deposit, Depositor, Head, Outline, Record
from services.deposits.crossref.vocabulary import short_name

_MOST_UNKNOWN = 100  # unknown elements told of between two known ones


class DepositReader:
    """The second pass: bytes in, the head and then records out."""

    def __init__(self, *, schemas: Schemas = NO_SCHEMAS, mapping: bool = True) -> None:
        """Read; `mapping=False` counts records without reading them (the Checker's way)."""
        self._feed = Feed(schemas)
        self._mapping = mapping
        self._out: list[Head | Record] = []
        self._head: Head | None = None
        self._seen: Counter[str] = Counter()  # per body element, for element paths
        self._standing: Standing | None = None
        self._index = 0

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
        standing = self._standing
        if event == "start":
            if standing is None and name in BODIES and _above(element) == "body":
                self._open(name, element)
        elif standing is not None:
            self._read_part(standing, name, element)
        elif name == "head" and _above(element) == "doi_batch":
            self._read_head(element)
            self._feed.progress()
        elif name == "body" and _above(element) == "doi_batch":
            self._tell_unknown(element.iterchildren(reversed=True))
            _let_go(element)

    def _open(self, name: str, element: Element) -> None:
        self._tell_unknown(element.itersiblings(preceding=True))
        self._seen[name] += 1
        timestamp = self._head.timestamp if self._head else None
        settings = Settings(timestamp, self._mapping)
        self._standing = Standing(BODIES[name], element, number=self._seen[name], settings=settings)

    def _read_part(self, standing: Standing, name: str, element: Element) -> None:
        part = standing.part(element, name)
        ended = element is standing.element
        if part is not None:
            self._yield(standing.read(part, element))
        if ended:
            self._yield(standing.close())
            self._standing = None
        if part is not None or ended:
            _let_go(element)
            self._feed.progress()

    def _yield(self, made: Iterable[Record]) -> None:
        for record in made:
            self._out.append(replace(record, index=self._index))
            self._index += 1

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

    def _tell_unknown(self, backwards: Iterable[Element]) -> None:
        """Fail the children of body since the last known one, given from the last to the first."""
        strangers: deque[Element] = deque(maxlen=_MOST_UNKNOWN)  # the first, read backwards
        for child in backwards:
            if short_name(str(child.tag)) in BODIES:
                break
            strangers.append(child)
        timestamp = self._head.timestamp if self._head else None
        for child in reversed(strangers):
            name, line = short_name(str(child.tag)), line_of(child)
            found = problem("unknown-kind", Place(f"/doi_batch/body/{name}", line), element=name)
            self._yield([Record(0, "", timestamp, name, {}, line, (found,))])


def _above(element: Element) -> str:
    parent = element.getparent()
    return "" if parent is None else short_name(str(parent.tag))


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
