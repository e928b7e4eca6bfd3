"""Rooms of routes: tables that name their handlers before there is anything to ask."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from shared.web.routes import Auth, Route


@dataclass(frozen=True, slots=True)
class Unbound:
    """As ``Route``, with a handler that still wants what it asks, as its first argument."""

    method: str
    path: str
    handler: Callable[[Any, web.Request], Awaitable[web.Response]]
    summary: str
    auth: Auth
    request: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    responses: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)


def bound(asked: object, rooms: Iterable[ModuleType]) -> list[Route]:
    """Return the routes of rooms, each module's ``ROUTES``, bound to what their handlers ask.

    The module's name is the tag of its routes.
    """
    return [
        Route(
            route.method,
            route.path,
            partial(route.handler, asked),
            route.summary,
            request=route.request,
            query=route.query,
            responses=route.responses,
            auth=route.auth,
            tags=(room.__name__.rsplit(".", 1)[-1],),
        )
        for room in rooms
        for route in room.ROUTES
    ]
