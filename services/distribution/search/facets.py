"""Exact counts over the values of a field.

The engine's terms aggregation cuts each segment's list of values, which makes wide facets
approximate; and it refuses more than 65,000 values. So we ask for more values per segment than it
may hold and take the answer only if it says itself that nothing was cut. Otherwise the field's
dictionary of terms is walked, which counts every value, and takes about 1 µs for each.
"""

from collections.abc import Mapping
from typing import Final

import tantivy

from services.distribution.search.request import Facet

MOST_BUCKETS: Final = 60_000  # below the engine's limit of 65,000
NUMBERS: Final = frozenset({Facet.YEAR})


def count_values(
    searcher: tantivy.Searcher, query: tantivy.Query, facet: Facet
) -> Mapping[str, int]:
    """Return how many of the query's works have each value; exact, zero counts absent."""
    counted = _aggregate(searcher, query, facet)
    if counted is None:
        counted = dict(searcher.terms_with_prefix(facet.value, "", filter_query=query))
    return {value: count for value, count in counted.items() if count}


def _aggregate(
    searcher: tantivy.Searcher, query: tantivy.Query, facet: Facet
) -> dict[str, int] | None:
    """Return the counts, or None where the engine cannot vouch for them."""
    terms = {"field": facet.value, "size": MOST_BUCKETS, "segment_size": MOST_BUCKETS}
    try:
        answer = searcher.aggregate(query, {"values": {"terms": terms}})["values"]
    except ValueError as error:
        if "bucket limit" in str(error):
            return None
        raise
    if answer["sum_other_doc_count"] or answer.get("doc_count_error_upper_bound"):
        return None
    return {_label(bucket["key"], facet): bucket["doc_count"] for bucket in answer["buckets"]}


def _label(key: str | float, facet: Facet) -> str:
    return str(int(key)) if facet in NUMBERS else str(key)
