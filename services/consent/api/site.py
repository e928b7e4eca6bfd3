"""The site of consent: its routes, who may ask, and its OpenAPI document."""

from functools import partial

from aiohttp import web

from services.consent.api import consents, links, lists, notices, registers
from services.consent.api.problems import FAULTS
from services.consent.commands.context import Consenting
from shared.runtime.health import Health
from shared.web import Callers, Info, Route, build_site

INFO = Info(
    title="Colophon consent",
    version="1",
    description="Notices, consents, lists, processors, and the gate in front of personal data.",
)
ROOMS = (notices, lists, links, consents, registers)


def site(consenting: Consenting, *, health: Health, callers: Callers) -> web.Application:
    """Make the site."""
    return build_site(
        "consent",
        routes(consenting),
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )


def routes(consenting: Consenting) -> list[Route]:
    """Return every route, its handler bound to ``consenting``."""
    return [
        Route(
            route.method,
            route.path,
            partial(route.handler, consenting),
            route.summary,
            request=route.request,
            query=route.query,
            responses=route.responses,
            auth=route.auth,
            tags=(room.__name__.rsplit(".", 1)[-1],),
        )
        for room in ROOMS
        for route in room.ROUTES
    ]
