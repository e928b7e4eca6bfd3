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
from services.distribution.search import Facet

Labeller: TypeAlias = Callable[[str, Owners], str]

LABELS: Final[Mapping[Facet, Labeller]] = {
    Facet.ISSN: lambda value, _: f"https://id.crossref.org/issn/{value}",
    Facet.OWNER: lambda value, owners: owners.publisher_name(value) or value,
    Facet.TYPE: lambda value, _: TYPE_LABELS.get(value, value),
    Facet.YEAR: lambda value, _: value,
}


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
    labelled: Counter[str] = Counter()
    for value, count in counts.items():
        labelled[LABELS[facet](value, owners)] += count
    ranked = sorted(labelled.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {"value-count": len(ranked), "values": dict(ranked)}
