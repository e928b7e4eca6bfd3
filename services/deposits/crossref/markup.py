"""Text out of elements: plain, with face markup kept, and JATS.

The work object mixes three habits, all seen on the 2026 wire:
titles are serialised XML (`Law &amp; Security`, `<i>Homo</i>`), names and the like are plain text
(`Policy & Management`), and fields of references are plain text in which markup elements still
show as tags. Whitespace inside a value is the depositor's and is kept; only the ends are trimmed,
of XML's four white-space characters and no others.
"""

import re
from collections.abc import Callable

from lxml import etree

from services.deposits.crossref.vocabulary import short_name

Element = etree._Element  # noqa: SLF001 - lxml exports its element class under no other name

SPACE = " \t\r\n"  # XML's, and no other: a no-break space is the depositor's
_BLANK = re.compile(r"[ \t\r\n]+")


def plain(element: Element) -> str:
    """Return the element's text without any markup, ends trimmed."""
    if len(element) == 0:
        return (element.text or "").strip(SPACE)
    return "".join(map(str, element.itertext(with_tail=False))).strip(SPACE)


def line_of(element: Element) -> int:
    """Return the line an element starts at, 0 when the parser does not know."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def collapsed(element: Element) -> str:
    """Return the element's plain text with inner whitespace collapsed (xs:token)."""
    return collapse(plain(element))


def collapse(text: str) -> str:
    """Return text with XML's white space collapsed, as xs:token has it."""
    return _BLANK.sub(" ", text).strip(SPACE)


def titled(element: Element) -> str:
    """Return the element's content as serialised XML: markup as tags, `&` and `<` escaped."""
    if len(element) == 0:
        return _escape(element.text or "").strip(SPACE)
    return _inner(element, _escape).strip(SPACE)


_TAG = re.compile(r"<[^<>]*>")


def bare(titled: str) -> str:
    """Return serialised XML (`titled`) as plain text: no tags, nothing escaped."""
    text = _TAG.sub("", titled)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def loose(element: Element) -> str:
    """Return plain text in which child elements are kept as tags (fields of references)."""
    if len(element) == 0:
        return (element.text or "").strip(SPACE)
    return _inner(element, str).strip(SPACE)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quote(text: str) -> str:
    escaped = _escape(text).replace('"', "&quot;")
    return escaped.replace("\n", "&#10;").replace("\t", "&#9;").replace("\r", "&#13;")


def _inner(element: Element, write: Callable[[str], str]) -> str:
    parts = [write(element.text or "")]
    for child in element:
        if isinstance(child.tag, str):  # neither a comment nor a processing instruction
            parts.append(_outer(child, write))
        parts.append(write(child.tail or ""))
    return "".join(parts)


def _outer(element: Element, write: Callable[[str], str]) -> str:
    """Return the element as XML with the customary prefixes; foreign ones are declared in place."""
    name = short_name(str(element.tag))
    declared: dict[str, str] = {}
    if name.startswith("?"):
        name = _foreign(element, str(element.tag), declared)
    elif name == "mml:math":
        declared["mml"] = etree.QName(element).namespace or ""
    attributes: list[str] = []
    for key, value in element.attrib.items():
        label = short_name(str(key))
        if label.startswith("?"):
            label = _foreign(element, str(key), declared)
        attributes.append(f' {label}="{_quote(str(value))}"')
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in declared.items())
    opened = f"<{name}{spaces}{''.join(attributes)}"
    inner = _inner(element, write)
    return f"{opened}>{inner}</{name}>" if inner else f"{opened} />"


def _foreign(element: Element, tag: str, declared: dict[str, str]) -> str:
    namespace, _, local = tag[1:].partition("}")
    prefix = next((p for p, uri in element.nsmap.items() if uri == namespace and p), None)
    if prefix is None:
        return local
    declared[prefix] = namespace
    return f"{prefix}:{local}"
