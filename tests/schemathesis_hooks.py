"""What the OpenAPI documents cannot say, told to schemathesis (read as SCHEMATHESIS_HOOKS)."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import schemathesis

CREDENTIALS: Final = frozenset({"authorization", "crossref-plus-api-token"})
ADDRESS: Final = 7_500  # bytes of a query; the server reads 8190 of the whole first line
APART: Final[Mapping[str, tuple[str, ...]]] = {
    "sample": ("rows", "offset", "cursor"),
    "cursor": ("sample", "offset"),
    "offset": ("sample", "cursor"),
}
"""Ways of paging, and what does not go with each."""
FAR: Final = 9_000  # an offset from which a full page would pass the greatest
FIELD: Final = "query.bibliographic"
HELD: Final[Mapping[str, Mapping[str, str]]] = {
    "/works/{doi}": {"doi": "10.1371/journal.pone.0033693"},
    "/members/{id}": {"id": "78"},
    "/prefixes/{prefix}": {"prefix": "10.1016"},
    "/journals/{issn}": {"issn": "2167-8359"},
    "/funders/{id}": {"id": "100000001"},
    "/types/{id}": {"id": "journal-article"},
}
"""What is there in the works of the demo, by the beginning of its paths."""


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Keep what shows one credential at most, in an address that a server reads.

    Which of them are good is described as alternatives, so that two different ones at once would
    be a valid request; they are refused, because it is not known who asks (RFC 6750, 3.1). A longer
    address is refused before there is a route, in the words of the HTTP parser. Field queries
    are texts of one kind: the edges of one are tried.
    """
    if (_aimed(case) or FIELD) != FIELD and str(_aimed(case)).startswith("query."):
        return False
    shown = CREDENTIALS.intersection(name.lower() for name in case.headers or ())
    query = urlencode(dict(case.query or {}), doseq=True, errors="replace")
    return len(shown) <= 1 and len(query) <= ADDRESS


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Ask for one way of paging, and for what is there; what is wrong on purpose stays wrong."""
    wrong, aimed = case.meta.generation.mode.is_negative, _aimed(case)
    if wrong and aimed is None:
        return case
    query = case.query or {}
    way = _way(query, aimed)
    for other in APART.get(way or "", ()):
        if other != aimed:
            query.pop(other, None)
    if "rows" in query and aimed != "rows" and _number(query.get("offset")) > FAR:
        query["rows"] = 0
    for path, held in HELD.items():
        if not wrong and case.operation.path in (path, f"{path}/works"):
            case.path_parameters = {**(case.path_parameters or {}), **held}
    return case


def _aimed(case: Any) -> str | None:
    """Return the parameter whose edge a case tries, None where it is no case of edges."""
    parameter: str | None = getattr(case.meta.phase.data, "parameter", None)
    return parameter


def _way(query: Mapping[str, Any], aimed: str | None) -> str | None:
    """Return the way of paging to keep: the one that is tried, else by how many items."""
    given = [name for name in APART if name in query]
    if aimed in given or not given:
        return aimed if aimed in given else None
    return given[_number(query.get("rows")) % len(given)]


def _number(value: Any) -> int:
    return int(value) if str(value).isdecimal() else 0
