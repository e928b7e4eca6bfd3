"""Names of the citation styles and locales that formatted citations may be asked for in."""

from functools import cache

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.api.common import get, single
from services.distribution.rest.pools import respond
from services.distribution.transform.styles import locales, styles
from shared.web import Route


def routes() -> tuple[Route, ...]:
    """Return the routes of styles and locales."""
    return (
        get("/styles", single(_list_styles), "List citation styles", "style-list"),
        get("/locales", single(_list_locales), "List citation locales", "locale-list"),
    )


@cache
def _ordered() -> tuple[str, ...]:
    return tuple(sorted(styles()))  # some ten thousand


async def _list_styles(request: web.Request) -> web.Response:
    return respond(request, envelope.success("style-list", envelope.plain_list(_ordered())))


async def _list_locales(request: web.Request) -> web.Response:
    return respond(request, envelope.success("locale-list", envelope.plain_list(locales())))
