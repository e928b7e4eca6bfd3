"""One id that follows a request through answers, logs and events."""

import re
from contextvars import ContextVar
from typing import Final

from aiohttp import web
from structlog.contextvars import bind_contextvars

from shared.runtime.ids import new_id

# W3C Trace Context section 3.2.2: version, trace id, parent id, flags; all zeros is no trace.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"
)

# aiohttp runs each request in a task with a context of its own, so nothing leaks to the next.
_current: ContextVar[str | None] = ContextVar("correlation", default=None)


def correlation(request: web.Request) -> str:
    """Return this request's correlation: the caller's trace id, else a new id; 32 hex digits.

    Made when first asked for; from then on the log's lines and the answer carry it.
    """
    known = _current.get()
    if known is not None:
        return known
    traced = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    made = traced[1] if traced else new_id().replace("-", "")
    _current.set(made)
    bind_contextvars(correlation=made)
    return made


def correlation_if_asked() -> str | None:
    """Return the correlation where somebody has asked for it already."""
    return _current.get()
