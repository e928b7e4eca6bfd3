"""Reports of a replica: what it noticed of itself, and now and then that it lives.

They are observations and need no fence. What could not be sent is kept for the next time, and
nothing else waits for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from shared.events import Event, Meta, to_record
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.runtime.clock import Clock, rfc3339
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

RETRY_SECONDS: Final = 0.5

log = get_log(__name__)


@dataclass(slots=True)
class Pulse:
    """When a sign of life is due: at once, and then ``seconds`` after the one before."""

    clock: Clock
    seconds: float
    _next: float = float("-inf")

    @property
    def due(self) -> bool:
        """Whether it is time for one."""
        return self.clock.monotonic() >= self._next

    def beat(self) -> None:
        """Note that one is given now."""
        self._next = self.clock.monotonic() + self.seconds


class Reporter(Protocol):
    """Who knows what there is to say of what ``knowledge`` heard.

    It sets ``wake`` where something is to be said at once.
    """

    knowledge: Knowledge
    sender: Sender
    wake: asyncio.Event

    def say(self) -> Sequence[Event]:
        """Hand over what there is to say now, with a sign of life where one is due."""
        ...

    def keep(self, unsent: Sequence[Event]) -> None:
        """Take back what could not be sent, to say it the next time."""
        ...

    def good_bye(self) -> Sequence[Event]:
        """Return the last words of a replica that stops on purpose."""
        ...


async def report_forever(
    part: str, reporter: Reporter, draining: asyncio.Event, *, look: float
) -> None:
    """Report until told to drain, then say good-bye; a broker that is away is waited for.

    Nothing is said before all knowledge was read once; from then on it is looked every ``look``
    seconds whether there is something to say. ``part`` is this reporter's name in the log.
    """
    if not await _start(part, reporter.sender, draining):
        return
    while not draining.is_set():
        reporter.wake.clear()
        if reporter.knowledge.caught_up:
            await _send(part, reporter, reporter.say())
        await wait_any(reporter.wake, draining, timeout=look)
    await _send(part, reporter, reporter.good_bye())
    await reporter.sender.stop()


async def _start(part: str, sender: Sender, draining: asyncio.Event) -> bool:
    while not draining.is_set():
        try:
            await sender.start()
        except Transient as fault:
            log.warning("reports wait for the broker", part=part, reason=str(fault))
            await wait_any(draining, timeout=RETRY_SECONDS)
        else:
            return True
    return False


async def _send(part: str, reporter: Reporter, said: Sequence[Event]) -> None:
    if not said:
        return
    sender, at = reporter.sender, rfc3339(reporter.knowledge.clock.now())
    source = f"/services/{sender.service}"
    try:
        await sender.send([to_record(event, Meta(new_id(), source, at)) for event in said])
    except Transient as fault:
        log.warning("reports not sent", part=part, reason=str(fault))
        reporter.keep(said)
