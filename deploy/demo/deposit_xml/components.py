"""Components: figures, tables and data that belong to another record.

One is written inside its parent where the parent is in the same submission (`deposit` puts it
under the parent's key `components`, which is no key of the wire), else as an sa_component.
"""

from itertools import groupby
from xml.sax.saxutils import quoteattr

from deploy.demo.deposit_xml import parts
from deploy.demo.deposit_xml.elements import Work, element, text
from deploy.demo.deposit_xml.identifiers import doi_data
from deploy.demo.deposit_xml.people import contributors
from deploy.demo.deposit_xml.programs import access, camel

INSIDE = "components"


def parent(component: Work) -> tuple[str, str]:
    """Return a component's relation to its parent and the parent's DOI."""
    ((relation, (item,)),) = component["relation"].items()
    return relation, item["id"]


def components(work: Work) -> str:
    """Return the component_list of a record, if it has components."""
    inside, version = work.get(INSIDE, ([], ""))
    return element("component_list", *(_component(c, version) for c in inside))


def alone(works: list[Work], version: str) -> list[str]:
    """Return an sa_component per run of components of one parent."""
    return [
        element(
            "sa_component",
            element("component_list", *(_component(c, version) for c in found)),
            parent_doi=doi,
        )
        for doi, found in groupby(works, key=lambda c: parent(c)[1])
    ]


def _component(work: Work, version: str) -> str:
    relation, _ = parent(work)
    shown = f" parent_relation={quoteattr(camel(relation))}"
    if "language" in work:
        shown += f" language={quoteattr(work['language'])}"
    inner = "".join(
        (
            parts.titles(work),
            contributors(work, version),
            parts.dates(work),
            text("description", work.get("description")),
            access(work),
            doi_data(work),
        )
    )
    return f"<component{shown}>{inner}</component>\n"
