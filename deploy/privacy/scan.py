"""The leak scan: clear values of people, looked for wherever bytes lie or come out.

A scan is only as good as its eyes, so it carries controls: values that were planted in clear, one
in each kind of place, each of which it must find there. It is clean where it found every control,
no other value, nothing that it could not read, and looked into every kind of place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, Literal, get_args

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.privacy.needles import Needles
from shared.kafka.segments import records, segments

Kind = Literal["record", "document", "file", "log", "metrics", "mail", "answer"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# A broker's indexes hold numbers alone, and are kept as long as ten megabytes of nothing.
NUMBERS: Final = frozenset({".index", ".timeindex", ".txnindex"})
OVERLAP: Final = 2**16  # bytes that two pieces of a file share, more than any value is long
PIECE: Final = 2**24


@dataclass(frozen=True, slots=True)
class Finding:
    """A value in clear: which, where, written how; never the value."""

    kind: Kind
    place: str
    value: str
    encoding: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.kind} {self.place}: {self.value}, {self.encoding}"


@dataclass(slots=True)
class Looked:
    """How much of one kind was looked at."""

    places: int = 0
    size: int = 0  # bytes


@dataclass(slots=True)
class Scan:
    """A search for values by their names; ``controls`` say in which kind of place each was put."""

    values: Mapping[str, str] = field(repr=False)
    controls: Mapping[str, Kind] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    looked: dict[Kind, Looked] = field(default_factory=dict)
    _needles: Needles = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the needles."""
        self._needles = Needles(self.values)

    # -- places ----------------------------------------------------------------------------------

    def look(
        self, kind: Kind, place: str, data: bytes, *, allowed: Iterable[str] = ()
    ) -> list[Finding]:
        """Look into bytes; ``allowed`` are values that may stand there, such as a mail's own."""
        looked = self.looked.setdefault(kind, Looked())
        looked.places += 1
        looked.size += len(data)
        hits = self._needles.found(data)
        found = [
            Finding(kind, place, hit.value, hit.encoding)
            for hit in sorted(hits, key=lambda one: (one.value, one.encoding))
            if hit.value not in set(allowed)
        ]
        self.findings += found
        return found

    def broker(self, folder: Path) -> None:
        """Look into a broker's log folder: every record decoded, and every file as it lies."""
        for topic, path in segments(folder):
            try:
                for record in records(path.read_bytes()):
                    self.look("record", f"{topic}@{record.offset}", record.data)
            except ValueError as fault:
                self.unread.append(f"{topic}/{path.name}: {fault}")
        self.files(folder)

    def store(self, url: str, *, prefix: str = "") -> None:
        """Look into every document of every database whose name begins so, and into indexes."""
        raw: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
        with MongoClient[dict[str, Any]](url) as client:
            for name in client.list_database_names():
                if not name.startswith(prefix):
                    continue
                database = client[name]
                for collection in database.list_collection_names():
                    place = f"{name}.{collection}"
                    self.look("document", place, place.encode())
                    indexes = str(database[collection].index_information())
                    self.look("document", f"{place} indexes", indexes.encode())
                    for document in database[collection].with_options(raw).find():
                        self.look("document", place, bytes(document.raw))

    def files(self, folder: Path, kind: Kind = "file") -> None:
        """Look into every file below a folder, byte by byte."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in NUMBERS:
                place = str(path.relative_to(folder))
                self.look(kind, place, place.encode())
                for piece in _pieces(path):
                    self.look(kind, place, piece)

    def mail(self, message: EmailMessage, *, allowed: Iterable[str] = ()) -> None:
        """Look into a mail as it travelled and as it is read; its own reader's values may stand."""
        own, place = set(allowed), f"mail {message['Message-ID']}"
        self.look("mail", place, message.as_bytes(), allowed=own)
        for part in message.walk():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                self.look("mail", place, payload, allowed=own)

    # -- what came of it -------------------------------------------------------------------------

    @property
    def leaks(self) -> list[Finding]:
        """What was found; a control is no leak, wherever else its bytes lie."""
        return [one for one in self.findings if one.value not in self.controls]

    @property
    def blind(self) -> list[str]:
        """Controls not found where they were put, and kinds of places without control or look."""
        seen = {(one.value, one.kind) for one in self.findings}
        return [
            *(
                f"the control {name} was not found in a {kind}"
                for name, kind in self.controls.items()
                if (name, kind) not in seen
            ),
            *(
                f"no control was put into a {kind}"
                for kind in KINDS
                if kind not in self.controls.values()
            ),
            *(f"no {kind} was looked into" for kind in KINDS if kind not in self.looked),
        ]

    @property
    def clean(self) -> bool:
        """Whether it saw, and saw nothing."""
        return not (self.leaks or self.blind or self.unread)

    def told(self) -> Iterator[str]:
        """Give the lines of a report; none of them holds a value."""
        for kind, looked in self.looked.items():
            yield f"{kind}: {looked.places:,} places, {looked.size:,} bytes"
        yield from (f"LEAK {one}" for one in self.leaks)
        yield from (f"BLIND {one}" for one in self.blind)
        yield from (f"UNREAD {one}" for one in self.unread)


def _pieces(path: Path) -> Iterator[bytes]:
    """Give a file in pieces that overlap, so that no value is cut."""
    with path.open("rb") as file:
        before = b""
        while piece := file.read(PIECE):
            yield before + piece
            before = piece[-OVERLAP:]
