"""Types of works, and the works of each."""

from dataclasses import dataclass

from aiohttp import web

from services.distribution.host import Host
from services.distribution.rest import envelope, plan
from services.distribution.rest.api.common import get, refuse, single, unknown_works
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.params import parse_list
from services.distribution.rest.pools import respond
from services.distribution.rest.routes import TYPES, WORKS
from services.distribution.rest.types import TYPE_LABELS
from services.distribution.search import OneOf, Term
from shared.web import Route


@dataclass(frozen=True, slots=True)
class TypesApi:
    """``/types``."""

    host: Host
    works: WorksApi

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of types."""
        return (
            get("/types", self.list_types, "List types of works", "type-list", TYPES),
            get("/types/{id}", single(self.one_type), "Show a type", "type"),
            get("/types/{id}/works", self.works_of_type, "List a type's works", "work-list", WORKS),
        )

    async def list_types(self, request: web.Request) -> web.Response:
        """``GET /types``: all of them, whatever is asked."""
        query = parse_list(TYPES, request.query.items())
        if isinstance(query, list):
            return refuse(request, query)
        message = envelope.plain_list([_rendered(name) for name in TYPE_LABELS])
        return respond(request, envelope.success("type-list", message))

    async def one_type(self, request: web.Request) -> web.Response:
        """``GET /types/{id}``."""
        name = request.match_info["id"]
        if name not in TYPE_LABELS:
            return respond(request, envelope.resource_not_found("type"))
        return respond(request, envelope.success("type", _rendered(name)))

    async def works_of_type(self, request: web.Request) -> web.Response:
        """``GET /types/{id}/works``."""
        name = request.match_info["id"]
        if name not in TYPE_LABELS:
            return unknown_works(request)
        scope = plan.Scope("type", name, OneOf(Term.TYPE, frozenset({name})))
        return await self.works.within(request, scope)


def _rendered(name: str) -> dict[str, str]:
    return {"id": name, "label": TYPE_LABELS[name]}
