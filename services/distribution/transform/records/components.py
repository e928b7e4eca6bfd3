"""Components: figures, tables and data that belong to another record.

One is written inside its parent where the parent is in the same submission (`deposit` puts it
under the parent's key `components`, which is no key of the wire), else as an sa_component.
"""

from itertools import groupby

from services.distribution.transform.records import parts
from services.distribution.transform.records.elements import Work, element, quoted, text
from services.distribution.transform.records.identifiers import doi_data
from services.distribution.transform.records.people import contributors
from services.distribution.transform.records.programs import access, camel

INSIDE = "components"


def parent(component: Work) -> tuple[str, str]:
    """Return a component's relation to its parent and the parent's DOI; empty where none is told.

    What others assert about the component says nothing of its parent.
    """
    for relation, related in component.get("relation", {}).items():
        for item in related:
            if item.get("asserted-by") == "subject":
                return relation, item["id"]
    return "", ""


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
            parent_doi=doi or None,
        )
        for doi, found in groupby(works, key=lambda c: parent(c)[1])
    ]


def _component(work: Work, version: str) -> str:
    relation, _ = parent(work)
    shown = f" parent_relation={quoted(camel(relation))}" if relation else ""
    if "language" in work:
        shown += f" language={quoted(work['language'])}"
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
    return f"<component{shown}>{inner}</component>"
