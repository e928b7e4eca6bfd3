"""Pools: which one a request is in, what its client may still ask, and what the wire says of it.

crossref.md 1.10. A client is a token in the pool plus and a network address in the others. Its rate
is a bucket that fills steadily and holds a burst at most; beside it, so many answers at once. Each
process counts for itself: behind several, a client has so much of each.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiohttp import web
from multidict import istr

from services.distribution.rest.envelope import JSON, JSON_UTF8, VERSION, Answer
from shared.policy.pools import Pool, PoolRow, PoolsPolicy
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.metrics import REFUSED
from shared.web import Caller, Problem, Route, caller_of
from shared.web.routes import Handler

KEPT: Final = 100_000  # clients remembered; the longest unseen is forgotten first
LIMITED: Final = "too-many-requests"
VARYING: Final = {JSON_UTF8: ("Accept",), JSON: ()}
LONGER: Final = ("Accept-Encoding",)
LONG: Final = 1_024  # bytes
STATED: Final = web.RequestKey("stated", dict[str, str])
_AGENTS: Final = (istr("User-Agent"), istr("X-USER-AGENT"))
_MAILTO: Final = istr("Mailto")


@dataclass(slots=True)
class Client:
    """What one client has left, and how many of its answers are under way."""

    left: float
    at: float
    under_way: int = 0


@dataclass(slots=True)
class Pools:
    """Lets clients in as the policy says; where ``enforced`` is false the limits are only told."""

    policy: PoolsPolicy
    enforced: bool = True
    clock: Clock = SYSTEM
    _clients: OrderedDict[tuple[str, str], Client] = field(default_factory=OrderedDict)
    _headers: Mapping[Pool, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        """Write down once what each pool is told."""
        self._headers = {
            name: {
                "x-api-pool": name,
                "x-rate-limit-limit": str(row.requests),
                "x-rate-limit-interval": row.interval,
                # Names of 2022, which the wire sent beside those; some clients read them.
                "x-ratelimit-limit": str(row.requests),
                "x-ratelimit-interval": row.interval,
                "x-concurrency-limit": str(row.at_once),
            }
            for name, row in self.policy.rows.items()
        }

    def limiting(self, route: Route) -> Handler:
        """Return a route's handler behind the limits; its answers say which ones hold."""
        inner = route.handler

        async def handler(request: web.Request) -> web.StreamResponse:
            client = self.enter(request)
            try:
                response = await inner(request)
            finally:
                client.under_way -= 1
            if not response.prepared:
                response.headers.update(request[STATED])
            return response

        return handler

    def told(self, request: web.Request) -> dict[str, str]:
        """Return what an answer says of the pool it is given in."""
        stated = request.get(STATED)
        if stated is None:
            stated = request[STATED] = self._headers[pool(request)]
        return stated

    def enter(self, request: web.Request) -> Client:
        """Count a request in; who is done takes one off ``under_way``.

        Raises ``Problem`` 429 with the time to wait where the client asks for too much.
        """
        name = pool(request)
        row, caller = self.policy.rows[name], caller_of(request)
        request[STATED] = self._headers[name]
        who = caller.credential if name == "plus" else request.remote
        client = self._client((name, who or "unknown"), row)
        if self.enforced and caller.kind != "operator":
            if client.under_way >= row.at_once:
                raise too_many(name, row, wait=1.0)
            if client.left < 1:
                raise too_many(name, row, wait=(1 - client.left) / row.rate)
            client.left -= 1
        client.under_way += 1
        return client

    def _client(self, key: tuple[str, str], row: PoolRow) -> Client:
        now = self.clock.monotonic()
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = Client(row.burst, now)
            while len(self._clients) > KEPT:
                self._clients.popitem(last=False)
        else:
            client.left = min(row.burst, client.left + (now - client.at) * row.rate)
            client.at = now
            self._clients.move_to_end(key)
        return client


def stated(request: web.Request) -> Mapping[str, str]:
    """Return what an answer that is streamed says of its pool; others are told it afterwards."""
    said: Mapping[str, str] = request.get(STATED, {})
    return said


def respond(
    request: web.Request,  # noqa: ARG001  (what an answer depends on, should it ever)
    answer: Answer,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Send an answer; the pool of its caller is put on it where it leaves the site.

    What says nothing of its own about caches varies as on the wire, where resources of one kind
    were chosen by Accept and longer answers by Accept-Encoding (crossref.md 1.1).
    """
    response = web.Response(status=answer.status, body=answer.body, headers=headers)
    response.headers["Content-Type"] = answer.content_type
    if answer.content_type in VARYING and "Vary" not in response.headers:
        varies = [*VARYING[answer.content_type], *LONGER[: len(answer.body) >= LONG]]
        if varies:
            response.headers["Vary"] = ", ".join(varies)
    return response


def pool(request: web.Request) -> Pool:
    """Return the pool of a request: plus, polite (it says who to write to), or public."""
    caller: Caller = caller_of(request)
    if caller.pool == "plus":
        return "plus"
    if "mailto=" in request.query_string or _MAILTO in request.headers:
        return "polite"
    said = any("mailto:" in request.headers.get(name, "") for name in _AGENTS)
    return "polite" if said else "public"


def too_many(name: Pool, row: PoolRow, *, wait: float) -> Problem:
    """Refuse a client that asks for more than its pool gives."""
    REFUSED.labels(name).inc()
    return Problem(
        429,
        LIMITED,
        "Too many requests",
        f"The {name} pool gives a client {row.requests} requests in {row.interval} and "
        f"{row.at_once} answers at once.",
        headers={"Retry-After": str(max(1, math.ceil(wait)))},
    )


def refused(problem: Problem) -> Answer:
    """Return a refusal for asking too much, in Crossref's form."""
    body = {
        "status": "error",
        "message-type": "rate-limit-exceeded",
        "message-version": VERSION,
        "message": f"{problem.title}. {problem.detail}",
    }
    return Answer(problem.status, JSON_UTF8, orjson.dumps(body))
