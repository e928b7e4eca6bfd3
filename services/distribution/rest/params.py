"""A route's query parameters -> what is asked, or every failure in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from services.distribution.rest.checks import (
    EVERY_FACET,
    FIELD,
    NUMBER,
    ORDERS,
    Pairs,
    check,
    facet_pairs,
    filter_pairs,
    listed,
    sampled,
)
from services.distribution.rest.failure import Failure
from services.distribution.rest.filters import Value
from services.distribution.rest.routes import (
    DEFAULT_FACET_VALUES,
    DEFAULT_ROWS,
    MOST_FACET_VALUES,
    SINGLE,
    WORKS,
    Route,
)
from services.distribution.search import Sort

Filters: TypeAlias = tuple[tuple[str, tuple[Value, ...]], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What every list is asked with: words, as they came."""

    terms: str | None = None

    @property
    def query(self) -> str | None:
        """The words to look for; None where there are none."""
        return self.terms if self.terms and self.terms.strip() else None


@dataclass(frozen=True, slots=True)
class WorksQuery(Asked):
    """What a list of works was asked for."""

    fields: tuple[tuple[str, str], ...] = ()
    filters: Filters = ()
    rows: int = DEFAULT_ROWS
    offset: int = 0
    cursor: str | None = None
    sort: Sort | None = None
    descending: bool = True
    facets: tuple[tuple[str, int | None], ...] = ()
    select: tuple[str, ...] = ()
    sample: int = 0
    """How many works to draw by chance; 0: none, but a list."""
    polite: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery(Asked):
    """What a list of members, journals, funders or licences was asked for."""

    filters: Filters = ()
    rows: int = DEFAULT_ROWS
    offset: int = 0
    cursor: str | None = None
    polite: bool = False


@dataclass(frozen=True, slots=True)
class SingleQuery:
    """What a single record was asked with: nothing that changes the answer."""

    polite: bool = False


def parse_works(pairs: Pairs) -> WorksQuery | list[Failure]:
    """Read the parameters of a works list, decoded name and value pairs in order."""
    given, failures = check(WORKS, pairs)
    if failures:
        return failures
    fields = ((n.removeprefix(FIELD), v) for n, v in given.items() if n.startswith(FIELD))
    return WorksQuery(
        terms=given.get("query"),
        fields=tuple(sorted((name, text) for name, text in fields if text.strip())),
        filters=_filters(WORKS, given),
        rows=int(given.get("rows", DEFAULT_ROWS)),
        offset=int(given.get("offset", 0)),
        cursor=given.get("cursor"),
        sort=WORKS.sorts[given["sort"]] if "sort" in given else None,
        descending=ORDERS[given.get("order", "desc")],
        facets=_facets(given.get("facet")),
        select=tuple(dict.fromkeys(listed(given.get("select")))),
        sample=sampled(given),
        polite=bool(given.get("mailto")),
    )


def parse_list(route: Route, pairs: Pairs) -> ListQuery | list[Failure]:
    """Read the parameters of a list of anything but works."""
    given, failures = check(route, pairs)
    if failures:
        return failures
    return ListQuery(
        terms=given.get("query"),
        filters=_filters(route, given),
        rows=int(given.get("rows", DEFAULT_ROWS)),
        offset=int(given.get("offset", 0)),
        cursor=given.get("cursor"),
        polite=bool(given.get("mailto")),
    )


def parse_single(pairs: Pairs) -> SingleQuery | list[Failure]:
    """Read the parameters of a single record's route, which takes none but mailto."""
    given, failures = check(SINGLE, pairs)
    return failures or SingleQuery(polite=bool(given.get("mailto")))


def _filters(route: Route, given: Mapping[str, str]) -> Filters:
    """Gather each filter's values; sorted, so that one question has one form."""
    gathered: dict[str, set[Value]] = {}
    for name, text in filter_pairs(given.get("filter"), route):
        value = route.filters[name](text or "")
        assert not isinstance(value, Failure)
        gathered.setdefault(name, set()).add(value)
    return tuple((name, tuple(sorted(gathered[name], key=repr))) for name in sorted(gathered))


def _facets(text: str | None) -> tuple[tuple[str, int | None], ...]:
    """Read which facets are asked for and how many values of each; None: as many as it lists."""
    if text is None:
        return ()
    if text in EVERY_FACET:
        text = "*:*"
    asked: dict[str, int | None] = {}
    for name, count in facet_pairs(text, WORKS):
        names = WORKS.facets if name == "*" else (name,)
        asked.update(dict.fromkeys(names, _facet_count(count or "")))
    return tuple(asked.items())


def _facet_count(text: str) -> int | None:
    """Read a number of values; one beyond what is listed, or none, is brought to the bound."""
    if text == "*":
        return None
    if not NUMBER.fullmatch(text):
        return DEFAULT_FACET_VALUES
    return min(max(int(text), 1), MOST_FACET_VALUES)
