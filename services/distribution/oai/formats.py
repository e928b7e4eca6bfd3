"""The formats of records: how each is named, and how a work that one reader sees is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from services.distribution.oai import dublin_core
from services.distribution.transform import unixref, unixsd

OUTLET: Final = "oai-pmh"


@dataclass(frozen=True, slots=True)
class Material:
    """What a record is made of.

    A work object as its reader may see it, in the wire's REST form, and what its owner's prefix is
    called.
    """

    work: Mapping[str, Any]
    prefix_name: str | None


@dataclass(frozen=True, slots=True)
class Format:
    """A metadata format; ``write`` makes the XML of a record's metadata.

    ``guarded``: it may hold references, and is not given while it is not known whose they are.
    """

    prefix: str
    schema: str
    namespace: str
    write: Callable[[Material], bytes]
    guarded: bool = True


def _dublin_core(material: Material) -> bytes:
    return dublin_core.dublin_core(material.work)


def _unixml(material: Material) -> bytes:
    return etree.tostring(unixref.unixref(material.work))


def _unixsd(material: Material) -> bytes:
    return etree.tostring(unixsd.unixsd(material.work, prefix_name=material.prefix_name))


def _schema(location: str) -> str:
    """Return the address of the schema in a schemaLocation of one namespace."""
    return location.split()[1]


FORMATS: Final[Mapping[str, Format]] = {
    one.prefix: one
    for one in (
        Format("cr_unixsd", _schema(unixsd.LOCATION), unixsd.NAMESPACE, _unixsd),
        Format("cr_unixml", _schema(unixref.LOCATION), unixref.NAMESPACE, _unixml),
        Format("oai_dc", dublin_core.SCHEMA, dublin_core.NAMESPACE, _dublin_core, guarded=False),
    )
}
