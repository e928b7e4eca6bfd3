"""The push parser under the reader: what hostile or broken XML becomes, and how memory is bounded.

The parser resolves no entities, loads no DTD, opens no network, and keeps libxml2's own limits
(depth 256, text 10 MB). DOCTYPEs are refused at the root element, before any content is read:
until then the file is fed in small slices, so that nothing declared can take effect.

What is not yet let go of is weighed as it comes: its bytes, and what the tree adds to them for each
element and attribute, which in a file made to do harm is thirty times as much.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from services.deposits.crossref.faults import Place, Unreadable
from services.deposits.crossref.kinds import BODIES
from services.deposits.crossref.markup import Element, line_of
from services.deposits.crossref.schemas import Schemas
from services.deposits.crossref.vocabulary import short_name, supported_version

LARGEST_PART = 16_000_000  # bytes not let go of; the store's document limit
HEAVIEST_PART = 64_000_000  # bytes of memory not let go of; a record of 6 MB weighs about 55
_ELEMENT, _ATTRIBUTE = 120, 200  # bytes that libxml2 adds for what begins with `<` and for each `=`
_SLICE = 1024  # bytes fed at a time until the root is known, and while a schema is applied
_LARGEST_PROLOG = 65_536  # bytes before the root element: comments and instructions
_PIECE = 65_536  # bytes fed at a time otherwise, so that large parts are noticed early

_TAGS = [
    f"{{*}}{name}"
    for name in dict.fromkeys(
        (
            *("head", "body", *BODIES),
            *(step for body in BODIES.values() for part in body.parts for step in part.path),
        )
    )
]
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_WIDE = re.compile(
    rb"<\?xml[^>]{,99}encoding=[\"'](UTF-?(?:16|32)[LB]?E?|UCS-?[24])", re.IGNORECASE
)
_PERSONAL = ("depositor_name", "email_address", "name", "registrant")


class Feed:
    """Bytes in, structural events out; raises Unreadable and nothing else."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._parser: Any = None  # an XMLPullParser; its stubs do not know `tag`
        self._sniffer = etree.XMLPullParser(events=("start",), **_SAFE)
        self._prolog = bytearray()
        self._line = 1  # of the first byte not yet fed
        self._held = self._weight = 0  # bytes fed and not let go of, and what they weigh as a tree
        self._before = [(0, 0)]  # both, where each open element began
        self._any = False
        self.version = ""
        self.schema: str | None = None

    def feed(self, data: bytes) -> Iterator[tuple[str, Element]]:
        """Feed bytes and yield the events they complete."""
        self._any = self._any or bool(data)
        if self._parser is None:
            data = self._find_root(data)
        if self._parser is not None and data:
            yield from self._pieces(data)

    def close(self) -> Iterator[tuple[str, Element]]:
        """End the file; an unfinished one is refused."""
        parser = self._parser
        if parser is None:
            if not self._any:
                raise Unreadable("content-in-prolog", Place("/", 1))
            self._finish(self._sniffer)
            raise Unreadable("unsupported-schema", Place("/", 1))
        self._finish(parser)
        yield from parser.read_events()

    def progress(self) -> None:
        """Note that the element that ended was let go of, with what stood before it beside it."""
        self._held, self._weight = self._before[-1]

    # -- the prolog --------------------------------------------------------------------------

    def _find_root(self, data: bytes) -> bytes:
        """Sniff the root element slice by slice; return the bytes after the prolog seen."""
        for at in range(0, len(data), _SLICE):
            piece = data[at : at + _SLICE]
            self._prolog += piece
            self._sniff(piece)
            for _, root in self._sniffer.read_events():
                self._accept(root)
                return bytes(self._prolog) + data[at + _SLICE :]
            if len(self._prolog) > _LARGEST_PROLOG:
                raise Unreadable("too-large", Place("/", 1), limit=_LARGEST_PROLOG / 1e6)
        return b""

    def _sniff(self, piece: bytes) -> None:
        try:
            self._push(self._sniffer, piece)
        except Unreadable as fault:
            said = _WIDE.match(self._prolog)
            if said is None or fault.rule != "malformed":
                raise
            # The parser goes by what the declaration says and then finds nonsense.
            shown = f"The file says {said[1].decode()} and is something else"
            raise Unreadable("encoding", fault.place, line=1, column=1, detail=shown) from None

    def _accept(self, root: Any) -> None:
        """Refuse a DOCTYPE and an unsupported root, choose the schema, start the real parser."""
        information = root.getroottree().docinfo
        if information.internalDTD is not None or information.doctype:
            raise Unreadable("doctype", Place("/", 1), line=1)
        name = etree.QName(root)
        version = supported_version(name.namespace or "")
        if name.localname != "doi_batch" or version is None:
            place = Place(f"/{short_name(str(root.tag)).lstrip('?')}", line_of(root))
            raise Unreadable("unsupported-schema", place)
        self.version = version
        found = self._schemas.find(name.namespace or "")
        self.schema = found.name if found else None
        schema = found.compiled() if found else None
        self._parser = etree.XMLPullParser(
            events=("start", "end"), tag=_TAGS, schema=schema, **_SAFE
        )

    # -- the content -------------------------------------------------------------------------

    def _pieces(self, data: bytes) -> Iterator[tuple[str, Element]]:
        parser = self._parser
        for piece in _cut(data, _SLICE if self.schema else _PIECE):
            self._push(parser, piece)
            self._line += piece.count(b"\n")
            self._held += len(piece)
            self._weight += _weight(piece)
            for event, element in parser.read_events():
                if event == "start":
                    self._before.append((self._held, self._weight))
                else:
                    self._before.pop()
                yield event, element
            if self._held > LARGEST_PART or self._weight > HEAVIEST_PART:
                place = Place("/doi_batch", self._line)
                raise Unreadable("too-large", place, limit=LARGEST_PART // 1_000_000)

    def _push(self, parser: Any, piece: bytes) -> None:
        """Feed a piece; what the parser refuses, or only notes in its log, becomes Unreadable."""
        try:
            parser.feed(piece)
        except etree.XMLSyntaxError as error:
            noted = _first_error(parser)
            raise _unreadable(noted or error) from None
        noted = _first_error(parser)
        if noted is not None and noted.domain == etree.ErrorDomains.SCHEMASV:
            raise self._invalid(noted.message, piece)
        if noted is not None:
            raise _unreadable(noted)

    def _finish(self, parser: Any) -> None:
        """Close the parser; whatever it misses only now is missing because the file ends here."""
        try:
            parser.close()
        except etree.XMLSyntaxError as error:
            found = _unreadable(error)
            if found.rule == "malformed":
                line, column = (error.position or (0, 0))[:2]
                raise Unreadable("truncated", found.place, line=line, column=column) from None
            raise found from None

    def _invalid(self, message: str, piece: bytes) -> Unreadable:
        """Return the refusal of a schema fault found while a piece was fed.

        The streaming validator knows no lines; the fault lies in this piece, at the first tag of
        the element it names, or else at the piece's beginning.
        """
        named = re.search(r"Element '(?:\{[^}]*\})?([^']+)'", message)
        local = named[1] if named else ""
        tag = re.search(rb"</?(?:[\w.-]+:)?" + re.escape(local.encode()) + rb"[\s/>]", piece)
        line = self._line + (piece[: tag.start()].count(b"\n") if tag else 0)
        shown = re.sub(r"\{[^}]*\}", "", message).strip()
        if local in _PERSONAL:  # the message may quote the value
            shown = f"Element '{local}': the value does not have the form the schema demands."
        return Unreadable("schema-invalid", Place(f"//{local}", line), detail=shown)


def _weight(piece: bytes) -> int:
    """Return about what a piece takes as a tree, in bytes; in UTF-16 too."""
    return len(piece) + _ELEMENT * piece.count(b"<") + _ATTRIBUTE * piece.count(b"=")


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces of about a size, after a line's end where there is one near."""
    at = 0
    while at < len(data):
        end = min(at + size, len(data))
        line_end = data.find(b"\n", end, end + size)
        end = line_end + 1 if line_end >= 0 else end
        yield data[at:end]
        at = end


_TYPES = etree.ErrorTypes
_RULES: dict[int, str] = {
    _TYPES.ERR_DOCUMENT_EMPTY: "content-in-prolog",
    _TYPES.ERR_DOCUMENT_START: "content-in-prolog",
    _TYPES.ERR_INVALID_CHAR: "forbidden-character",
    _TYPES.ERR_INVALID_CHARREF: "forbidden-character",
    _TYPES.ERR_UNKNOWN_ENCODING: "encoding",
    _TYPES.ERR_UNSUPPORTED_ENCODING: "encoding",
    _TYPES.ERR_INVALID_ENCODING: "encoding",
    _TYPES.ERR_ENCODING_NAME: "encoding",
    _TYPES.ERR_MISSING_ENCODING: "encoding",
    _TYPES.I18N_CONV_FAILED: "encoding",
    _TYPES.ERR_UNDECLARED_ENTITY: "entity",
    _TYPES.WAR_UNDECLARED_ENTITY: "entity",
    _TYPES.ERR_ENTITY_LOOP: "entity",
}


def _first_error(parser: Any) -> Any:
    """Return the first entry of a parser's log that is no mere warning, or None."""
    return next((e for e in parser.feed_error_log if e.level > etree.ErrorLevels.WARNING), None)


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|'[^']*$|\"[^\"]*$")
_LONGEST_NAME = 64
_LONGEST_DETAIL = 200


def _discreet(message: str) -> str:
    """Return a parser's message without what it quotes of the file, names of elements apart."""

    def named(found: re.Match[str]) -> str:
        quoted = found[0].strip("'\"")
        return found[0] if _NAME.fullmatch(quoted) else "..."

    return _QUOTED.sub(named, message)[:_LONGEST_DETAIL]


_NAME = re.compile(rf"[\w:.-]{{1,{_LONGEST_NAME}}}|.{{1,3}}")  # or a mark, such as '>'


def _unreadable(error: Any) -> Unreadable:
    """Return the refusal of a syntax error, or of an entry of a parser's log."""
    if isinstance(error, etree.XMLSyntaxError):
        code, message = getattr(error, "code", 0), error.msg or ""
        line, column = (error.position or (0, 0))[:2]
    else:
        code, message, line, column = error.type, error.message, error.line, error.column
    shown = _discreet(re.sub(r", line \d+, column \d+.*$", "", " ".join(message.split())))
    place = Place("/", line)
    if "depth" in shown.lower() and "256" in shown:
        return Unreadable("too-deep", place, limit=256)
    if "amplification" in shown.lower():
        return Unreadable("entity", place, line=line, column=column, detail="it grows too large")
    if "huge" in shown.lower() or "too long" in shown.lower():
        return Unreadable("too-large", place, limit=10)
    rule = _RULES.get(code, "malformed")
    return Unreadable(rule, place, line=line, column=column, detail=shown)
