"""Components: figures, tables and other pieces of a record, each with a DOI of its own."""

from services.deposits.crossref import identity, parts
from services.deposits.crossref.kinds.common import (
    CONTRIBUTORS_ROW,
    DESCRIPTION_ROW,
    FORMAT,
    LANGUAGE_ROW,
)
from services.deposits.crossref.kinds.shapes import Body, Inside, Kind, Part
from services.deposits.crossref.programs import ACCESS_ROW
from services.deposits.crossref.rows import Row, Table, attribute, not_carried

COMPONENT = Table(
    "component",
    Row(
        "@parent_relation",
        "parent",
        attribute("parent_relation"),
        kind="parent",
        note="relation: isPartOf gives is-part-of {id: the DOI of the record it stands in, or "
        "sa_component's @parent_doi}",
    ),
    not_carried("@reg-agency", "the agency of a component that is registered elsewhere"),
    LANGUAGE_ROW,
    not_carried("@component_size", "Crossref's work object has no size"),
    parts.TITLES_ROW,
    CONTRIBUTORS_ROW,
    parts.PUBLICATION_DATE,
    DESCRIPTION_ROW,
    FORMAT,
    ACCESS_ROW,
    not_carried("doi", "a component registered elsewhere is no record"),
    identity.DOI_DATA_ROW,
)

COMPONENT_RECORD = Kind("component", "Component", "component", COMPONENT)
COMPONENTS = Inside(("component_list", "component"), COMPONENT_RECORD)

# Where a list stands beside a record, its components are parts of the body element.
LISTED = Part(("component_list", "component"), COMPONENT_RECORD, must=False)

STANDALONE = Body("sa_component", "Component", (LISTED,), parent="parent_doi")
