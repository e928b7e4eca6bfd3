"""A route before it is bound to the service it asks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

# What a handler asks first: `Accounts`, or `People` in the rooms of people.
Handler = Callable[[Any, web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Unbound:
    """As shared.web's Route, with a handler that still wants its service."""

    method: str
    path: str
    handler: Handler
    summary: str
    auth: Literal["none", "caller", "operator"]
    request: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    responses: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)
