"""The stream of facts: events of all services, by Faust, under a guard that loses none of them.

The agent is six lines over a handler that knows nothing of Faust. It never raises: after an
exception Faust goes on with the next message, or stands still without a word. Whatever ends it ends
the process, which begins again at the last commit. A watchdog does the same where nothing moves
though something was written.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from faust.types import TP

from shared.kafka.applying import Applying, Handler
from shared.kafka.circuit import CircuitOpen
from shared.kafka.dead import replay_topic
from shared.kafka.ends import missing
from shared.kafka.faust_edge import (
    GuardedApp,
    all_done,
    ends_of,
    guarded_app,
    handed,
    named,
    place,
    read_up_to,
    unacknowledged,
)
from shared.kafka.produce import Sender
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

MOST: Final = 500  # messages of a batch
WITHIN: Final = 0.1  # seconds that a batch may take to gather
LOOK_SECONDS: Final = 1.0
STOP_SECONDS: Final = 10.0

log = get_log(__name__)

# Told partitions, and the moment before which all that was written in them was applied.
Telling = Callable[[frozenset[str], datetime], Awaitable[None]]


async def _nobody(_places: frozenset[str], _before: datetime) -> None:
    """Tell nobody."""


class Stalled(RuntimeError):
    """Nothing moves though something was written: only a new beginning helps."""


@dataclass(slots=True)
class Mark:
    """Where partitions ended ``before`` a moment; once that is read, what was ``given`` by then."""

    before: datetime
    ends: Mapping[TP, int]
    given: Mapping[TP, int] | None = None


@dataclass(slots=True)
class Stream:
    """One worker of a group. ``stall_seconds``: so long nothing may move while something waits.

    ``tell`` hears how far it heard, about each second.
    """

    group: str
    topics: Sequence[str]
    service: str
    handler: Handler
    bootstrap: str
    prefix: str = ""
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    member: str | None = None
    stall_seconds: float = 60.0
    tell: Telling = _nobody
    _acked: int = 0
    _done: dict[TP, int] = field(default_factory=dict)
    _mark: Mark | None = None
    _broken: "asyncio.Future[None]" = field(init=False)
    _app: GuardedApp = field(init=False)
    _applying: Applying = field(init=False)

    async def run(self, draining: asyncio.Event) -> None:
        """Consume until told to drain. Raises what ended the worker, and ``Stalled``."""
        self.health.promise(self.group, within=self.stall_seconds + 60)
        self.health.unready(self.group, "has no partitions yet")
        self._broken = asyncio.get_running_loop().create_future()
        parking = Sender(self.bootstrap, self.service, self.prefix)
        if await self._begun(draining, parking):
            try:
                await self._consume(draining, parking)
            finally:
                await parking.stop()
        self.health.retire(self.group)

    async def _begun(self, draining: asyncio.Event, parking: Sender) -> bool:
        """Wait for the broker and every topic; a worker without one would be idle for ever."""
        names = [self.prefix + name for name in self._every()]
        while not draining.is_set():
            try:
                absent = await missing(self.bootstrap, names)
                if not absent:
                    await parking.start()
                    return True
                self.health.unready(self.group, f"the broker has no topic {min(absent)}")
            except Transient as fault:
                self.health.unready(self.group, str(fault))
            self.health.beat(self.group)
            await wait_any(draining, timeout=LOOK_SECONDS)
        return False

    async def _consume(self, draining: asyncio.Event, parking: Sender) -> None:
        self._applying = Applying(
            self.group, self.prefix, self.handler, parking, self.health, self.clock
        )
        self._app = guarded_app(self.prefix + self.group, self.bootstrap, member=self.member)
        topic = self._app.topic(
            *(self.prefix + name for name in self._every()),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
        )
        self._app.agent(topic, name=f"{self.prefix}{self.group}")(self._agent)
        await self._app.start()
        try:
            await self._watch(draining)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._app.stop()

    async def _agent(self, stream: Any) -> None:
        # ``noack`` on top of ``noack_take``: what a dying stream drains is acknowledged otherwise.
        async for batch in stream.noack().noack_take(MOST, within=WITHIN):
            await self._apply([event.message for event in batch])
            for event in batch:
                await stream.ack(event)
                self._done[event.message.tp] = event.message.offset
            self._acked += len(batch)
            crashpoint("stream.acked")

    async def _apply(self, messages: Sequence[Any]) -> None:
        """Apply a batch; where that is impossible say so and never return."""
        crashpoint("stream.read")
        found = defaultdict(list)
        for message in messages:
            found[place(message)].append(message)
        try:
            await self._applying.apply(found)
        except asyncio.CancelledError:
            raise
        except CircuitOpen as opened:
            log.error("circuit open", group=self.group, reason=str(opened))  # noqa: TRY400
            self.health.unready(self.group, f"circuit open: {opened}")
            self._applying.waiting = True
            await asyncio.Event().wait()
        except BaseException as fault:  # noqa: BLE001  (handed to ``run``, which ends by it)
            if not self._broken.done():
                self._broken.set_exception(fault)
            await asyncio.Event().wait()

    async def _watch(self, draining: asyncio.Event) -> None:
        """Look every second whether anything moves that should."""
        moved, acked = self.clock.monotonic(), -1
        async for now in self._looks(draining):
            if self._broken.done():
                self._broken.result()
            if self._app.crashed or self._app.should_stop:
                raise Stalled(f"the worker of {self.group} ended by itself")
            late = await self._late()  # also where something moves: it tells how far
            if self._acked != acked or self._applying.waiting or not late:
                moved, acked = now, self._acked
                self.health.beat(self.group)
            elif now - moved > self.stall_seconds:
                raise Stalled(f"{self.group} stood still for {now - moved:.0f} s")

    async def _looks(self, draining: asyncio.Event) -> AsyncIterator[float]:
        while not draining.is_set():
            yield self.clock.monotonic()
            await wait_any(draining, timeout=LOOK_SECONDS)

    async def _late(self) -> bool:
        """Say whether something waits; not where the broker is away, for whom we can but wait."""
        try:
            late = (
                self._app.rebalancing or not self._app.consumer.assignment() or await self._behind()
            )
        except Exception:  # noqa: BLE001  (Faust's, its thread's or the client's: all say the same)
            late = True
        else:
            if self._app.consumer.assignment():
                self.health.ready(self.group)
        if late:
            try:
                await missing(self.bootstrap, [])
            except Transient as fault:
                self.health.unready(self.group, str(fault))
                return False
        return late

    async def _behind(self) -> bool:
        """Say whether anything waits that was written until now, and tell how far all was heard.

        While more comes all the time this worker never stands at the end; it passes where the end
        was a while ago.
        """
        now = self.clock.now()
        ends = await ends_of(self._app)
        mark = self._mark
        if mark is None or mark.ends.keys() != ends.keys():
            mark = self._mark = Mark(now, ends)
        if mark.given is None and await read_up_to(self._app, mark.ends):
            mark.given = handed(self._app, mark.ends)
        if mark.given is not None and all_done(self._app, mark.given, self._done):
            await self.tell(frozenset(named(*where) for where in mark.ends), mark.before)
            self._mark = Mark(now, ends)
        return not await read_up_to(self._app, ends) or unacknowledged(self._app)

    def _every(self) -> Sequence[str]:
        return (*self.topics, replay_topic(self.group))
