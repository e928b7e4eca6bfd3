"""The site of distribution: its routes, its headers, and Crossref's own form of errors."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from aiohttp import web

from services.distribution.rest import envelope
from services.distribution.rest.pools import LIMITED, Pools, refused, respond
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.web import Callers, Info, Problem, Route, build_site, text_answer
from shared.web.problems import render_problem

# What api.crossref.org puts on every answer (crossref.md 1.1).
HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Requested-With, Accept, Accept-Encoding, Accept-Charset, "
    "Accept-Language, Accept-Ranges, Cache-Control",
    "Access-Control-Expose-Headers": "Link",
    "Permissions-Policy": "interest-cohort=()",
}


def site(
    routes: Iterable[Route], *, health: Health, callers: Callers, pools: Pools
) -> web.Application:
    """Build the site of this host; every route of it is behind the limits of its pools."""

    def unknown(request: web.Request) -> web.Response:
        return respond(request, envelope.route_not_found(), pools.told(request))

    return build_site(
        "distribution",
        tuple(replace(route, handler=pools.limiting(route)) for route in routes),
        health=health,
        callers=callers,
        info=Info(
            "Colophon distribution",
            "0.1.0",
            "Works, members and prefixes, as api.crossref.org answers them.",
            plain=(web.HTTPUnauthorized.status_code,),
        ),
        aliases=("/v1", "/v1.0"),
        render=_refusing(pools),
        unknown_route=unknown,
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


def _refusing(pools: Pools) -> Callable[[web.Request, Problem], web.Response]:
    """Say 401 and 429 as Crossref does, in plain text and in its envelope; the rest as problems."""

    def render(request: web.Request, problem: Problem) -> web.Response:
        headers = {**problem.headers, **pools.told(request)}
        if problem.status == web.HTTPUnauthorized.status_code:
            return text_answer(problem.detail, status=problem.status, headers=headers)
        if problem.slug == LIMITED:
            return respond(request, refused(problem), headers)
        answer = render_problem(request, problem)
        answer.headers.update(pools.told(request))
        return answer

    return render
