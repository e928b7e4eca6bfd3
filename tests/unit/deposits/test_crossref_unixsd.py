"""Ninety records as Crossref's own metadata feed has them: each maps to a work, nothing is lost.

Unixsd wraps what was deposited in a query result; the content of its `crossref` element is the
content of a deposit's body, but for the namespace. That content is wrapped as a body here.
"""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from services.deposits.crossref.reader import read_deposit
from services.deposits.crossref.submission import Record
from tests.conftest import SAMPLES
from tests.unit.deposits.crossref_examples import batch, rules

FILES = sorted((SAMPLES / "crossref" / "unixsd").glob("*.xml"))
CONTENT = "http://www.crossref.org/xschema/1.1"
CITATIONS = 2354  # in all ninety together

pytestmark = [
    pytest.mark.clause("CRR-1"),
    pytest.mark.skipif(not FILES, reason="the samples folder is not beside this checkout"),
]


def content(path: Path) -> Any:
    """Return the one `crossref` element of a record."""
    (found,) = etree.parse(str(path)).iter(f"{{{CONTENT}}}crossref")
    return found


def deposited(path: Path) -> tuple[Record, ...]:
    """Return the records of a body with the record's content."""
    body = "".join(etree.tostring(child, encoding="unicode") for child in content(path))
    return read_deposit(
        [batch(body.replace(CONTENT, "http://www.crossref.org/schema/5.3.1"))]
    ).records


def name_of(path: Path) -> str:
    doi = etree.parse(str(path)).find(".//{*}query/{*}doi")
    assert doi is not None
    return (doi.text or "").lower()


def _is_text(field: Any) -> bool:
    """Return whether a field of a citation stays as it is: numbers get their URI form."""
    return etree.QName(field).localname not in {"issn", "isbn", "doi"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem)[-8:])
def test_a_record_of_the_feed_maps_to_a_work(path: Path) -> None:
    found = deposited(path)
    by_doi = {record.work["DOI"]: record for record in found}
    record = by_doi[name_of(path)]
    assert {rule for r in found for rule in rules(r)} <= {"reference-doi"}  # one is a query's
    work = record.work
    citations = list(content(path).iter("{*}citation"))
    assert [r["key"] for r in work.get("reference", ())] == [c.get("key") for c in citations]
    for citation, reference in zip(citations, work.get("reference", ()), strict=True):
        said = {c.text.strip() for c in citation if c.text and len(c) == 0 and _is_text(c)}
        assert said - {""} <= set(reference.values())
    assert work["type"]
    assert work["title"]


def test_no_citation_of_the_ninety_is_lost() -> None:
    assert len(FILES) == 90
    found = [record for path in FILES for record in deposited(path)]
    assert sum(len(record.work.get("reference", ())) for record in found) == CITATIONS
