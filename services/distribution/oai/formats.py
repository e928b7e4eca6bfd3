"""The formats of records: how each is named, and how a work that one reader sees is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.citedby import CITED_BY, elements
from services.distribution.oai import dublin_core
from services.distribution.oai.walk import PAGE
from services.distribution.transform import unixref, unixsd

OUTLET: Final = "oai-pmh"
FEWER: Final = 20  # records a page, where each may be long
_CITED_BY_HEAD: Final = elements.HEAD.partition(b"?>\n")[2]


@dataclass(frozen=True, slots=True)
class Material:
    """What a record is made of.

    A work object as its reader may see it, in the wire's REST form; what its owner's prefix is
    called; and where a format asks for them, the works that cite it, as ``forward_link`` elements.
    """

    work: Mapping[str, Any]
    prefix_name: str | None
    links: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A metadata format; ``write`` makes the XML of a record's metadata.

    ``guarded``: it may hold references, and is not given while it is not known whose they are.
    ``outlet`` is the row of references.toml that decides what it shows, ``rows`` how many records
    a page has, ``cites`` whether it shows the works that cite one.
    """

    prefix: str
    schema: str
    namespace: str
    write: Callable[[Material], bytes]
    guarded: bool = True
    outlet: str = OUTLET
    rows: int = PAGE
    cites: bool = False


def _dublin_core(material: Material) -> bytes:
    return dublin_core.dublin_core(material.work)


def _unixml(material: Material) -> bytes:
    return unixref.unixref(material.work).encode()


def _unixsd(material: Material) -> bytes:
    return unixsd.unixsd(material.work, prefix_name=material.prefix_name).encode()


def _citedby(material: Material) -> bytes:
    return b"".join((_CITED_BY_HEAD, *material.links, elements.TAIL))


def _schema(location: str) -> str:
    """Return the address of the schema in a schemaLocation of one namespace."""
    return location.split()[1]


FORMATS: Final[Mapping[str, Format]] = {
    one.prefix: one
    for one in (
        Format("cr_unixsd", _schema(unixsd.LOCATION), unixsd.NAMESPACE, _unixsd),
        Format("cr_unixml", _schema(unixref.LOCATION), unixref.NAMESPACE, _unixml),
        Format(
            "cr_citedby",
            _schema(elements.LOCATION),
            elements.NS,
            _citedby,
            outlet=CITED_BY,
            rows=FEWER,
            cites=True,
        ),
        Format("oai_dc", dublin_core.SCHEMA, dublin_core.NAMESPACE, _dublin_core, guarded=False),
    )
}
