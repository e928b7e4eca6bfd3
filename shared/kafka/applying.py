"""Applying batches of a group, whatever fetched them: wait for the store, park what is poison.

What it promises is what the consumer loop promises (law L5): it returns when every record of a
batch is applied or parked, and not before, so that whoever calls may then say so to the broker.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from shared.events import Received
from shared.kafka.circuit import Circuit
from shared.kafka.fetched import Fetched, Record
from shared.kafka.produce import Sender
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import jitter
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 5.0  # seconds, full jitter

log = get_log(__name__)
Handler = Callable[[Sequence[Received]], Awaitable[None]]
Ends = Callable[[TopicPartition], int | None]


@dataclass(slots=True)
class Applying:
    """What becomes of the batches of one group.

    ``handler`` applies a batch whole or raises ``Transient``; it is idempotent. ``waiting`` says
    that it waits for something that is away, which is no stall.
    """

    group: str
    prefix: str
    handler: Handler
    parking: Sender
    health: Health
    clock: Clock = SYSTEM
    waiting: bool = False
    _circuit: Circuit = field(default_factory=Circuit)

    async def apply(
        self, batch: Mapping[TopicPartition, Sequence[Record]], ends: Ends = lambda _: None
    ) -> None:
        """Apply or park every record; raises ``CircuitOpen``, and nothing that passes by itself."""
        started = self.clock.monotonic()
        fetched = Fetched(self.group, self.prefix, batch)
        fetched.refuse(await self._handle(fetched.received))
        # Before parking: a bad build pours nothing out, and a good one finds it all in the log.
        self._circuit.judge(fetched.offsets, fetched.poison)
        await self._park(fetched)
        took = self.clock.monotonic() - started
        fetched.measure(ends, now=self.clock.now(), took=took)

    async def _handle(self, received: Sequence[Received]) -> dict[int, str]:
        """Apply the batch; return by index what cannot be applied, and why."""
        if not received:
            return {}
        try:
            await self._insist(lambda: self.handler(received))
        except Exception:  # noqa: BLE001  (whatever it is, it is found below, record by record)
            log.warning("batch refused, trying one by one", group=self.group, records=len(received))
        else:
            return {}
        refused = {}
        for index, one in enumerate(received):
            try:
                await self._insist(lambda one=one: self.handler([one]))  # type: ignore[misc]
            except Exception as fault:  # noqa: BLE001  (parked with the name of what it was)
                refused[index] = f"handler: {type(fault).__name__}"
        return refused

    async def _park(self, fetched: Fetched) -> None:
        letters = fetched.letters(self.clock.now())
        if not letters:
            return
        await self._insist(lambda: self.parking.send(letters))
        crashpoint("consume.dead-letter-sent")
        fetched.tell_parked()

    async def _insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` until it succeeds or fails for good."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                await work()
            except Transient as fault:
                self.waiting = True
                self.health.unready(self.group, str(fault))
                await wait_any(timeout=backoff * jitter())
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            else:
                if self.waiting:
                    self.waiting = False
                    self.health.ready(self.group)
                return
