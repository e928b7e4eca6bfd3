"""The site of distribution: its routes, its headers, and Crossref's own form of errors."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.pools import respond
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.web import Callers, Info, Problem, Route, build_site, text_answer
from shared.web.problems import render_problem

# What api.crossref.org puts on every answer (crossref.md 1.1); the limits are what is stated,
# enforcing them comes with the pools.
HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Requested-With, Accept, Accept-Encoding, Accept-Charset, "
    "Accept-Language, Accept-Ranges, Cache-Control",
    "Access-Control-Expose-Headers": "Link",
    "Permissions-Policy": "interest-cohort=()",
}


def site(routes: Iterable[Route], *, health: Health, callers: Callers) -> web.Application:
    """Build the site of this host."""
    return build_site(
        "distribution",
        tuple(routes),
        health=health,
        callers=callers,
        info=Info(
            "Colophon distribution",
            "0.1.0",
            "Works, members and prefixes, as api.crossref.org answers them.",
        ),
        aliases=("/v1", "/v1.0"),
        render=_refused,
        unknown_route=lambda request: respond(request, envelope.route_not_found()),
        headers=HEADERS,
        faults={
            Transient: lambda _: Problem(
                503,
                "store-away",
                "The store does not answer at the moment",
                headers={"Retry-After": "2"},
            )
        },
    )


def _refused(request: web.Request, problem: Problem) -> web.Response:
    """Say 401 as Crossref does, in plain text; the rest as problems."""
    if problem.status == web.HTTPUnauthorized.status_code:
        return text_answer(problem.detail, status=problem.status, headers=problem.headers)
    return render_problem(request, problem)
