"""Routes as data, and finding the one a path asks for.

``{id}`` takes one segment; ``{+doi}`` takes the rest of the path, as RFC 6570 writes it: DOIs hold
slashes, sent raw or as %2F, and parentheses, semicolons and ``<``. Values are decoded once. A name
within the first segment, as in ``/10.{+rest}``, is looked at where no other path begins like it.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import unquote

from aiohttp import web
from pydantic import BaseModel

from shared.web.problems import Problem, RenderProblem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Auth = Literal["none", "optional", "caller", "operator"]
T = TypeVar("T")
_FullMatch = Callable[[str], re.Match[str] | None]
MAX_BODY: Final = 2**20  # bytes; what is larger is a stream and bounded by its handler
_NAMES: Final = re.compile(r"(\{\+?[a-z_]+\})")


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path: who answers, what comes in, what goes out, who may ask.

    ``auth`` is ``none`` (no credential is looked at), ``optional`` (a wrong one is refused),
    ``caller`` (one is needed) or ``operator``. ``accepts`` names the media types of a body that is
    no JSON, for the description; ``form`` is what a form holds, and where ``bodyless`` a body may
    be left out. ``parameters`` are OpenAPI's objects for a query that no model reads, by the names
    under which routes share them. ``max_body`` null leaves bounding to the handler
    (``bodies.chunks``). A response given as text is described, not modelled. ``render`` is this
    route's own form of errors. ``names`` says more of texts that the path names: JSON Schema.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    request: type[BaseModel] | None = None
    accepts: tuple[str, ...] = ()
    form: type[BaseModel] | None = None
    bodyless: bool = False
    query: type[BaseModel] | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    responses: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)
    auth: Auth = "none"
    tags: tuple[str, ...] = ()
    max_body: int | None = MAX_BODY
    credentials_in_query: bool = False
    render: RenderProblem | None = None
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """The path as OpenAPI and the metrics write it."""
        return self.path.replace("{+", "{")


@dataclass(frozen=True, slots=True)
class Place(Generic[T]):
    """A path and what answers there, by method."""

    template: str
    methods: dict[str, T]


class Table(Generic[T]):
    """Where each path leads: literal paths first, then patterns in the order given."""

    __slots__ = ("_aliases", "_literal", "_open", "_patterns")

    def __init__(self, entries: Iterable[tuple[Route, T]], aliases: tuple[str, ...] = ()) -> None:
        """Enter routes; ``aliases`` such as ``/v1`` may stand before any path."""
        self._literal: dict[str, Place[T]] = {}
        self._patterns: dict[str, list[tuple[str, _FullMatch, Place[T]]]] = {}
        self._open: list[tuple[str, _FullMatch, Place[T]]] = []
        self._aliases = frozenset(aliases)
        known: dict[str, Place[T]] = {}
        for route, answer in entries:
            place = known.get(route.path)
            if place is None:
                place = known[route.path] = self._enter(route)
            if route.method in place.methods:
                raise ValueError(f"{route.method} {route.path} is given twice")
            place.methods[route.method] = answer
        for place in known.values():
            if "GET" in place.methods:
                place.methods.setdefault("HEAD", place.methods["GET"])

    def _enter(self, route: Route) -> Place[T]:
        place: Place[T] = Place(route.template, {})
        pattern = _pattern(route.path)
        if pattern is None:
            self._literal[route.path] = place
        else:
            first = _first(route.path)
            ranked = self._open if "{" in first else self._patterns.setdefault(first, [])
            ranked.append((route.path.rpartition("}")[2], pattern.fullmatch, place))
        return place

    def find(self, raw: str) -> tuple[Place[T], dict[str, str]] | None:
        """Return the place that a raw path leads to and the values of its names.

        Raises ``Problem`` 400 for a value that is not UTF-8.
        """
        if len(raw) > 1 and raw[-1] == "/":
            raw = raw[:-1]
        first = _first(raw)
        if first in self._aliases and first != raw:
            raw = raw[len(first) :]
            first = _first(raw)
        ranked = self._patterns.get(first, self._open)
        literal = self._literal.get(raw)
        if literal is not None:
            return literal, {}
        for ending, matches, place in ranked:
            # A look at the end spares most paths a search that goes back letter by letter.
            found = matches(raw) if raw.endswith(ending) else None
            if found is not None:
                values = found.groupdict()
                return place, values if "%" not in raw and raw.isascii() else _decoded(values)
        return None


def _pattern(path: str) -> re.Pattern[str] | None:
    if "{" not in path:
        return None
    if path.startswith("/{"):
        raise ValueError(f"{path} must begin with something said")
    parts = [
        _named(part[1:-1]) if part.startswith("{") else re.escape(part)
        for part in _NAMES.split(path)
    ]
    return re.compile("".join(parts), re.DOTALL)


def _named(name: str) -> str:
    return f"(?P<{name[1:]}>.+)" if name.startswith("+") else f"(?P<{name}>[^/]+)"


def _first(path: str) -> str:
    end = path.find("/", 1)
    return path if end < 0 else path[:end]


def _decoded(values: dict[str, str]) -> dict[str, str]:
    try:
        decoded = {name: unquote(value, errors="strict") for name, value in values.items()}
        "".join(decoded.values()).encode()
    except UnicodeError:
        raise Problem(400, "path-not-utf8", "The path is not UTF-8") from None
    return decoded
