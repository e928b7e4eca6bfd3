"""The address of the site itself: it leads to what describes the rest."""

from typing import Final

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.api.common import single
from services.distribution.rest.envelope import Answer
from services.distribution.rest.pools import respond
from shared.web import Route

DESCRIPTION: Final = "/openapi.json"


def routes() -> tuple[Route, ...]:
    """Return the route of the site's own address."""
    said = {302: "To the description", 400: "What is wrong with the parameters"}
    return (
        Route(
            "GET", "/", single(_lead), "Lead to the description of all routes",
            responses=said, auth="optional", tags=("rest",),
        ),
    )  # fmt: skip


async def _lead(request: web.Request) -> web.Response:
    there = {"Location": DESCRIPTION, "Cache-Control": "no-cache"}
    return respond(request, Answer(302, envelope.PLAIN, b""), there)
