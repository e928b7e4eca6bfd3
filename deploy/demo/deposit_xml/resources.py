"""Resource-only deposits: one thing about a DOI that exists, and nothing else."""

from collections.abc import Iterable

from services.distribution.transform.records.elements import Work, element, text
from services.distribution.transform.records.identifiers import (
    as_deposited,
    citations,
    collections,
)
from services.distribution.transform.records.programs import access, crossmark, funding

SCHEMA = "4.4.2"
_NAMESPACE = f"http://www.crossref.org/doi_resources_schema/{SCHEMA}"

# What a change says decides the element it is written in.
_ELEMENTS = (
    ("reference", "doi_citations"),
    ("link", "doi_resources"),
    ("resource", "doi_resources"),
    ("update-policy", "crossmark_data"),
    ("funder", "fundref_data"),
    ("license", "lic_ref_data"),
    ("free-to-read", "lic_ref_data"),
)
_WRITERS = {
    "doi_citations": lambda change: citations(as_deposited(change)) or "<citation_list/>",
    "doi_resources": collections,
    "crossmark_data": crossmark,
    "fundref_data": funding,
    "lic_ref_data": access,
}


def element_of(change: Work) -> str:
    """Return the child of body that a change is written in; raises ValueError for none."""
    for key, name in _ELEMENTS:
        if key in change:
            return name
    raise ValueError("a change sets references, links, Crossmark, funding or licences")


def resource_deposit(
    changes: Iterable[Work], *, batch_id: str, depositor: str = "Colophon demo"
) -> bytes:
    """Return a submission of changes: a DOI each, with the keys it sets and no others.

    An empty list of references removes them.
    """
    written = (
        element(name := element_of(change), text("doi", change["DOI"]), _WRITERS[name](change))
        for change in changes
    )
    head = element(
        "head",
        text("doi_batch_id", batch_id),
        element(
            "depositor",
            text("depositor_name", depositor),
            text("email_address", "demo@example.org"),
        ),
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<doi_batch version="{SCHEMA}"'
        f' xmlns="{_NAMESPACE}" xmlns:fr="http://www.crossref.org/fundref.xsd"'
        ' xmlns:ai="http://www.crossref.org/AccessIndicators.xsd"'
        ' xmlns:ct="http://www.crossref.org/clinicaltrials.xsd">\n'
        f"{head}<body>\n{''.join(written)}</body>\n</doi_batch>\n"
    ).encode()
