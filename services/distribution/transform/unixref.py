"""A work as UNIXREF: the record as it was deposited, from its work object. Pure.

Made from what was rendered for this reader, after the gate was asked: what is not in the work
object cannot be in the XML (L3).
"""

from collections.abc import Mapping
from typing import Any, Final

from services.distribution.transform.records import written
from services.distribution.transform.records.elements import namespaces_of, quoted, writable

NAMESPACE: Final = "http://www.crossref.org/xschema/1.1"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
LOCATION: Final = f"{NAMESPACE} http://doi.crossref.org/schemas/unixref1.1.xsd"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def doi_records(work: Mapping[str, Any]) -> str:
    """Return ``doi_records`` around the record, as content negotiation gives UNIXREF.

    With its owner's prefix and when it was deposited last; its elements are in no namespace.
    """
    record = writable(written(dict(work)))
    at = str((work.get("deposited") or {}).get("date-time", ""))
    said = {"owner": work.get("prefix"), "timestamp": at.replace("T", " ").removesuffix("Z")}
    shown = "".join(f" {name}={quoted(text)}" for name, text in said.items() if text)
    return (
        f"<doi_records><doi_record{shown}><crossref{namespaces_of(record)}>{record}</crossref>"
        "</doi_record></doi_records>"
    )


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
