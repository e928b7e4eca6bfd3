"""A work as UNIXREF: the record as it was deposited, from its work object. Pure.

Made from what was rendered for this reader, after the gate was asked: what is not in the work
object cannot be in the XML (L3).
"""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.transform.records import written
from services.distribution.transform.records.elements import namespaces_of, writable

NAMESPACE: Final = "http://www.crossref.org/xschema/1.1"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
LOCATION: Final = f"{NAMESPACE} http://doi.crossref.org/schemas/unixref1.1.xsd"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def unixref(work: Mapping[str, Any]) -> str:
    """Return ``crossref`` around the record of a work object, as the wire's REST shows works.

    A reference whose DOI the registry matched has ``<doi provider="crossref">``; one that its
    publisher gave names no provider (crossref.md 1.11). Characters that XML cannot hold are
    left out. It is text, and read nowhere on its way to a reader: harvests have millions of them.
    """
    record = writable(written(dict(work)))
    return (
        f'<crossref xmlns="{NAMESPACE}"{namespaces_of(record)} xmlns:xsi="{XSI}"'
        f' xsi:schemaLocation="{LOCATION}">{record}</crossref>'
    )
