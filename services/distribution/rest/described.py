"""What a route takes, as OpenAPI describes it: made of the tables that requests are read by."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.distribution.rest.checks import EVERY_FACET, FIELD, ORDERS
from services.distribution.rest.filters import Reader
from services.distribution.rest.routes import (
    DEFAULT_ROWS,
    KNOWN_PARAMETERS,
    MOST_FACET_VALUES,
    MOST_ROWS,
    MOST_SAMPLE,
    Route,
)

Described = Mapping[str, Mapping[str, Any]]

SAID: Final[Mapping[str, str]] = {
    "rows": "Items of a page.",
    "sample": "So many works by chance; goes with neither rows nor offset nor cursor.",
    "offset": "Items passed over; with rows no more than the greatest offset. Not with cursor.",
    "cursor": "`*`, then `next-cursor` of the page before.",
    "order": "Which end comes first.",
    "sort": "What the works come in order of.",
    "select": "Fields of each item, with commas.",
    "facet": "What is counted and how many values of it are listed, with commas; `*` is all.",
    "filter": "Names and values, with commas; of one name any value, of several names all.",
    "query": "Words to search for.",
    "mailto": "Who asks: an address to write to. It puts the caller in the polite pool.",
}
OWN: Final = frozenset({"offset", "sort", "select", "facet", "filter"})
"""What is another thing on another route."""


def described(route: Route) -> Described:
    """Return the parameters of a route, by the names that routes share them under."""
    schemas = _schemas(route)
    named = [(name, schemas[name]) for name in KNOWN_PARAMETERS if name in route.parameters]
    named += [(f"{FIELD}{name}", {"type": "string"}) for name in route.fields]
    return {
        f"{route.name}.{name}" if name in OWN else name: {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": SAID.get(name, f"Words to search {name.removeprefix(FIELD)} for."),
        }
        for name, schema in named
    }


def _schemas(route: Route) -> Described:
    return {
        "rows": _integer(MOST_ROWS) | {"default": DEFAULT_ROWS},
        "sample": _integer(MOST_SAMPLE),
        "offset": _integer(route.most_offset) | {"default": 0},
        "cursor": {"anyOf": [{"const": "*"}, {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}]},
        "order": {"enum": list(ORDERS)},
        "sort": {"enum": list(route.sorts)},
        "select": _text(_list(_any(route.selects))),
        "facet": _text(f"{_any(EVERY_FACET)}|{_list(_facet(route.facets))}"),
        "filter": _text(_list(_filter(route.filters))),
        "query": {"type": "string"},
        "mailto": {"type": "string"},
    }


def _integer(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": most}


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _list(item: str) -> str:
    return f"{item}(,{item})*"


def _any(words: Iterable[str]) -> str:
    return f"({'|'.join(map(_literal, words))})"


def _literal(word: str) -> str:
    return "".join(f"[{sign}]" if sign in ".*" else sign for sign in word)


def _facet(names: Iterable[str]) -> str:
    # As many digits as the greatest number has less one, or that number.
    digits = len(str(MOST_FACET_VALUES)) - 1
    return f"{_any([*names, '*'])}:([*]|[0-9]{{1,{digits}}}|{MOST_FACET_VALUES})"


def _filter(filters: Mapping[str, Reader]) -> str:
    """Return the pattern of a name and a value of it; names of the same values stand together."""
    alike: dict[str, list[str]] = {}
    for name, reader in filters.items():
        alike.setdefault(reader.pattern, []).append(name)
    return f"({'|'.join(f'{_any(names)}:({values})' for values, names in alike.items())})"
