"""What is wrong with a route's parameters: every failure, in the order of the wire.

Nothing is ignored silently: a parameter that a route does not take is a failure.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from services.distribution.rest.failure import (
    Failure,
    not_allowed,
    not_an_integer,
    not_available,
    not_one_of,
)
from services.distribution.rest.routes import (
    DEFAULT_ROWS,
    KNOWN_PARAMETERS,
    MOST_OFFSET_WORKS,
    MOST_ROWS,
    MOST_SAMPLE,
    Route,
)

Pairs: TypeAlias = Iterable[tuple[str, str]]
Pieces: TypeAlias = list[tuple[str, str | None]]
"""Names with what follows their colon; None where there is none."""

# How the values of a parameter that is given more than once are joined; others may not repeat.
REPEATABLE: Final = {"filter": ",", "facet": ",", "select": ",", "query": " ", "mailto": ","}
FIELD: Final = "query."
EVERY_FACET: Final = ("*", "t", "T", "1")
ORDERS: Final = {"asc": False, "desc": True, "1": False, "-1": True}
CURSOR_ADVICE: Final = " Use the cursor parameter to page further into result sets."

NUMBER: Final = re.compile(r"[0-9]{1,18}")
NUMBERS: Final = frozenset({"rows", "sample", "offset"})


def check(route: Route, pairs: Pairs) -> tuple[Mapping[str, str], list[Failure]]:
    """Join repeated parameters and return them with every failure, in the order of the wire."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    given = {
        name: REPEATABLE.get(name, " " if name.startswith(FIELD) else ",").join(texts)
        for name, texts in values.items()
    }
    return given, [*_unknown(given), *_unpaired(route, given), *_known(route, given)]


def _unknown(given: Mapping[str, str]) -> Iterator[Failure]:
    for name in given:
        if name not in KNOWN_PARAMETERS and not name.startswith(FIELD):
            sentence = (
                f"Parameter {name} specified but there is no such parameter available on any route"
            )
            yield Failure("unknown-parameter", name, sentence)


def _unpaired(route: Route, given: Mapping[str, str]) -> Iterator[Failure]:
    """Yield the lists of pairs that are none; what they hold is looked at in its turn."""
    for name, pieces in PAIRED.items():
        if name not in given or name not in route.parameters:
            continue
        if any(value is None for _, value in pieces(given[name], route)):
            yield _not_pairs(given[name])


def _known(route: Route, given: Mapping[str, str]) -> Iterator[Failure]:
    known = [name for name in KNOWN_PARAMETERS if name in given]
    yield from (not_allowed(name) for name in known if name not in route.parameters)
    fields = [name.removeprefix(FIELD) for name in given if name.startswith(FIELD)]
    if fields and not route.fields:
        yield not_allowed("query.*")
    for name in KNOWN_PARAMETERS:
        if name in COMBINED:
            yield from COMBINED[name](route, given)
        # A number is looked at even where it is not allowed.
        if name in given and name in CHECKS and (name in route.parameters or name in NUMBERS):
            yield from CHECKS[name](route, given[name])
    if route.fields:
        unknown = (name for name in fields if name not in route.fields)
        yield from (not_available("field query", name, valid=route.fields) for name in unknown)


def _sample_with(route: Route, given: Mapping[str, str]) -> Iterator[Failure]:
    if sampled(given) and route.parameters & given.keys() & {"rows", "offset"}:
        sentence = "Sample cannot be combined with rows or offset"
        yield Failure("sample-with-rows-or-offset", "sample", sentence)


def _cursor_with(route: Route, given: Mapping[str, str]) -> Iterator[Failure]:
    yield from _too_far(route, given)
    if "cursor" in given and route.parameters & given.keys() & {"offset", "sample"}:
        sentence = "Cursor cannot be combined with offset or sample"
        yield Failure("cursor-with-offset-or-sample", "cursor", sentence)


def _too_far(route: Route, given: Mapping[str, str]) -> Iterator[Failure]:
    """Yield what is wrong with rows and offset together that are right alone."""
    numbers = [given.get("rows", str(DEFAULT_ROWS)), given.get("offset", "0")]
    if not route.most_offset or not all(NUMBER.fullmatch(number) for number in numbers):
        return
    rows, offset = map(int, numbers)
    if rows <= MOST_ROWS and offset <= route.most_offset < rows + offset:
        most = route.most_offset - rows
        yield not_an_integer(numbers[1], most=most, advice=CURSOR_ADVICE)


def sampled(given: Mapping[str, str]) -> int:
    """Return how many works are to be drawn by chance; none for 0, which asks for a list."""
    text = given.get("sample", "0")
    return int(text) if NUMBER.fullmatch(text) else 0


def _check_integer(text: str, *, most: int, advice: str = "") -> Iterator[Failure]:
    if not NUMBER.fullmatch(text) or int(text) > most:
        yield not_an_integer(text, most=most, advice=advice)


def _check_rows(_: Route, text: str) -> Iterator[Failure]:
    yield from _check_integer(text, most=MOST_ROWS)


def _check_sample(_: Route, text: str) -> Iterator[Failure]:
    yield from _check_integer(text, most=MOST_SAMPLE)


def _check_offset(route: Route, text: str) -> Iterator[Failure]:
    if route.sorts or NUMBER.fullmatch(text):
        most = route.most_offset or MOST_OFFSET_WORKS  # it is no parameter of those that have none
        yield from _check_integer(text, most=most, advice=CURSOR_ADVICE)
    else:  # lists of names are said to have no end, until it is passed
        yield not_an_integer(text)


def _check_order(_: Route, text: str) -> Iterator[Failure]:
    if text not in ORDERS:
        yield not_one_of("sort-order-not-valid", "Sort order", text, allowed=ORDERS)


def _check_sort(route: Route, text: str) -> Iterator[Failure]:
    if text not in route.sorts:
        yield not_one_of("sort-field-not-valid", "Sort field", text, allowed=route.sorts)


def facet_pairs(text: str, _: Route) -> Pieces:
    """Split name:count,name:count; a fragment without a colon has no count."""
    if text in EVERY_FACET:
        return []
    fragments = [fragment.partition(":") for fragment in split(text)]
    return [(name, count if colon else None) for name, colon, count in fragments]


def _check_facet(route: Route, text: str) -> Iterator[Failure]:
    for name, _ in facet_pairs(text, route):
        if name not in route.facets and name != "*":
            yield not_available("facet", name, valid=("*", *route.facets))


def _check_filter(route: Route, text: str) -> Iterator[Failure]:
    fragments = filter_pairs(text, route)
    unknown = (name for name, _ in fragments if name not in route.filters)
    for name in dict.fromkeys(unknown):
        yield not_available("filter", name, valid=route.filters)
    for name, value in fragments:
        read = route.filters[name](value or "") if name in route.filters else None
        if isinstance(read, Failure):
            yield read if value is not None else replace(read, value=None)


def _check_select(route: Route, text: str) -> Iterator[Failure]:
    for name in listed(text):
        if name not in route.selects:
            yield not_available("select", name, valid=route.selects)


CHECKS: Final[Mapping[str, Callable[[Route, str], Iterator[Failure]]]] = {
    "rows": _check_rows,
    "sample": _check_sample,
    "offset": _check_offset,
    "order": _check_order,
    "sort": _check_sort,
    "facet": _check_facet,
    "filter": _check_filter,
    "select": _check_select,
}

COMBINED: Final[Mapping[str, Callable[[Route, Mapping[str, str]], Iterator[Failure]]]] = {
    "rows": _sample_with,
    "cursor": _cursor_with,
}
"""What is wrong with parameters together, said before what is wrong with one of them."""


def _not_pairs(text: str) -> Failure:
    sentence = (
        f"Pair list form specified as '{text}' but should be of the form: key:val,...,keyN:valN"
    )
    return Failure("pair-list-form-invalid", text, sentence)


def filter_pairs(text: str | None, route: Route) -> Pieces:
    """Split name:value,name:value; a first fragment without a colon has no value.

    A later one, or one after a blank that names no filter, is the rest of a value that holds a
    comma itself.
    """
    found: Pieces = []
    for fragment in split(text):
        name, colon, value = fragment.partition(":")
        begins = colon and (not name.startswith(" ") or name.strip() in route.filters)
        before = found[-1][1] if found else None
        if begins or before is None:
            found.append((name.strip(), value if colon else None))
        else:
            found[-1] = (found[-1][0], f"{before},{fragment}")
    return found


def listed(text: str | None) -> list[str]:
    """Split a comma list of names."""
    return [name.strip() for name in split(text)]


def split(text: str | None) -> list[str]:
    """Split at commas as the wire does: what is empty at the end is no part, unless it is all.

    None, of a parameter that was not given, has no parts.
    """
    if text is None:
        return []
    parts = text.split(",")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [] if text and parts == [""] else parts


PAIRED: Final[Mapping[str, Callable[[str, Route], Pieces]]] = {
    "facet": facet_pairs,
    "filter": filter_pairs,
}
