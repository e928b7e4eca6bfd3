"""A site made of routes: finds the route, the caller and the answer, and never shows a trace.

Everything that happens to each request happens in one flat function, because it is paid for by
each request (docs/performance.md); aiohttp's own router sees one route.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.hdrs import CONTENT_ENCODING
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException
from aiohttp.web_protocol import RequestPayloadError
from multidict import istr

from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.metrics import HTTP_SECONDS
from shared.web.answers import json_answer
from shared.web.callers import ANONYMOUS, Caller, Callers
from shared.web.compress import GZIP_FROM, compress
from shared.web.correlation import correlation, correlation_if_asked
from shared.web.door import Door
from shared.web.faults import place_of
from shared.web.health import health_routes
from shared.web.openapi import Info, openapi
from shared.web.pace import PACE
from shared.web.presented import shows_credential, unauthorised
from shared.web.problems import (
    Problem,
    RenderProblem,
    from_http,
    not_found,
    render_problem,
    too_large,
)
from shared.web.routes import MAX_BODY, Auth, Handler, Place, Route, Table
from shared.web.timings import GATHERED, Timings

CALLER: Final = web.RequestKey("caller", Caller)
UNKNOWN_ROUTE: Final = "(unknown)"

Faults = Mapping[type[Exception], Callable[[Exception], Problem]]
UnknownRoute = Callable[[web.Request], web.Response]


@dataclass(slots=True)
class _Served:
    """A route made ready: its handler, its form of errors, and its metrics by status."""

    handler: Handler
    auth: Auth
    in_query: bool
    max_body: int | None
    render: RenderProblem
    template: str
    seconds: dict[int, list[float]]


def caller_of(request: web.Request) -> Caller:
    """Return who is calling, as the route's ``auth`` had it found out."""
    caller: Caller = request.get(CALLER, ANONYMOUS)
    return caller


def build_site(
    service: str,
    routes: Iterable[Route],
    *,
    health: Health,
    info: Info,
    callers: Callers | None = None,
    aliases: tuple[str, ...] = (),
    render: RenderProblem = render_problem,
    unknown_route: UnknownRoute | None = None,
    headers: Mapping[str, str] | None = None,
    faults: Faults | None = None,
    gzip_from: int = GZIP_FROM,
    clock: Clock = SYSTEM,
) -> web.Application:
    """Make a site of ``routes``, with health, figures and its own OpenAPI document beside them.

    ``aliases`` such as ``/v1`` may stand before any path. ``headers`` go on each answer that has
    no such header. ``faults`` says which exceptions are which problems; any other is a 500.
    ``unknown_route`` answers where no route is. Raises ``ValueError`` for routes that clash.
    """
    timings = Timings(HTTP_SECONDS, service)
    public = [*routes, *health_routes(health, before_figures=timings.fold)]

    async def describe(_request: web.Request) -> web.Response:
        return json_answer(document, headers={"Cache-Control": "public, max-age=300"})

    described = {200: "The OpenAPI 3.1 document of this site."}
    public.append(
        Route(
            "GET", "/openapi.json", describe, "This document", responses=described, tags=("site",)
        )
    )
    document = orjson.dumps(openapi(public, info))
    table = Table(((route, _served(route, callers, render)) for route in public), aliases)
    unknown = _unknown(unknown_route, render)
    edge = _Edge(
        timings,
        table,
        unknown,
        callers,
        headers=tuple((istr(name), value) for name, value in (headers or {}).items()),
        faults=faults or {},
        gzip_from=gzip_from,
        monotonic=clock.monotonic,
        log=get_log("http"),
    )
    app = web.Application(
        client_max_size=max((route.max_body or MAX_BODY for route in public), default=MAX_BODY)
    )
    app.router.register_resource(Door(_dispatch(edge)))
    return app


def _served(route: Route, callers: Callers | None, render: RenderProblem) -> _Served:
    if route.auth != "none" and callers is None:
        raise ValueError(
            f"{route.method} {route.path} wants to know callers; give them to the site"
        )
    return _Served(
        handler=route.handler,
        auth=route.auth,
        in_query=route.credentials_in_query,
        max_body=route.max_body,
        render=route.render or render,
        template=route.template,
        seconds={},
    )


def _unknown(answer: UnknownRoute | None, render: RenderProblem) -> _Served:
    async def handler(request: web.Request) -> web.Response:
        if answer is None:
            raise not_found()
        return answer(request)

    return _Served(handler, "none", False, None, render, UNKNOWN_ROUTE, {})  # noqa: FBT003


def _other_method(place: Place[_Served]) -> _Served:
    """Answer a method that a path does not have: what it has, which OPTIONS asks for."""
    allowed = ", ".join(sorted({*place.methods, "OPTIONS"}))
    render = next(iter(place.methods.values())).render

    async def handler(request: web.Request) -> web.Response:
        if request.method == "OPTIONS":
            said = {"Allow": allowed, "Access-Control-Allow-Methods": allowed}
            return web.Response(status=204, headers=said)
        title = "This address has no such method"
        raise Problem(405, "method-not-allowed", title, headers={"Allow": allowed})

    return _Served(handler, "none", False, None, render, place.template, {})  # noqa: FBT003


@dataclass(frozen=True, slots=True)
class _Edge:
    """What one site does to every request."""

    timings: Timings
    table: Table[_Served]
    unknown: _Served
    callers: Callers | None
    headers: tuple[tuple[str, str], ...]
    faults: Faults
    gzip_from: int
    monotonic: Callable[[], float]
    log: Any


def _dispatch(edge: _Edge) -> Handler:  # noqa: C901  (one flat function: see above)
    find, unknown, callers, timings = edge.table.find, edge.unknown, edge.callers, edge.timings
    monotonic, headers, gzip_from = edge.monotonic, edge.headers, edge.gzip_from

    async def dispatch(request: web.Request) -> web.StreamResponse:  # noqa: C901, PLR0912
        started = monotonic()
        served = unknown
        response: web.StreamResponse
        try:
            found = find(request.rel_url.raw_path)
            if found is not None:
                place, values = found
                served = place.methods.get(request.method) or _other_method(place)
                request.match_info.update(values)
            if request.body_exists:
                _bound(request, served.max_body)
            if served.auth != "none" and callers is not None:
                caller = ANONYMOUS
                if served.in_query or shows_credential(request.headers):
                    caller = await callers.of(request, in_query=served.in_query)
                request[CALLER] = caller
                if served.auth != "optional":
                    _admit(served.auth, caller)
            response = await served.handler(request)
        except Exception as fault:  # noqa: BLE001  (the edge: nothing passes it but an answer)
            response = _refusal(fault, request, served, edge)
        if not response.prepared:
            named = response.headers
            for name, value in headers:
                named.setdefault(name, value)
            correlated = correlation_if_asked()
            if correlated is not None:
                named["X-Request-Id"] = correlated
            if type(response) is web.Response:
                body = response.body
                if type(body) is bytes and len(body) >= gzip_from:
                    await compress(request, response, body)
        status = response.status
        gathered = served.seconds.get(status)
        if gathered is None:
            gathered = served.seconds[status] = timings.of(served.template, status)
        gathered.append(monotonic() - started)
        if len(gathered) >= GATHERED:
            timings.fold()
        return response

    return dispatch


def _bound(request: web.Request, limit: int | None) -> None:
    """Refuse a body that cannot be taken before it comes, and watch how the others come."""
    if request.headers.get(CONTENT_ENCODING, "identity").strip().lower() != "identity":
        # A few bytes could unfold to any number.
        title = "A body is sent as it is, without Content-Encoding"
        raise Problem(415, "encoded-body", title, headers={"Accept-Encoding": "identity"})
    length, pace = request.content_length, request.app.get(PACE)
    if limit is None and pace is not None:
        limit = pace.most
    if limit is not None and length is not None and length > limit:
        raise too_large(limit)
    if pace is not None:
        pace.watch(request)


def _refusal(
    fault: Exception, request: web.Request, served: _Served, edge: _Edge
) -> web.StreamResponse:
    """Turn whatever a handler raised into an answer; a lost connection and redirects pass."""
    match fault:
        case Problem():
            problem = fault
        case HTTPException() if fault.status >= HTTPStatus.BAD_REQUEST:
            problem = from_http(fault)
        case HTTPException() | ConnectionError():
            raise fault
        case HttpProcessingError() | RequestPayloadError():
            problem = Problem(400, "broken-body", "The body does not arrive as its headers say")
        case _:
            problem = _problem_of(fault, request, served, edge)
    response = served.render(request, problem)
    if request.body_exists and not request.content.at_eof():
        # A refused body that is still under way would be read to its end to keep the connection.
        response.force_close()
    return response


def _problem_of(fault: Exception, request: web.Request, served: _Served, edge: _Edge) -> Problem:
    for kind, problem_of in edge.faults.items():
        if isinstance(fault, kind):
            return problem_of(fault)
    correlation(request)  # from here on it stands in the log's lines
    # The fault's own words may quote what was sent: its kind and place are enough to find it.
    kind_and_place = {"fault": type(fault).__name__, "place": place_of(fault)}
    edge.log.error("request failed", route=served.template, **kind_and_place)
    return Problem(500, "internal", "Something failed here", "It has been noted; try again later.")


def _admit(auth: Auth, caller: Caller) -> None:
    if auth == "operator" and caller.kind != "operator":
        if caller.kind == "anonymous":
            raise unauthorised("Operators show their token: Authorization: Bearer <token>.")
        raise Problem(403, "operators-only", "Only operators may do this")
    if caller.kind == "anonymous":
        detail = "The token's agreement does not run." if caller.lapsed else "Show a credential."
        raise unauthorised(detail)
