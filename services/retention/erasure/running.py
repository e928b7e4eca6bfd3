"""The loop that carries erasures out: every step of each, by one process at a time.

A step does what it does outside, each part safe to repeat, and then is written down on condition
that nobody else wrote meanwhile. So a process may die anywhere: whoever goes on takes the same step
again. What comes late from a process that was frozen is turned down by the number of its turn.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from services.retention.erasure import certifying, clearing, destroying, fencing, looking, ordering
from services.retention.erasure.saga import LATER, Go, Saga, Stay, Taken, TakeStep
from services.retention.model import erasures
from services.retention.model.erasure_states import KeptErasure, Step
from services.retention.model.erasures import GIVEN_UP, TRANSITIONS, Decided, Refusal
from shared.events.decisions import Refused
from shared.mongo.turns import Turns
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Busy, Transient
from shared.runtime.hands import Hands
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

ROLE: Final = "erasures"
MOST: Final = 16  # erasures at the same time
EVERY: Final = 1.0  # seconds between two looks where nothing wakes the loop
STALLED_SECONDS: Final = 120.0
DRAIN_SECONDS: Final = 5.0
TURN_SECONDS: Final = 1.0  # between two signs that this process has its turn

STEPS: Final[Mapping[Step, TakeStep]] = MappingProxyType(
    {
        "looking": looking.look,
        "planned": looking.rest,
        "approved": looking.collect,
        "collected": fencing.fence,
        "fenced": fencing.commit,
        "destroying": destroying.destroy,
        "destroyed": ordering.order,
        "ordered": ordering.evidence,
        "evidenced": clearing.compact,
        "compacted": clearing.outlive,
        "irrecoverable": clearing.scan,
        "scanned": certifying.certify,
        "certified": certifying.close,
        "refusing": certifying.turn_away,
        "taking-back": certifying.give_back,
    }
)
FENCING: Final[frozenset[Step]] = frozenset(
    {"collected", "fenced"}
)  # the latter, where it was lost
OVERTAKEN: Final = Refusal("erasure-overtaken")

log = get_log(__name__)


@dataclass(slots=True)
class Running:
    """Takes the steps of all erasures that are not at an end; ``wake`` is set when one may go on.

    ``_rests`` says by erasure when it is looked at again, in seconds of the monotonic clock; what
    others asked for is found by listing, every so often. Both are only hints, which a process that
    starts has none of.
    """

    saga: Saga
    turns: Turns
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: int | None = None
    _turn_until: float = 0.0
    _open: set[str] = field(default_factory=set)
    _listed: float = float("-inf")
    _rests: dict[str, float] = field(default_factory=dict)
    _hands: Hands = field(default_factory=lambda: Hands(MOST))
    _touched: set[str] = field(default_factory=set)

    async def run(self, draining: asyncio.Event, *, health: Health) -> None:
        """Take steps until told to drain; a long one, such as a scan, holds up no other erasure.

        What is in hand then is given some seconds and left: whoever goes on takes the step again.
        """
        health.promise(ROLE, within=STALLED_SECONDS)
        async with self._hands.open(DRAIN_SECONDS):
            while not draining.is_set():
                self.wake.clear()
                try:
                    await self._begin()
                except Transient as fault:
                    log.warning("erasures interrupted", reason=str(fault))
                health.beat(ROLE)
                self._wake_in_time()
                await wait_any(draining, self.wake, timeout=EVERY)
        health.retire(ROLE)
        with contextlib.suppress(Transient):
            await self.turns.give_up()

    async def step(self) -> None:
        """Take what steps can be taken now, and wait for all of them."""
        self._listed = float("-inf")
        async with self._hands.open():
            await self._begin()

    async def _begin(self) -> None:
        for one in await self._ready():
            self._hands.take(one, self._take(one))

    async def _ready(self) -> list[str]:
        """Return the erasures that are to be looked at now; none while another has the turn."""
        if not await self._has_turn():
            self._open.clear()
            self._listed = float("-inf")
            self._rests.clear()
            return []
        now = self._now()
        if now >= self._listed + EVERY:
            self._open = set(await self.saga.store.unsettled())
            self._listed = now
            self._rests = {one: self._rests[one] for one in self._open if one in self._rests}
        ready = [
            one
            for one in sorted(self._open)
            if one not in self._hands and self._rests.get(one, 0.0) <= now
        ]
        return ready[: self._hands.free]

    def touch(self, erasure: str) -> None:
        """Have an erasure looked at now: something that it may wait for is there."""
        self._open.add(erasure)
        self._rests.pop(erasure, None)
        if erasure in self._hands:
            self._touched.add(erasure)
        self.wake.set()

    async def _take(self, erasure: str) -> None:
        """Take an erasure as far as it goes; one that fails does not hold up the others."""
        try:
            rest = await self._advance(erasure)
        except (Transient, Busy) as fault:
            log.warning("erasure interrupted", erasure=erasure, reason=str(fault))
            rest = 1.0
        except Exception as fault:  # noqa: BLE001  (it is tried again, for ever, and told of)
            log.error("erasure failed", erasure=erasure, reason=type(fault).__name__)  # noqa: TRY400
            rest = LATER
        # Touched meanwhile, it is looked at again at once.
        again = 0.0 if erasure in self._touched else rest
        self._touched.discard(erasure)
        self._rests[erasure] = self._now() + again
        self.wake.set()

    async def _advance(self, erasure: str) -> float:
        """Take steps while there are any; return in how many seconds to look again."""
        known: KeptErasure | None = None
        while True:
            known = known or await self.saga.store.erasures.load(erasure)
            take = STEPS.get(known.step) if known is not None else None
            if known is None or take is None:
                return LATER
            if not await self._has_turn():
                return LATER
            taken = await take(self.saga, known)
            if isinstance(taken, Go):
                crashpoint(f"saga.{TRANSITIONS[taken.verb][known.step]}")
            saved = await self._saved(known, taken)
            if saved is None:
                await self._overtaken(known)
            elif isinstance(taken, Stay) and taken.seconds > 0:
                return taken.seconds
            known = saved

    async def _saved(self, known: KeptErasure, taken: Taken) -> KeptErasure | None:
        """Write a step down and return what stands then; None if another wrote since it began."""
        done = await self.saga.store.erasures.update(
            known.erasure, partial(self._decided, known, taken), seen=known
        )
        return None if isinstance(done, Refused) else done.state

    def _decided(self, seen: KeptErasure, taken: Taken, known: KeptErasure | None) -> Decided:
        turn = self._turn or 0
        if known is None or known.version != seen.version or known.turn > turn:
            return Refused(OVERTAKEN)
        changes: dict[str, Any] = {**taken.changes}
        if isinstance(taken, Go):
            return erasures.move(known, taken.verb, at=self.saga.now(), **changes, turn=turn)
        if changes:
            changes["turn"] = turn
        return erasures.await_(known, taken.waits, **changes)

    async def _overtaken(self, seen: KeptErasure) -> None:
        """Undo what was done for an erasure that was given up meanwhile: fences, at most."""
        known = await self.saga.store.erasures.load(seen.erasure)
        if known is not None and known.step in GIVEN_UP and seen.step in FENCING:
            await fencing.release(self.saga, known)

    async def _has_turn(self) -> bool:
        """Say whether this process may take steps, by a sign that is not a second old."""
        if self._turn is None or self._now() >= self._turn_until:
            asked = self._now()
            self._turn = await self.turns.take()
            self._turn_until = asked + TURN_SECONDS
        return self._turn is not None

    def _wake_in_time(self) -> None:
        """Have the loop look again when the first of those that rest may go on."""
        resting = [at for one, at in self._rests.items() if one not in self._hands]
        if resting:
            first = max(0.01, min(resting) - self._now())
            asyncio.get_running_loop().call_later(first, self.wake.set)

    def _now(self) -> float:
        return self.saga.house.clock.monotonic()
