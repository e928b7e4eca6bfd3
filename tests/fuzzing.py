"""Deposits mutated by hand of a generator: as trees, where elements go astray, and as bytes.

A mutation is a list of steps; each is an operation, two numbers that say where, and a text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from services.deposits.crossref.kinds import BODIES as KINDS
from tests.unit.deposits import crossref_kinds as examples
from tests.unit.deposits.crossref_examples import article, batch, journal, posted

_PERSON = examples.person("author", "Noether")
SEEDS: Final[tuple[bytes, ...]] = (
    *(batch(body) for body in examples.BODIES.values()),
    batch("".join(examples.BODIES.values()), version="4.4.2"),
    batch(journal(article(_PERSON + examples.citations("a", "b", "a")) * 2)),
    batch(posted(_PERSON, attributes=' type="preprint"')),
    batch(
        "<doi_citations><doi>10.5555/a1</doi>" + examples.citations("c") + "</doi_citations>"
    ).replace(b"/schema/", b"/doi_resources_schema/"),
)
TEXTS: Final[tuple[str, ...]] = (
    "",
    " ",
    "0",
    "-1",
    "99999999999999999999999999999999999",
    "1e400",
    "0000",
    "13",
    "31",
    "2026",
    "٣",
    "²",
    "NaN",
    "10.5555/x",
    "10.5555/",
    "10.",
    "https://doi.org/10.5555/x",
    "10.5555/a b\n\t",
    "https://orcid.org/0000-0002-1825-0097",
    "0000-0002-1825-009X",
    "https://example.org/%zz?[",
    "http://[::1",
    "http://a:99999999/",
    "javascript:x",
    "2049-3630",
    "97831614841",
    "\u200f\u202e\ufeff",
    "\U0001f984" * 40,
    "x" * 5_000,
    "a\u0301" * 50,
    "<i>no</i>",
    "]]>",
    "{0} {name!r} %s",
)
NAMES: Final[tuple[str, ...]] = (
    *KINDS,
    *("head", "body", "doi_batch", "doi_data", "doi", "resource", "timestamp", "title", "titles"),
    *("citation", "citation_list", "person_name", "surname", "year", "month", "day", "issn"),
    *("component_list", "component", "content_item", "program", "assertion", "abstract", "b"),
    *("publication_date", "journal_metadata", "journal_issue", "journal_article", "volume"),
    *("series_metadata", "book_metadata", "doi_batch_id", "institution", "collection", "item"),
)
SPACES: Final[tuple[str, ...]] = (
    "",
    "http://www.crossref.org/schema/5.3.1",
    "http://www.crossref.org/fundref.xsd",
    "http://www.crossref.org/relations.xsd",
    "http://www.crossref.org/AccessIndicators.xsd",
    "http://www.ncbi.nlm.nih.gov/JATS1",
    "http://www.w3.org/1998/Math/MathML",
    "urn:other",
)
ATTRIBUTES: Final[tuple[str, ...]] = (
    *("key", "type", "language", "media_type", "name", "sequence", "contributor_role"),
    *("parent_relation", "parent_doi", "relationship-type", "identifier-type", "start_year"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change."""

    how: str
    where: int
    other: int
    text: str


def mutated(seed: bytes, steps: list[Step]) -> bytes:
    """Return a seed with changes made in order: those of the tree first, then those of bytes."""
    root = etree.fromstring(seed)
    for step in steps:
        if step.how in TREE:
            TREE[step.how](root, step)
    content = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    for step in steps:
        if step.how in BYTES:
            content = BYTES[step.how](content, step)
    return content


def _at(root: Any, number: int) -> Any:
    found = list(root.iter("*"))
    return found[number % len(found)]


def _delete(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    if here.getparent() is not None:
        here.getparent().remove(here)


def _double(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    if here.getparent() is not None and len(here) < 200:
        here.addnext(_copied(here))


def _move(root: Any, step: Step) -> None:
    here, there = _at(root, step.where), _at(root, step.other)
    if len(list(here.iter())) < 300:
        there.append(_copied(here))


def _wrap(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    parent = here.getparent()
    if parent is not None:
        outer = etree.Element(_name(step))
        parent.replace(here, outer)
        outer.append(here)


def _rename(root: Any, step: Step) -> None:
    _at(root, step.where).tag = _name(step)


def _write(root: Any, step: Step) -> None:
    _at(root, step.where).text = step.text


def _tail(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    if here is not root:
        here.tail = step.text


def _say(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    names = [*here.attrib, *ATTRIBUTES]
    here.set(names[step.other % len(names)], step.text)


def _unsay(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    names = list(here.attrib)
    if names:
        del here.attrib[names[step.other % len(names)]]


def _remark(root: Any, step: Step) -> None:
    kinds = (etree.Comment("x"), etree.ProcessingInstruction("x", "y"))
    _at(root, step.where).insert(0, kinds[step.other % 2])


def _add(root: Any, step: Step) -> None:
    etree.SubElement(_at(root, step.where), _name(step)).text = step.text


def _empty(root: Any, step: Step) -> None:
    here = _at(root, step.where)
    for child in list(here):
        here.remove(child)


def _copied(element: Any) -> Any:
    return etree.fromstring(etree.tostring(element, with_tail=False))


def _name(step: Step) -> str:
    space = SPACES[step.other % len(SPACES)] if step.other % 3 == 0 else SPACES[1]
    name = NAMES[step.other % len(NAMES)]
    return f"{{{space}}}{name}" if space else name


TREE: Final[dict[str, Callable[[Any, Step], None]]] = {
    "delete": _delete,
    "double": _double,
    "move": _move,
    "wrap": _wrap,
    "rename": _rename,
    "write": _write,
    "tail": _tail,
    "say": _say,
    "unsay": _unsay,
    "remark": _remark,
    "add": _add,
    "empty": _empty,
}
_TOKENS: Final[tuple[bytes, ...]] = (
    *(b"<", b">", b"&", b"'", b'"', b"\0", b"\xff", b"\xc3", b"]]>", b"<!--", b"-->", b"<![CDATA["),
    *(
        b"<?xml?>",
        b"<!DOCTYPE x>",
        b"&x;",
        b"&#0;",
        b"&#x110000;",
        b"\xef\xbb\xbf",
        b"<a:b/>",
        b"/",
    ),
    *(b' xmlns="urn:x"', b" xmlns:a='' ", b"</body>", b"</doi_batch>", b"<doi_batch>", b"\r\n"),
)


def _flip(content: bytes, step: Step) -> bytes:
    at = step.where % len(content)
    return content[:at] + bytes([content[at] ^ (1 << step.other % 8)]) + content[at + 1 :]


def _insert(content: bytes, step: Step) -> bytes:
    at = step.where % len(content)
    return content[:at] + _TOKENS[step.other % len(_TOKENS)] + content[at:]


def _cut(content: bytes, step: Step) -> bytes:
    return content[: max(step.where % len(content), 1)]


def _drop(content: bytes, step: Step) -> bytes:
    at = step.where % len(content)
    return content[:at] + content[at + 1 + step.other % 64 :] or b"x"


def _repeat(content: bytes, step: Step) -> bytes:
    at = step.where % len(content)
    return content[:at] + content[at : at + step.other % 200] * 5 + content[at:]


def _encode(content: bytes, step: Step) -> bytes:
    names = ("UTF-16", "UTF-16-LE", "ISO-8859-1", "UTF-8-SIG", "UTF-32")
    try:
        return content.decode().encode(names[step.other % len(names)])
    except UnicodeError:
        return content


BYTES: Final[dict[str, Callable[[bytes, Step], bytes]]] = {
    "flip": _flip,
    "insert": _insert,
    "cut": _cut,
    "drop": _drop,
    "repeat": _repeat,
    "encode": _encode,
}
