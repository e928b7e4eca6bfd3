"""Ninety records as Crossref's own feed has them, beside ours of the same works, by shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from services.distribution.transform.unixref import NAMESPACE, unixref
from services.distribution.transform.unixsd import unixsd
from tests.unit.deposits.test_crossref_unixsd import FILES, content, deposited, name_of

pytestmark = pytest.mark.skipif(not FILES, reason="the samples folder is not beside this checkout")

# Where the newer spelling has an element more; what the mapping does not keep is not written.
NEWER = (
    "person_name/affiliations",  # of institutions, where there was a text
    "person_name/affiliations/institution",
    "person_name/affiliations/institution/institution_name",
    "program/assertion/assertion/assertion",  # a funder's identifier stands in its name
)


def work_of(path: Path) -> dict[str, Any]:
    """Return the work that a record maps to, with what the registry matched."""
    (work,) = (r.work for r in deposited(path) if r.work["DOI"] == name_of(path))
    providers = [
        [doi.get("provider") for doi in citation.iterfind("{*}doi")]
        for citation in content(path).iter("{*}citation")
    ]
    references = [
        {**reference, "doi-asserted-by": found[0]} if found and found[0] else reference
        for reference, found in zip(work.get("reference", ()), providers, strict=True)
    ]
    return {**work, "reference": references}


def paths(root: etree._Element) -> set[str]:
    """Return the paths of elements below a root, without namespaces."""

    def below(element: etree._Element, at: str) -> set[str]:
        here = f"{at}/{etree.QName(element).localname}"
        return {here}.union(*(below(child, here) for child in element.iterchildren("*")))

    return below(root, "")


def said(root: etree._Element, within: str) -> list[Any]:
    """Return what each element of a name says: its key, and its leaves with their texts."""
    return [
        (part.get("key"), sorted(_leaves(part))) for part in root.iter(f"{{{NAMESPACE}}}{within}")
    ]


def _leaves(part: etree._Element) -> Iterator[tuple[str, str, str]]:
    for leaf in part.iter("*"):
        text = " ".join("".join(map(str, leaf.itertext())).split())
        if text and not leaf.findall("{*}*"):
            yield str(leaf.tag), leaf.get("provider", ""), text


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem)[-8:])
def test_a_record_has_the_shape_of_the_real_one(path: Path) -> None:
    real, ours = content(path), etree.fromstring(unixref(work_of(path)).encode())
    known = paths(real)
    unknown = {p for p in paths(ours) - known if not p.endswith(NEWER)}
    assert unknown == set()
    assert {child.tag for child in ours} == {child.tag for child in real}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem)[-8:])
def test_its_references_titles_and_people_are_those_of_the_real_one(path: Path) -> None:
    real, ours = content(path), etree.fromstring(unixref(work_of(path)).encode())
    assert said(ours, "citation") == said(real, "citation")
    for within in ("titles", "given_name", "surname"):
        # Two of the ninety hold an issue's editors, or a volume of a set: records of their own.
        assert [each for each in said(ours, within) if each not in said(real, within)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem)[-8:])
def test_its_items_are_those_of_the_real_one(path: Path) -> None:
    real = etree.parse(str(path)).find(".//{*}query")
    assert real is not None
    said = {i.get("name"): i.text for i in real.iterfind("{*}crm-item")}
    container = next((n for n in ("journal-id", "book-id", "series-id") if n in said), None)
    moment = {"date-time": said["created"], "timestamp": 0}
    claims = [i for i in real.iterfind("{*}crm-item") if i.get("claim")]
    xml = unixsd(
        {
            **work_of(path),
            "publisher": said["publisher-name"],
            "member": said["member-id"],
            "prefix": said["owner-prefix"],
            "created": moment,
            "deposited": moment,
            "indexed": {**moment, "date-time": said["last-update"]},
            "is-referenced-by-count": int(said["citedby-count"] or 0),
            "updated-by": [{"type": i.get("claim"), "DOI": i.text} for i in claims],
        },
        prefix_name=said.get("prefix-name"),
        citation_id=int(said["citation-id"] or 0),
        container=(container, int(said[container] or 0)) if container else None,
    )
    ours = etree.fromstring(xml.encode()).find(".//{*}query")
    assert ours is not None

    def items(query: etree._Element) -> list[Any]:
        return [
            (dict(i.attrib), None if i.get("name") == "deposit-timestamp" else i.text)
            for i in query.iterfind("{*}crm-item")
        ]

    assert items(ours) == items(real)
    assert ours[0].get("type") == real[0].get("type")
