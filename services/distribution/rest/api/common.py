"""What the routes of the REST interface have in common."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.failure import Failure
from services.distribution.rest.params import parse_single, parse_works
from services.distribution.rest.pools import respond
from shared.web import Route

OUTLET: Final = "rest"

Handler = Callable[[web.Request], Awaitable[web.Response]]
Names = Mapping[str, Any]


def get(path: str, handler: Any, summary: str, message: str, **names: Names) -> Route:
    """Return a route that anybody may read; ``message`` is the type of what it answers.

    ``names`` says what a text that the path names must be, as JSON Schema.
    """
    return Route(
        "GET",
        path,
        handler,
        summary,
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
