"""The routes of the feed: a page of changes, waited for where wanted, and a stream of them."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from services.distribution.changes import cursor
from services.distribution.changes.asking import BEGINNING, PRESENT, Asked, parse
from services.distribution.changes.showing import OUTLET, Seen, known, shown
from services.distribution.changes.tail import Tail, passed
from services.distribution.host import Host
from services.distribution.rest import envelope
from services.distribution.rest.failure import Failure
from services.distribution.rest.plan import CursorInvalid
from services.distribution.rest.pools import respond, stated
from shared.kafka.follow import FOLLOW_FAULTS, Place
from shared.runtime.faults import Transient
from shared.runtime.metrics import STREAMS
from shared.runtime.service import wait_any
from shared.web import VARY, Problem, Route
from shared.web.presented import unauthorised

GUARDED: Final = {"Cache-Control": "private, no-cache", "Vary": VARY}
RETRY_SECONDS: Final = 2
LOOK_SECONDS: Final = 0.1  # until what waits for the store is looked at again
HEARTBEAT_SECONDS: Final = 15.0
AT_ONCE: Final = 20  # entries a stream takes in at once
YOUNG_SECONDS: Final = 1.0  # a work fetched longer ago is fetched again before it is sent
EVENT_STREAM: Final = "text/event-stream"

Positions = Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class ChangesApi:
    """``/works/changes``."""

    host: Host
    tail: Tail

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of the feed."""
        stale = {503: "Preferences are not known freshly"}
        return (
            Route(
                "GET",
                "/works/changes",
                self.page,
                "List what changed since a position",
                responses={200: "work-changes", 400: "What is wrong with the parameters"} | stale,
                auth="optional",
                tags=(OUTLET,),
            ),
            Route(
                "GET",
                "/works/changes/stream",
                self.stream,
                "Follow changes as server-sent events",
                responses={200: "text/event-stream"} | stale,
                auth="optional",
                tags=(OUTLET,),
            ),
        )

    async def page(self, request: web.Request) -> web.Response:
        """``GET /works/changes``."""
        asked = parse(request.query.items())
        if isinstance(asked, list):
            return respond(request, envelope.validation_failure(asked))
        self._require_fresh()
        start = await self._start(asked.since)
        if start is None:
            return respond(request, envelope.cursor_invalid(CursorInvalid(str(asked.since))))
        seen = await self._waited(asked, start)
        self._require_fresh()
        if not self.host.still(request):
            raise unauthorised("The token was revoked.")
        reader = self.host.reader(request)
        items = [one for entry in seen.entries if (one := shown(self.host, entry, seen, reader))]
        message = {
            "items": items,
            "items-per-page": asked.rows,
            "next-cursor": cursor.write(seen.positions, key=self.host.key),
        }
        return respond(request, envelope.success("work-changes", message), GUARDED)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """``GET /works/changes/stream``: the gate is asked for each event as it is sent."""
        asked = parse(request.query.items())
        if isinstance(asked, list):
            return respond(request, envelope.validation_failure(asked))
        if asked.wait:
            failure = Failure("parameter-not-allowed", "wait", "A stream waits by itself")
            return respond(request, envelope.validation_failure([failure]))
        self._require_fresh()
        since = request.headers.get("Last-Event-ID") or asked.since
        start = await self._start(since)
        if start is None:
            return respond(request, envelope.cursor_invalid(CursorInvalid(str(since))))
        response = web.StreamResponse(
            headers={**GUARDED, "X-Accel-Buffering": "no", **stated(request)}
        )
        response.content_type = EVENT_STREAM
        await response.prepare(request)
        if request.method != "HEAD":
            with STREAMS.track_inprogress():
                # A position to begin from, should the connection break before anything came.
                await response.write(_framed("position", self._token(start), {}))
                async for content in self._events(request, start):
                    await response.write(content)
        return response

    async def _events(self, request: web.Request, start: Positions) -> AsyncIterator[bytes]:
        """Yield each event when it may be sent, and now and then a sign of life."""
        positions, quiet = start, self.host.clock.monotonic()
        while not self.tail.closing.is_set() and self.host.still(request):
            moved = self.tail.moved
            seen = await self._some(positions, AT_ONCE)
            fetched = self.host.clock.monotonic()
            before = positions
            for entry in seen.entries:
                while not self.host.gate.fresh():
                    yield b": waiting for preferences to be known\n\n"
                    await wait_any(self.tail.closing, timeout=RETRY_SECONDS)
                    if self.tail.closing.is_set():
                        return
                if self.host.clock.monotonic() - fetched > YOUNG_SECONDS:
                    break  # a slow reader: ask anew from here
                before = passed(before, (entry,))
                said = shown(self.host, entry, seen, self.host.reader(request))
                if said is not None:
                    yield _framed(said["type"], self._token(before), said)
                    quiet = self.host.clock.monotonic()
            else:
                before = seen.positions
            positions = before
            if not seen.entries:
                waits = LOOK_SECONDS if seen.waiting else RETRY_SECONDS
                await wait_any(moved, self.tail.closing, timeout=waits)
            if self.host.clock.monotonic() - quiet > HEARTBEAT_SECONDS:
                quiet = self.host.clock.monotonic()
                yield _framed("position", self._token(positions), {})

    async def _start(self, since: str | int) -> Positions | None:
        """Return the position that is asked for, None for a token that is none of ours."""
        with _broker():
            if since == BEGINNING:
                return {}
            if since == PRESENT:
                return await self.tail.present()
            if isinstance(since, int):
                return await self.tail.at(since)
        return cursor.read(since, key=self.host.key)

    async def _waited(self, asked: Asked, start: Positions) -> Seen:
        """Return the page that follows, waiting for something to be in it as long as asked."""
        until = self.host.clock.monotonic() + asked.wait
        positions = start
        while True:
            moved = self.tail.moved
            seen = await self._some(positions, asked.rows)
            left = until - self.host.clock.monotonic()
            if seen.entries or left <= 0 or self.tail.closing.is_set() or not asked.rows:
                return seen
            positions = seen.positions
            waits = LOOK_SECONDS if seen.waiting else RETRY_SECONDS
            await wait_any(moved, self.tail.closing, timeout=min(left, waits))

    async def _some(self, positions: Positions, most: int) -> Seen:
        if not most:
            return Seen((), {}, positions)
        with _broker():
            page = await self.tail.page(positions, most)
        return await known(self.host, page.entries, positions, page.positions)

    def _token(self, positions: Positions) -> str:
        return cursor.write(positions, key=self.host.key)

    def _require_fresh(self) -> None:
        if not self.host.gate.fresh():
            raise Problem(
                503,
                "knowledge-stale",
                "Reference preferences are not known well enough at the moment",
                "Ask again shortly.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )


@contextlib.contextmanager
def _broker() -> Iterator[None]:
    """Say of a broker that is away what is said of a store that is."""
    try:
        yield
    except FOLLOW_FAULTS as fault:
        raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault


def _framed(kind: str, token: str, said: dict[str, Any]) -> bytes:
    """Return an event as it stands in a stream; its id is where to go on."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (
        kind.encode(),
        token.encode(),
        orjson.dumps(said),
    )
