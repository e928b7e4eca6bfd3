"""The loop that tries deliveries: in turns over whose they are, again and again, not for ever."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shared.mongo.deliveries import Deliveries, Delivery, Settled
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import jitter, new_id
from shared.runtime.log import get_log
from shared.runtime.metrics import DELIVERIES, DELIVERIES_WAITING
from shared.runtime.service import wait_any

PLACES: Final = 32  # tries at the same time in one process
EACH: Final = 4  # of them for one share, so that one silent receiver does not hold up the others
IDLE_SECONDS: Final = 0.5
COUNT_SECONDS: Final = 5.0
MOST_COUNTED: Final = 10_000
GRACE_SECONDS: Final = 5.0  # to write down how a try ended before another may begin
DOUBLINGS: Final = 40  # more would only make a number too large

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A try succeeded; ``said`` is what the other side answered, in a word."""

    said: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A try failed; ``final`` where no other can succeed."""

    said: str
    final: bool = False


Outcome: TypeAlias = Sent | Failed
Sender: TypeAlias = Callable[[Delivery], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery is tried: pauses double from ``first`` to ``most``, all within ``span``.

    Seconds each.
    """

    first: float
    most: float
    span: float

    def settled(
        self, tried: Delivery, outcome: Outcome, *, now: datetime, spread: float
    ) -> Settled:
        """Decide what follows a try; ``spread`` in [0, 1) shortens the pause by up to a half."""
        match outcome:
            case Sent(said):
                return Settled("done", said)
            case Failed(said, final=True):
                return Settled("dead", said)
        pause = min(self.most, self.first * 2 ** min(tried.tries - 1, DOUBLINGS))
        due = now + timedelta(seconds=pause * (1 - spread / 2))
        if due > tried.since + timedelta(seconds=self.span):
            return Settled("dead", outcome.said)
        return Settled("waiting", outcome.said, due)


@dataclass(slots=True)
class Delivering:
    """Tries what is due; several may run, in any processes.

    ``senders`` by kind of delivery; ``seconds`` is how long one try may take. A delivery may be
    sent twice, when a process dies after sending: receivers know it by its id.
    """

    queue: Deliveries
    senders: Mapping[str, Sender]
    patience: Patience
    seconds: float
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _held: Counter[str] = field(default_factory=Counter)
    _counted: float = float("-inf")

    async def run(self, draining: asyncio.Event) -> None:
        """Deliver until told to drain, then finish the tries under way."""
        self.health.promise("deliveries", within=60)
        async with asyncio.TaskGroup() as tries:
            while not draining.is_set():
                self.wake.clear()
                try:
                    begun = await self._begin(tries)
                    await self._count()
                except Transient as fault:
                    log.warning("deliveries interrupted", reason=str(fault))
                    begun = 0
                self.health.beat("deliveries")
                if not begun:
                    await wait_any(draining, self.wake, timeout=IDLE_SECONDS)
        self.health.retire("deliveries")

    async def _begin(self, tries: asyncio.TaskGroup) -> int:
        free = PLACES - self._held.total()
        if free <= 0:
            return 0
        full = [share for share, count in self._held.items() if count >= EACH]
        candidates = await self.queue.due(most=2 * PLACES, without=full)
        chosen = choose(candidates, self._held, free)
        # A holder of its own for each round: whoever comes late is told from whoever began anew.
        claimed = await self.queue.claim(
            chosen, holder=new_id(), seconds=self.seconds + GRACE_SECONDS
        )
        for one in claimed:
            self._held[one.share] += 1
            tries.create_task(self._try(one), name=f"deliver-{one.id}")
        return len(claimed)

    async def _try(self, one: Delivery) -> None:
        try:
            outcome = await self._send(one)
            crashpoint("deliveries.sent")
            settled = self.patience.settled(one, outcome, now=self.clock.now(), spread=jitter())
            # A counter of what became of tries; an id or an address never stands in a label.
            said = {"done": "sent", "waiting": "failed", "dead": "gave-up"}[settled.state]
            DELIVERIES.labels(one.kind, said).inc()
            if settled.state == "dead":
                log.warning(
                    "delivery given up", delivery=one.id, tries=one.tries, said=settled.said
                )
            if not await self.queue.settle(one, settled):
                log.warning("delivery took too long; it is tried again", delivery=one.id)
        except Transient as fault:
            # Not written down: it is tried again when its time has run out.
            log.warning("delivery interrupted", delivery=one.id, reason=str(fault))
        finally:
            self._held[one.share] -= 1
            if not self._held[one.share]:
                del self._held[one.share]
            self.wake.set()

    async def _send(self, one: Delivery) -> Outcome:
        sender = self.senders.get(one.kind)
        if sender is None:
            return Failed("unknown-kind")
        try:
            async with asyncio.timeout(self.seconds):
                return await sender(one)
        except TimeoutError:
            return Failed("timeout")
        except Transient:
            raise
        except Exception as fault:  # noqa: BLE001  (one delivery must not end the others)
            # Not its words: they may quote an address.
            log.warning("delivery failed", delivery=one.id, fault=type(fault).__name__)
            return Failed("internal")

    async def _count(self) -> None:
        now = self.clock.monotonic()
        if now - self._counted < COUNT_SECONDS:
            return
        self._counted = now
        DELIVERIES_WAITING.set(await self.queue.waiting(most=MOST_COUNTED))


def choose(candidates: Sequence[Delivery], held: Mapping[str, int], free: int) -> list[Delivery]:
    """Choose what to try: oldest first, in turns over shares, at most ``EACH`` of one."""
    taken: Counter[str] = Counter(held)
    ranked = []
    for place, one in enumerate(candidates):
        taken[one.share] += 1
        if taken[one.share] <= EACH:
            ranked.append((taken[one.share], place, one))
    return [one for _, _, one in sorted(ranked, key=lambda each: each[:2])[:free]]
