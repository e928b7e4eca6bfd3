"""Sending an answer with the pool of its caller, as the wire names it (crossref.md 1.10)."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from services.distribution.rest.envelope import Answer
from shared.web import Caller, caller_of

# What each pool is told (crossref.md 1.10); more is not refused yet.
POOLS: Final[Mapping[str, Mapping[str, str]]] = {
    name: {
        "x-api-pool": name,
        "x-rate-limit-limit": limit,
        "x-rate-limit-interval": "1s",
        "x-concurrency-limit": "5",
    }
    for name, limit in (("public", "50"), ("polite", "50"), ("plus", "150"))
}


def respond(
    request: web.Request, answer: Answer, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Send an answer, with the pool of its caller."""
    response = web.Response(
        status=answer.status,
        body=answer.body,
        headers={**(headers or {}), **POOLS[pool(request)]},
    )
    response.headers["Content-Type"] = answer.content_type
    return response


def pool(request: web.Request) -> str:
    """Return the pool of a request: plus, polite (it says who to write to), or public."""
    caller: Caller = caller_of(request)
    if caller.pool == "plus":
        return "plus"
    polite = "mailto=" in request.query_string or "mailto:" in request.headers.get("User-Agent", "")
    return "polite" if polite else "public"
