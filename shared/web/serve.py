"""A site as a role of its process: listen, and on draining finish what is under way."""

import asyncio
import errno
import logging

from aiohttp import web

from shared.runtime.log import get_log
from shared.web.pace import PACE, Pace

IDLE_SECONDS = 75.0  # a connection without a whole request is kept this long; proxies: 60


class PortTaken(Exception):
    """Another process listens on the port."""


class _Quiet(logging.Filter):
    """aiohttp's server log without its traces: they may quote a malformed request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the kind of a fault, drop its words."""
        fault = record.exc_info[1] if record.exc_info else None
        record.msg = "http: %s"
        record.args = (type(fault).__name__ if fault is not None else "refused a request",)
        record.exc_info = None
        record.exc_text = None
        return True


_LOGGER = logging.getLogger("colophon.http")
_LOGGER.addFilter(_Quiet())


async def serve(
    app: web.Application,
    draining: asyncio.Event,
    *,
    host: str,
    port: int,
    drain_seconds: float = 20.0,
    bound: asyncio.Future[int] | None = None,
    idle_seconds: float = IDLE_SECONDS,
    pace: Pace = Pace(),  # noqa: B008  (frozen)
) -> None:
    """Serve ``app`` until ``draining``; then take no more, finish what runs, and return.

    ``port`` 0 takes a free one; ``bound`` is given the port listened on. ``drain_seconds`` bounds
    the finishing. Slow clients: a head must come whole within ``idle_seconds``, a body keep
    ``pace``. Raises ``PortTaken``. A role: ``partial(serve, app, host=..., port=...)``.
    """
    app[PACE] = pace
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=drain_seconds,
        keepalive_timeout=idle_seconds,
        logger=_LOGGER,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        try:
            await site.start()
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                f"another process listens on {host}:{port}; stop it, or set HTTP_PORT "
                "(PORT_SHIFT moves every port)"
            ) from None
        listening = runner.addresses[0][1]
        get_log("http").info("listening", url=f"http://{host}:{listening}")
        if bound is not None and not bound.done():
            bound.set_result(listening)
        await draining.wait()
    finally:
        await runner.cleanup()
