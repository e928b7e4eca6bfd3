"""Every element that the schemas allow under a kind of record has a row, carried or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from services.deposits.crossref.kinds import BODIES, Body
from services.deposits.crossref.rows import Table

XS = "{http://www.w3.org/2001/XMLSchema}"
_PREFIXES = {
    "fundref.xsd": "fr:",
    "AccessIndicators.xsd": "ai:",
    "clinicaltrials.xsd": "ct:",
    "relations.xsd": "rel:",
}


FACES = {  # face markup, which is text
    *("b", "i", "em", "strong", "u", "ovl", "sup", "sub", "scp", "tt", "font", "mml:math", "a"),
}


class Schema:
    """The declarations of one version of the deposit schema, by name."""

    def __init__(self, folder: Path, version: str) -> None:
        self.named: dict[tuple[str, str], Any] = {}
        for file in (f"common{version}.xsd", f"crossref{version}.xsd", *_PREFIXES):
            for declared in etree.parse(str(folder / file)).getroot():
                if isinstance(declared.tag, str) and declared.get("name"):
                    kind = declared.tag.removeprefix(XS)
                    key = (kind, _PREFIXES.get(file, "") + declared.get("name", ""))
                    self.named[key] = declared

    def children(self, name: str) -> set[str]:
        """Return the elements and @attributes that an element may have."""
        prefix = name.partition(":")[0] + ":" if ":" in name else ""
        return set(self._walk(self.named["element", name], prefix))

    def _walk(self, declared: Any, prefix: str) -> Iterator[str]:
        for type_ in (declared.get("type"), declared.get("base")):
            if type_ and ("complexType", prefix + type_) in self.named:
                yield from self._walk(self.named["complexType", prefix + type_], prefix)
        for part in declared:
            if not isinstance(part.tag, str):
                continue
            kind, ref = part.tag.removeprefix(XS), part.get("ref")
            if kind == "element":
                yield _local(ref or part.get("name"), prefix)
            elif kind == "attribute":
                yield "@" + (ref or part.get("name"))
            elif kind in {"group", "attributeGroup"} and ref:
                yield from self._walk(self.named[kind, prefix + ref], prefix)
            elif kind not in {"annotation", "simpleType"}:
                yield from self._walk(part, prefix)


def _local(name: str, prefix: str) -> str:
    return name if ":" in name else prefix + name


@pytest.fixture(scope="module", params=["4.4.2", "5.3.1"])
def schema(request: pytest.FixtureRequest, samples: Path) -> Schema:
    return Schema(samples / "crossref" / "xsd", request.param)


def missing(schema: Schema, table: Table, element: str, at: str) -> Iterator[str]:
    """Yield what an element may hold and its table has no row for, down to the leaves."""
    rows = {row.element.partition("[")[0]: row for row in table.rows}
    if ("element", element) not in schema.named:
        return  # of another version
    for child in sorted(schema.children(element) - {"component_list"}):  # records of their own
        row = rows.get(child)
        if row is None:
            yield f"{at}/{child}"
        elif row.inside is not None:
            known = ("element", row.inside.name) in schema.named
            inner = row.inside.name if known else child
            yield from missing(schema, row.inside, inner, f"{at}/{child}")
        elif row.key and ("element", child) in schema.named:
            leaves = {c for c in schema.children(child) if c[0] != "@"} - {*FACES, child}
            yield from (f"{at}/{child}/{leaf}" for leaf in sorted(leaves))


def holes(schema: Schema, body: Body) -> Iterator[str]:
    """Yield what a body element may hold and neither its parts nor their tables have."""
    whole = next((part for part in body.parts if not part.path), None)
    if whole is None:
        parts = {part.path[0] for part in body.parts} | {
            name for part in body.parts for name in part.beside
        }
        attributes = {"@book_type", "@parent_doi", "@publication_type"}
        found = schema.children(body.element) - parts - attributes
        yield from (f"{body.element}/{child}" for child in sorted(found))
    for part in body.parts:
        name = part.name or body.element
        if part.kind is not None:
            yield from missing(schema, part.kind.table, name, name)
        for row in part.lends.rows if part.lends else ():
            if row.inside is not None:
                yield from missing(schema, row.inside, row.element, row.element)
        for inside in part.inside:
            yield from missing(schema, inside.kind.table, inside.path[-1], inside.path[-1])


def test_every_element_under_every_kind_has_a_row(schema: Schema) -> None:
    deposited = {"journal", "book", *schema.children("body")}
    assert deposited <= set(BODIES)
    found = [hole for name in sorted(deposited) for hole in holes(schema, BODIES[name])]
    assert found == []


def test_a_missing_row_would_be_found(schema: Schema) -> None:
    """The walk sees groups, types, attributes and the programs' own schemas."""
    held = schema.children("journal_article")
    assert {"titles", "fr:program", "@language", "@reference_distribution_opts"} <= held
    assert {"month", "@media_type"} <= schema.children("publication_date")
    assert "ai:license_ref" in schema.children("ai:program")
    article = next(p.kind for p in BODIES["journal"].parts if p.name == "journal_article")
    assert article is not None
    short = Table("journal_article", *(r for r in article.table.rows if r.element != "pages"))
    assert list(missing(schema, short, "journal_article", "a")) == ["a/pages"]
