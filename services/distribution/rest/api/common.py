"""What the routes of the REST interface have in common."""

from typing import Any, Final

from shared.web import Route

OUTLET: Final = "rest"


def get(path: str, handler: Any, summary: str, message: str) -> Route:
    """Return a route that anybody may read; ``message`` is the type of what it answers."""
    return Route(
        "GET",
        path,
        handler,
        summary,
        responses={200: message, 400: "What is wrong with the parameters", 404: "Unknown"},
        auth="optional",
        tags=("rest",),
    )
