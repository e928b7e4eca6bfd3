"""Elements as text: an element without content is absent, and text is escaped once.

A record is written in the spelling of a deposit schema, or as the registry gives it out again
(`REGISTERED`). Only a deposit has stand-ins: what its schema wants and the record does not say.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

Work = dict[str, Any]

PLAIN_SCHEMA: Final = "5.3.1"
RICH_SCHEMA: Final = "5.5.0"
REGISTERED: Final = "unixref"

_PREFIXES: Final = {
    "jats": "http://www.ncbi.nlm.nih.gov/JATS1",
    "fr": "http://www.crossref.org/fundref.xsd",
    "ai": "http://www.crossref.org/AccessIndicators.xsd",
    "ct": "http://www.crossref.org/clinicaltrials.xsd",
    "rel": "http://www.crossref.org/relations.xsd",
    "mml": "http://www.w3.org/1998/Math/MathML",
}
_DECLARED: Final = {prefix: f' xmlns:{prefix}="{name}"' for prefix, name in _PREFIXES.items()}
NAMESPACES: Final = "".join(_DECLARED.values())
"""The namespaces that elements are written with, as attributes of whatever holds them."""

_UNSAFE: Final = re.compile(r'[&<>"\t\n\r]')
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def namespaces_of(xml: str) -> str:
    """Return those of `NAMESPACES` that something written with them may need."""
    return "".join(said for prefix, said in _DECLARED.items() if f"{prefix}:" in xml)


def writable(said: str) -> str:
    """Return a text without the characters that XML 1.0 has no way to write."""
    return _NO_XML.sub("", said)


def markup(said: str) -> str:
    """Return what may be XML already, such as a title with faces; what is none is text."""
    said = writable(said)
    if "<" not in said and ">" not in said and "&" not in said:
        return said
    try:
        etree.fromstring(f"<said{NAMESPACES}>{said}</said>".encode())
    except etree.XMLSyntaxError:
        return escape(said)
    return said


def stand_in(version: str, written: str) -> str:
    """Return what a deposit says where its schema wants something; the registry makes up none."""
    return "" if version == REGISTERED else written


def escaped(said: str) -> str:
    """Return a text as XML; few hold anything that must be escaped, and a harvest has millions."""
    return escape(said) if "&" in said or "<" in said or ">" in said else said


def quoted(value: str) -> str:
    """Return a value of an attribute with its quotes."""
    return quoteattr(value) if _UNSAFE.search(value) else f'"{value}"'


@cache
def _attribute(key: str) -> str:
    """Return the name that an argument stands for."""
    return key.replace("__", ":").replace("_DASH_", "-")


def element(name: str, /, *children: str, **attributes: str | None) -> str:
    """Return an element around content that is XML already; absent without content."""
    content = "".join(children)
    if not content:
        return ""
    if not attributes:  # most elements of a long list of references
        return f"<{name}>{content}</{name}>"
    said = "".join(
        f" {_attribute(key)}={quoted(value)}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{said}>{content}</{name}>"


def text(name: str, value: object, /, **attributes: str | None) -> str:
    """Return an element around text; absent for None."""
    if value is None:
        return ""
    said = escaped(str(value))
    if attributes:
        return element(name, said, **attributes)
    return f"<{name}>{said}</{name}>" if said else ""  # most elements


def many(values: Iterable[Any], write: Callable[[Any], str]) -> str:
    """Write each value and join the results."""
    return "".join(write(value) for value in values)


def date(name: str, partial: Work | None, /, **attributes: str) -> str:
    """Return a date element of a partial date; absent for None and for an unknown one."""
    if partial is None:
        return ""
    year, month, day = (*partial["date-parts"][0], None, None, None)[:3]
    if year is None:
        return ""
    written = (
        text("month", None if month is None else f"{month:02d}")
        + text("day", None if day is None else f"{day:02d}")
        + text("year", year)
    )
    return element(name, written, **attributes)
