"""The formats of records: how each is named, and how a work that one reader sees is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.oai import dublin_core
from services.distribution.oai.dublin_core import dublin_core as write_dublin_core

OUTLET: Final = "oai-pmh"

Work = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A metadata format.

    ``write`` turns a work object, as the wire's REST shows works and as this reader may see it,
    into XML. ``guarded``: it may hold references, and is not given while it is not known whose
    they are.
    """

    prefix: str
    schema: str
    namespace: str
    write: Callable[[Work], bytes]
    guarded: bool = True


FORMATS: Final[Mapping[str, Format]] = {
    one.prefix: one
    for one in (
        Format(
            "oai_dc",
            dublin_core.SCHEMA,
            dublin_core.NAMESPACE,
            write_dublin_core,
            guarded=False,
        ),
    )
}
