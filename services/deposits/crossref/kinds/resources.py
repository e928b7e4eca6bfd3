"""Resource-only deposits: some keys of works that exist already (crossref.md 5.6)."""

from services.deposits.crossref import identity
from services.deposits.crossref.citations import CITATION, references
from services.deposits.crossref.crossmark import CROSSMARK_ROW
from services.deposits.crossref.dates import Work
from services.deposits.crossref.kinds.posted import BARE_DOI_ROW
from services.deposits.crossref.kinds.shapes import Body, Kind, Part
from services.deposits.crossref.markup import Element
from services.deposits.crossref.programs import ACCESS_ROW, FUNDING_ROW
from services.deposits.crossref.rows import Notes, Row, Table


def _all_references(element: Element, notes: Notes) -> list[Work]:
    return references(element, notes) or []


def _targets(element: Element, notes: Notes) -> Work | None:
    """Read a collection as doi_data has it; the record is completed with the same hands."""
    found = identity.collection(element, notes)
    return {"doi_data": found} if found else None


CITATIONS = Table(
    "doi_citations",
    BARE_DOI_ROW,
    Row(
        "citation_list",
        "reference",
        _all_references,
        kind="references",
        inside=CITATION,
        note="replaces the whole list; an empty list removes it",
    ),
)
RESOURCES = Table(
    "doi_resources",
    BARE_DOI_ROW,
    Row(
        "collection",
        "*",
        _targets,
        kind="targets",
        keys=("link", "resource"),
        note="link, or resource.secondary; as in doi_data",
    ),
)
CROSSMARKS = Table("crossmark_data", BARE_DOI_ROW, CROSSMARK_ROW)
FUNDERS = Table("fundref_data", BARE_DOI_ROW, FUNDING_ROW)
LICENCES = Table("lic_ref_data", BARE_DOI_ROW, ACCESS_ROW)


def _body(table: Table, title: str) -> Body:
    kind = Kind(table.name, title, "", table, resource=False, effect="part")
    return Body(table.name, title, (Part((), kind),))


RESOURCES_ONLY = (
    _body(CITATIONS, "Citations"),
    _body(RESOURCES, "Resources"),
    _body(CROSSMARKS, "Crossmark"),
    _body(FUNDERS, "Funding"),
    _body(LICENCES, "Licences"),
)
