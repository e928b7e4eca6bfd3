"""Who may have keys in hand, and which fences they obeyed: a row for each process that asks keys.

A process signs before it asks for keys, and a key's time counts from the beginning of the newest
sign. So whoever may have a key has a row, and whose row did not change for as long as a key may be
used has none: that is told by watching rows, never by comparing clocks. Nobody is counted as having
obeyed but who said so of this very fence, and nobody signs where no keys are asked for.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.mongo import Collection, faults
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

COLLECTION: Final = "rings"
SIGNS: Final = 3  # in the time of a key, while keys are asked for
AGAIN_SECONDS: Final = 0.2  # until what could not be said is said again

log = get_log(__name__)


@dataclass(slots=True)
class Presence:
    """The row of this process, under a name that it has until its end and nobody else ever had."""

    rows: Collection
    usable: timedelta
    clock: Clock = SYSTEM
    name: str = field(default_factory=new_id)
    _since: float = float("-inf")
    _obeyed: dict[str, float] = field(default_factory=dict)  # when, on the monotonic clock
    _signing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def since(self) -> float:
        """Return from when the time of keys counts, signing where that is too long ago.

        Raises ``Transient``.
        """
        if self._old():
            async with self._signing:
                if self._old():
                    await self._sign()
        return self._since

    def obeyed(self, fences: Iterable[str]) -> None:
        """Note the marks of fences under which nothing is used here any more; ``run`` says so."""
        now = self.clock.monotonic()
        new = dict.fromkeys(fences, now)
        self._obeyed |= new
        if new and self._since > now - self.usable.total_seconds():
            self._woken.set()  # without a row there is nobody to wait for

    async def run(self, draining: asyncio.Event) -> None:
        """Say which fences were obeyed, until told to drain."""
        while not draining.is_set():
            await wait_any(draining, self._woken)
            if not draining.is_set() and not await self.say():
                await wait_any(draining, timeout=AGAIN_SECONDS)

    async def say(self) -> bool:
        """Say once what is to be said; False where the store did not take it."""
        self._woken.clear()
        try:
            async with self._signing:
                await self._sign()
        except Transient as fault:
            log.warning("obeyed fences wait to be said", reason=str(fault))
            self._woken.set()
            return False
        return True

    def _old(self) -> bool:
        return self.clock.monotonic() - self._since >= self.usable.total_seconds() / SIGNS

    async def _sign(self) -> None:
        began = self.clock.monotonic()
        # What was obeyed longer ago than keys may be used nobody waits for.
        last = began - 2 * self.usable.total_seconds()
        self._obeyed = {mark: at for mark, at in self._obeyed.items() if at >= last}
        row = {"sign": new_id(), "obeyed": list(self._obeyed)}
        with faults():
            await self.rows.update_one({"_id": self.name}, {"$set": row}, upsert=True)
        self._since = began
