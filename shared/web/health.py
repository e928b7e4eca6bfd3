"""What a supervisor and Prometheus ask: alive, ready, and figures. No personal data in any."""

import asyncio
from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.health import Health, Part
from shared.web.answers import json_answer
from shared.web.routes import Route

_TAGS = ("operation",)
_NO_STORE = {"Cache-Control": "no-store"}


def health_routes(health: Health, *, before_figures: Callable[[], None]) -> list[Route]:
    """Return the routes ``/healthz``, ``/readyz`` and ``/metrics``.

    ``before_figures`` is called in a thread before each look at the figures.
    """

    async def alive(_request: web.Request) -> web.Response:
        return _parts(health.liveness())

    async def ready(_request: web.Request) -> web.Response:
        return _parts([*health.readiness(), *health.liveness()])

    def written() -> bytes:
        before_figures()
        return generate_latest()

    async def figures(_request: web.Request) -> web.Response:
        # Some thousand lines take tens of milliseconds to write: not in the event loop.
        text = await asyncio.to_thread(written)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST, **_NO_STORE})

    stalled = {200: "Each part makes progress.", 503: "Some part does not; it is named."}
    serving = {200: "Each part can serve.", 503: "Some part cannot; it is named."}
    text = {200: "The figures, in Prometheus' text form."}
    return [
        Route("GET", "/healthz", alive, "Is it alive?", responses=stalled, tags=_TAGS),
        Route("GET", "/readyz", ready, "Can it serve?", responses=serving, tags=_TAGS),
        Route("GET", "/metrics", figures, "Figures", responses=text, tags=_TAGS),
    ]


def _parts(parts: Iterable[Part]) -> web.Response:
    said = [
        {"part": part.name, "ok": part.ok}
        | ({"why": part.why} if part.why else {})
        | ({"seconds-since-progress": part.since} if part.since is not None else {})
        for part in parts
    ]
    ok = all(part["ok"] for part in said)
    document = {"status": "ok" if ok else "failing", "parts": said}
    return json_answer(document, status=200 if ok else 503, headers=_NO_STORE)
