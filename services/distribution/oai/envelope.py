"""The XML around answers (OAI-PMH 3.2), written as bytes: records are put in as they are. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from services.distribution.oai.faults import Fault
from services.distribution.oai.identifiers import identifier_of
from services.distribution.oai.sets import Set

NAMESPACE: Final = "http://www.openarchives.org/OAI/2.0/"
CONTENT_TYPE: Final = "text/xml; charset=UTF-8"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{NAMESPACE} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">'
)
_RIGHTS: Final = (
    '<rights xmlns="http://www.openarchives.org/OAI/2.0/rights/"'
    ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/rights/'
    ' http://www.openarchives.org/OAI/2.0/rights.xsd">'
)


@dataclass(frozen=True, slots=True)
class Header:
    """What is said of every record, whatever its format."""

    doi: str
    datestamp: str
    sets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a list goes on; ``token`` is empty on the last page of a list of several."""

    token: str
    given: int
    total: int


@dataclass(frozen=True, slots=True)
class Edge:
    """What every answer repeats: when it was given, by whom, and what was asked."""

    date: str
    base_url: str
    verb: str | None = None
    said: Mapping[str, str] | None = None


def answer(edge: Edge, verb: str, content: Iterable[bytes]) -> bytes:
    """Return the answer to a verb."""
    inside = b"".join(content)
    named = verb.encode()
    return b"".join((_head(edge), b"<", named, b">", inside, b"</", named, b"></OAI-PMH>\n"))


def refusal(edge: Edge, fault: Fault) -> bytes:
    """Return the answer to a question that was not understood, or has no answer."""
    error = f'<error code="{fault.code}">{escape(fault.says)}</error></OAI-PMH>\n'
    return _head(edge) + error.encode()


def _head(edge: Edge) -> bytes:
    said = {} if edge.verb is None else {"verb": edge.verb, **(edge.said or {})}
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in said.items())
    return (
        f"{_HEAD}<responseDate>{edge.date}</responseDate>"
        f"<request{attributes}>{escape(edge.base_url)}</request>"
    ).encode()


def header(one: Header) -> bytes:
    """Return a record's header."""
    sets = "".join(element("setSpec", spec) for spec in one.sets)
    identifier = element("identifier", identifier_of(one.doi))
    datestamp = element("datestamp", one.datestamp)
    return f"<header>{identifier}{datestamp}{sets}</header>".encode()


def record(head: Header, metadata: bytes, rights: Iterable[str] = ()) -> bytes:
    """Return a record: its header, its metadata as XML that names its own namespace, its rights.

    ``rights`` are addresses of terms that bind whoever gets it (CRP-12c).
    """
    about = "".join(
        f"<about>{_RIGHTS}{element('rightsReference', url)}</rights></about>" for url in rights
    )
    parts = (b"<metadata>", metadata, b"</metadata>", about.encode())
    return b"".join((b"<record>", header(head), *parts, b"</record>"))


def set_(one: Set) -> bytes:
    """Return a set as ListSets shows it."""
    return f"<set>{element('setSpec', one.spec)}{element('setName', one.name)}</set>".encode()


def format_(prefix: str, schema: str, namespace: str) -> bytes:
    """Return a format as ListMetadataFormats shows it."""
    said = (("metadataPrefix", prefix), ("schema", schema), ("metadataNamespace", namespace))
    inside = "".join(element(name, text) for name, text in said)
    return f"<metadataFormat>{inside}</metadataFormat>".encode()


def resumption(one: Resumption | None) -> bytes:
    """Return what follows a page; nothing where the list was whole in one answer."""
    if one is None:
        return b""
    return (
        f'<resumptionToken completeListSize="{one.total}" cursor="{one.given}">'
        f"{one.token}</resumptionToken>"
    ).encode()


def element(name: str, text: str) -> str:
    """Return an element around text."""
    return f"<{name}>{escape(text)}</{name}>"
