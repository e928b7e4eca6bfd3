"""A route before it is bound to the service it asks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from services.consent.commands.context import Consenting

Handler = Callable[[Consenting, web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Unbound:
    """As shared.web's Route, with a handler that still wants its ``Consenting``."""

    method: str
    path: str
    handler: Handler
    summary: str
    auth: Literal["none", "caller", "operator"]
    request: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    responses: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)
