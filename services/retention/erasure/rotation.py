"""The rotation of key epochs: it makes copies of the key documents useless (privacy design 4.2).

A new epoch is written down, then made; all keys are wrapped under it; then those before the last
ones end. An epoch ends in three steps: it is put aside, so that nobody opens a key by it any more;
everything is looked at once more and what is still wrapped under it is wrapped anew; its file is
overwritten and removed. Whoever opened a key by it did so before the first step, so that its
document stood and the second step finds it (docs/adr/0045). Each step may be repeated.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.retention.erasure.rewrapping import Counted, Rewrapping
from services.retention.model import epochs as model
from services.retention.model.epochs import KeptEpochs
from shared.events.decisions import Refused
from shared.kafka.relay import Holdable
from shared.mongo import Aggregates
from shared.policy.personal import EpochsRow
from shared.privacy.epochs import FileEpochs
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.crashpoints import crashpoint
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.metrics import KEYS_REWRAPPED

DOCUMENT: Final = "keys"  # the one document of what is rotated
RENEW_SECONDS: Final = 1.5  # the lease lasts 5 s
PASSES: Final = 100  # over all documents, before somebody has to look why it does not end

log = get_log(__name__)


@dataclass(slots=True)
class Rotation:
    """Begins and ends epochs; ``wake`` is set where there is something to do at once."""

    states: Aggregates[KeptEpochs]
    documents: Aggregates[KeptKeys]
    epochs: FileEpochs
    row: EpochsRow
    lease: Holdable
    clock: Clock = SYSTEM
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    last: Counted | None = None
    _held: float = field(default=float("-inf"))

    async def shown(self) -> KeptEpochs:
        """Return all epochs, those that nobody wrote down yet among them. Raises ``Transient``."""
        found, now = self.epochs.standing(), self.clock.now()
        return _kept(
            await self.states.update(DOCUMENT, lambda known: model.adopt(known, found, at=now))
        )

    async def begin(self) -> KeptEpochs | None:
        """Begin an epoch; None while the one before still takes over. Raises ``Transient``."""
        await self.shown()
        found = (*self.epochs.standing(), *self.epochs.aside())
        now = self.clock.now()

        def decide(known: KeptEpochs | None) -> model.Decided:
            assert known is not None
            return model.begin(known, found, at=now)

        done = await self.states.update(DOCUMENT, decide)
        self.wake.set()
        return None if isinstance(done, Refused) else done.state

    async def gone(self, since: datetime) -> datetime | None:
        """Return when every epoch that stood at ``since`` was gone, None while one stands."""
        return model.irrecoverable_at(await self.shown(), since)

    async def step(self) -> bool:
        """Do what is due, if it is ours to do. Raises ``Transient``; never says that more waits."""
        if not await self.lease.hold():
            return False
        self._held = self.clock.monotonic()
        known = await self.shown()
        if model.due(known, self.row.every, at=self.clock.now()):
            known = await self.begin() or known
        if known.newest.swept_at is None:
            known = await self._take_over(known)
        for number in sorted(
            {*(one.number for one in model.ending(known, self.row.alive)), *self.epochs.aside()}
        ):
            await self._end(number)
            await self._note(model.gone, number)
        await self._end_again()
        return False

    async def _take_over(self, known: KeptEpochs) -> KeptEpochs:
        number = known.newest.number
        self.epochs.make(number)
        crashpoint("retention.epoch-made")
        await self._sweep(lambda epoch: epoch < number)
        log.info("key epoch took over", epoch=number, keys=self.last and self.last.keys)
        return await self._note(model.swept, number)

    async def _end(self, number: int) -> None:
        self.epochs.put_aside(number)
        crashpoint("retention.epoch-aside")
        await self._sweep(lambda epoch: epoch == number)
        self.epochs.end(number)
        crashpoint("retention.epoch-ended")
        log.info("key epoch ended", epoch=number)

    async def _end_again(self) -> None:
        """End what somebody brought back with a copy of the folder: it ended long ago."""
        found = self.epochs.standing()
        # Read after the folder: no file is made of what does not stand in it.
        stands = {one.number for one in (await self.shown()).standing}
        for number in sorted(set(found) - stands):
            log.warning("a key epoch that ended is back, and ends again", epoch=number)
            await self._end(number)

    async def _sweep(self, stale: Callable[[int], bool]) -> None:
        """Go over everything until a whole pass finds nothing that is ``stale``."""
        rewrapping = Rewrapping(self.documents, self.epochs, self._still)
        for _ in range(PASSES):
            self.last = await rewrapping.over(stale)
            KEYS_REWRAPPED.inc(self.last.rewrapped)
            if self.last.lost:
                log.error("keys that no epoch opens", keys=self.last.lost)
            if not self.last.stale:
                return
        raise Transient("keys are made under an epoch that is over faster than they are found")

    async def _still(self) -> None:
        now = self.clock.monotonic()
        if now - self._held > RENEW_SECONDS:
            if not await self.lease.hold():
                raise Transient("another process rotates")
            self._held = now

    async def _note(self, verb: Callable[..., model.Decided], number: int) -> KeptEpochs:
        now = self.clock.now()

        def decide(known: KeptEpochs | None) -> model.Decided:
            assert known is not None
            return verb(known, number, at=now)

        return _kept(await self.states.update(DOCUMENT, decide))


def _kept(done: object) -> KeptEpochs:
    state = getattr(done, "state", None)
    assert isinstance(state, KeptEpochs)
    return state
