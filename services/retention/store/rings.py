"""The rows of processes that may have keys in hand: watched, and cleared of those that ended."""

import asyncio
from collections.abc import Collection as Some
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from services.retention.model import rings
from services.retention.model.rings import Row, Seen
from shared.mongo import Collection, faults
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

LOOKS: Final = 3  # in the time that keys may be used

log = get_log(__name__)


@dataclass(slots=True)
class Rings:
    """What all processes said; ``bound`` is how long a key may be used, and what clocks differ by.

    Nobody is believed before this process watched for that long: the rows may have been put back
    with the key documents, and lack those of processes that go on.
    """

    rows: Collection
    bound: timedelta
    clock: Clock = SYSTEM
    _seen: dict[str, Seen] = field(default_factory=dict)
    _began: float | None = None

    async def by_all(self, marks: Some[str]) -> frozenset[str]:
        """Return the marks of fences that every process obeyed which may have keys.

        To be asked after these fences were read. Raises ``Transient``.
        """
        now, rows, gone = await self._look()
        if self._began is None or now - self._began < self.bound.total_seconds():
            return frozenset()
        return rings.obeyed(marks, rows, gone)

    async def run(self, draining: asyncio.Event) -> None:
        """Watch, and clear away the rows of who ended, until told to drain."""
        every = self.bound.total_seconds() / LOOKS
        while not draining.is_set():
            try:
                await self.clear()
            except Transient as fault:
                log.warning("who may have keys cannot be watched", reason=str(fault))
            await wait_any(draining, timeout=every)

    async def clear(self) -> None:
        """Delete the rows of whose keys' time is up; whoever goes on signs anew.

        Raises ``Transient``.
        """
        _now, _rows, gone = await self._look()
        for name, sign in gone.items():
            with faults():
                await self.rows.delete_many({"_id": name, "sign": sign})

    async def _look(self) -> tuple[float, list[Row], dict[str, str]]:
        began = self.clock.monotonic()
        with faults():
            found = await self.rows.find({}).to_list(None)
        rows = [Row(one["_id"], one["sign"], frozenset(one["obeyed"])) for one in found]
        # A sign stands since the answer came, at the latest; it stood yet when the look began.
        self._seen = rings.looked(self._seen, rows, self.clock.monotonic())
        if self._began is None:
            self._began = self.clock.monotonic()
        return began, rows, rings.silent(self._seen, began, self.bound.total_seconds())
