"""The site of accounts: its routes, who may ask, and its OpenAPI document."""

from functools import partial

from aiohttp import web

from services.accounts.api import (
    agreements,
    api_keys,
    credentials,
    organisations,
    people,
    preferences,
    requests,
    sign_ins,
    transfers,
)
from services.accounts.api.problems import FAULTS
from services.accounts.commands.context import Accounts
from services.accounts.commands.persons import People
from shared.runtime.health import Health
from shared.web import Callers, Info, Route, build_site

INFO = Info(
    title="Colophon accounts",
    version="1",
    description="Organisations, their prefixes, reference preferences, credentials, agreements; "
    "people, who sign in and hold API keys.",
)
ROOMS = (organisations, transfers, credentials, agreements, preferences, requests)
PERSONAL = (people, sign_ins, api_keys)


def site(
    accounts: Accounts, persons: People, *, health: Health, callers: Callers
) -> web.Application:
    """Make the site."""
    return build_site(
        "accounts",
        routes(accounts, persons),
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )


def routes(accounts: Accounts, persons: People) -> list[Route]:
    """Return every route, its handler bound to what it asks."""
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
        for asked, rooms in ((accounts, ROOMS), (persons, PERSONAL))
        for room in rooms
        for route in room.ROUTES
    ]
