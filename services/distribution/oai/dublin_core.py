"""A work object as unqualified Dublin Core, the format that every harvester knows. Pure.

Made of what was rendered for this reader. References are not in it, whoever asks.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import unescape
from typing import Any, Final
from xml.sax.saxutils import escape

NAMESPACE: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA: Final = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
_HEAD: Final = (
    f'<oai_dc:dc xmlns:oai_dc="{NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{NAMESPACE} {SCHEMA}">'
)
_MARKUP: Final = re.compile(r"<[^>]*>")
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Work = Mapping[str, Any]


def dublin_core(work: Work) -> bytes:
    """Return ``oai_dc:dc`` of a work object, as the wire's REST shows works."""
    said = "".join(
        f"<dc:{name}>{escape(text)}</dc:{name}>"
        for name, values in ELEMENTS
        for value in dict.fromkeys(values(work))
        if (text := _plain(value))
    )
    return f"{_HEAD}{said}</oai_dc:dc>".encode()


def _plain(value: str) -> str:
    """Return a text without markup and without what XML cannot hold, in single spaces."""
    return _NO_XML.sub("", " ".join(unescape(_MARKUP.sub(" ", value)).split()))


def _strings(name: str) -> Callable[[Work], Iterable[str]]:
    return lambda work: [one for one in _list(work, name) if isinstance(one, str)]


def _list(work: Work, name: str) -> list[Any]:
    found = work.get(name)
    if isinstance(found, str):
        return [found]
    return found if isinstance(found, list) else []


def _people(*roles: str) -> Callable[[Work], Iterable[str]]:
    return lambda work: [_name(one) for role in roles for one in _list(work, role)]


def _name(person: Work) -> str:
    if "family" in person:
        parts = (person["family"], person.get("given"), person.get("suffix"))
        return ", ".join(part for part in parts if part)
    return str(person.get("name", person.get("given", "")))


def _titles(work: Work) -> Iterator[str]:
    main, below = _list(work, "title"), _list(work, "subtitle")
    yield from main or below
    yield from below if main else ()


def _dates(work: Work) -> Iterator[str]:
    parts = (work.get("published") or work.get("issued") or {}).get("date-parts") or [[]]
    known = [part for part in parts[0] if part is not None]
    if known:
        yield "-".join(f"{part:02}" if place else f"{part:04}" for place, part in enumerate(known))


def _identifiers(work: Work) -> Iterator[str]:
    yield work["URL"]
    yield f"info:doi/{work['DOI']}"
    yield from (f"urn:isbn:{isbn.rpartition('/')[2]}" for isbn in _strings("ISBN")(work))


def _sources(work: Work) -> Iterator[str]:
    yield from _strings("container-title")(work)
    yield from (f"urn:issn:{issn}" for issn in _strings("ISSN")(work))


def _rights(work: Work) -> Iterator[str]:
    yield from (one["URL"] for one in _list(work, "license") if one.get("URL"))


ELEMENTS: Final[tuple[tuple[str, Callable[[Work], Iterable[str]]], ...]] = (
    ("title", _titles),
    ("creator", _people("author")),
    ("subject", _strings("subject")),
    ("description", _strings("abstract")),
    ("publisher", _strings("publisher")),
    ("contributor", _people("editor", "translator", "chair", "contributor")),
    ("date", _dates),
    ("type", _strings("type")),
    ("identifier", _identifiers),
    ("source", _sources),
    ("language", _strings("language")),
    ("rights", _rights),
)
"""Element -> its values in a work object; those without one are left out."""
