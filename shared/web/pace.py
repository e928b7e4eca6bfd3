"""How slowly a body may come: a client that hardly sends is answered 408 and let go.

Only time in which we would have taken more counts against a client: while reading is held up on
our side its clock stands still. A head that does not come whole is cut off by the server itself
after its idle time (``serve``).
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from shared.web.problems import Problem, too_large

STALL_SECONDS: Final = 30.0
LEAST_RATE: Final = 500  # bytes a second, over STALL_SECONDS; a modem of 1994 sent more
BODY_SECONDS: Final = 2_700.0  # the whole body: chunks without a submission are swept in an hour
LOOKS: Final = 4  # in each STALL_SECONDS


@dataclass(frozen=True, slots=True)
class Pace:
    """What is asked of a body under way.

    ``stall_seconds``: over so long at least ``LEAST_RATE`` must come. ``body_seconds``: all of it.
    ``most`` bytes of it are taken, whatever it says about itself; None: what its route says.
    """

    stall_seconds: float = STALL_SECONDS
    body_seconds: float = BODY_SECONDS
    most: int | None = None

    def watch(self, request: web.Request) -> None:
        """Watch the body of a request until its end; what reads it hears ``Problem`` 408 or 413."""
        if not request.content.is_eof():
            _Watched(self, request, asyncio.get_running_loop()).begin()


PACE: Final = web.AppKey("pace", Pace)


class _Watched:
    """A body under way; lets go of itself when the body or its connection ends."""

    __slots__ = ("began", "loop", "mark", "pace", "request", "seen")

    def __init__(self, pace: Pace, request: web.Request, loop: asyncio.AbstractEventLoop) -> None:
        self.pace, self.request, self.loop = pace, request, loop
        self.began = self.mark = loop.time()
        self.seen = request.content.total_bytes

    def begin(self) -> None:
        self.loop.call_later(self.pace.stall_seconds / LOOKS, self.look)

    def look(self) -> None:
        content, transport = self.request.content, self.request.transport
        if transport is None or content.is_eof() or content.exception() is not None:
            return
        fault = self._fault(held=not transport.is_reading())
        if fault is None:
            self.begin()
            return
        content.set_exception(fault)

    def _fault(self, *, held: bool) -> Problem | None:
        pace, now, came = self.pace, self.loop.time(), self.request.content.total_bytes
        if pace.most is not None and came > pace.most:
            return too_large(pace.most)
        if now - self.began >= pace.body_seconds:
            return too_slow(f"A body is taken for {pace.body_seconds:.0f} seconds.")
        if held or came - self.seen >= LEAST_RATE * pace.stall_seconds:
            self.mark, self.seen = now, came
        elif now - self.mark >= pace.stall_seconds:
            window = f"{pace.stall_seconds:.0f} seconds"
            return too_slow(f"Over {window} fewer than {LEAST_RATE} bytes a second came.")
        return None


def too_slow(detail: str) -> Problem:
    """Let go of a client whose body does not come."""
    return Problem(408, "body-too-slow", "The body comes too slowly", detail)
