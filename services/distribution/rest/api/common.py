"""What the routes of the REST interface have in common."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from services.distribution.rest import envelope, routes
from services.distribution.rest.described import described
from services.distribution.rest.failure import Failure
from services.distribution.rest.params import parse_single, parse_works
from services.distribution.rest.pools import respond
from shared.web import Route

OUTLET: Final = "rest"
RESOLVED: Final = re.compile(r"^(?:https?:/{1,2}(?:dx\.|www\.)?doi\.org/|doi:)(?=10\.)")

Handler = Callable[[web.Request], Awaitable[web.Response]]


def doi_in(request: web.Request) -> str:
    """Return the DOI that a path names, lower-case; it may stand there as its resolver's address.

    A proxy that merges slashes leaves one of the two behind the scheme.
    """
    text = request.match_info["doi"].lower()
    return text if text.startswith("10.") else RESOLVED.sub("", text)


def get(
    path: str,
    handler: Any,
    summary: str,
    message: str,
    takes: routes.Route = routes.SINGLE,
    **names: Mapping[str, Any],
) -> Route:
    """Return a route that anybody may read.

    ``message`` is the type of what it answers, ``takes`` what may be asked with it; ``names`` says
    what a text that the path names must be, as JSON Schema.
    """
    return Route(
        "GET",
        path,
        handler,
        summary,
        parameters=described(takes),
        responses={200: message, 400: "What is wrong with the parameters", 404: "Unknown"},
        auth="optional",
        tags=("rest",),
        names=names,
    )


def single(handler: Handler) -> Handler:
    """Return a handler that is only asked where the parameters are a single record's.

    They are looked at first: what is wrong with them is said whether the record exists or not.
    """

    async def checked(request: web.Request) -> web.Response:
        if request.query_string:
            asked = parse_single(request.query.items())
            if isinstance(asked, list):
                return refuse(request, asked)
        return await handler(request)

    return checked


def refuse(request: web.Request, failures: list[Failure]) -> web.Response:
    """Answer with what is wrong with the parameters."""
    return respond(request, envelope.validation_failure(failures))


def unknown_works(request: web.Request) -> web.Response:
    """Answer where the works of what does not exist are asked for."""
    query = parse_works(request.query.items())
    if isinstance(query, list):
        return refuse(request, query)
    return respond(request, envelope.resource_not_found("work-list"))
