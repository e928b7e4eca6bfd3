"""Counts of the search projection -> the facets of an answer.

The index counts owner prefixes; their publisher names are looked up now and prefixes of one name
are added together, so a rename shows at once and the counts stay exact.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from services.distribution.rest.owners import Owners
from services.distribution.rest.params import WorksQuery
from services.distribution.rest.routes import FACETS
from services.distribution.rest.types import TYPE_LABELS
from services.distribution.search import Facet, said_publisher

Labeller: TypeAlias = Callable[[str, Owners], str]

DOI: Final = "https://doi.org/"
FUNDERS: Final = "10.13039/"


def _publisher(value: str, owners: Owners) -> str:
    """Return the name of whom a work names as its publisher, or of whoever owns it now."""
    kind, name = value[:1], value[1:]
    return name if kind == SAID else owners.publisher_name(name) or name


def _at(address: str) -> Labeller:
    return lambda value, _: f"{address}{value}"


SAID: Final = said_publisher("")

LABELS: Final[Mapping[Facet, Labeller]] = {
    Facet.FUNDER: lambda value, _: f"{DOI}{value if '/' in value else FUNDERS + value}",
    Facet.ISSN: _at("https://id.crossref.org/issn/"),
    Facet.ORCID: _at("https://orcid.org/"),
    Facet.PUBLISHER: _publisher,
    Facet.ROR: _at("https://ror.org/"),
    Facet.TYPE: lambda value, _: TYPE_LABELS.get(value, value),
}
"""How a value is shown; others as they are."""


def facets_message(
    query: WorksQuery, counted: Mapping[Facet, Mapping[str, int]], owners: Owners
) -> dict[str, Any]:
    """Return the ``facets`` of a works list: values by falling count, as many as were asked for."""
    return {
        name: _facet(counted[FACETS[name].counts], FACETS[name].counts, owners=owners, most=most)
        for name, most in ((name, _most(name, asked)) for name, asked in query.facets)
    }


def _most(name: str, asked: int | None) -> int | None:
    limits = [limit for limit in (asked, FACETS[name].cap) if limit is not None]
    return min(limits, default=None)


def _facet(
    counts: Mapping[str, int], facet: Facet, *, owners: Owners, most: int | None
) -> dict[str, Any]:
    label = LABELS.get(facet, _at(""))
    labelled: Counter[str] = Counter()
    for value, count in counts.items():
        labelled[label(value, owners)] += count
    ranked = sorted(labelled.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {"value-count": len(ranked), "values": dict(ranked)}
