"""The site of accounts: its routes, who may ask, and its OpenAPI document."""

from functools import partial

from aiohttp import web

from services.accounts.api import (
    agreements,
    credentials,
    organisations,
    preferences,
    requests,
    transfers,
)
from services.accounts.api.problems import FAULTS
from services.accounts.commands.context import Accounts
from shared.runtime.health import Health
from shared.web import Callers, Info, Route, build_site

INFO = Info(
    title="Colophon accounts",
    version="1",
    description="Organisations, their prefixes, reference preferences, credentials, agreements.",
)
ROOMS = (organisations, transfers, credentials, agreements, preferences, requests)


def site(accounts: Accounts, *, health: Health, callers: Callers) -> web.Application:
    """Make the site."""
    return build_site(
        "accounts",
        routes(accounts),
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )


def routes(accounts: Accounts) -> list[Route]:
    """Return every route, its handler bound to ``accounts``."""
    return [
        Route(
            route.method,
            route.path,
            partial(route.handler, accounts),
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
