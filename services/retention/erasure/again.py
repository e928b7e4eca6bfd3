"""What the ledger names is gone, whatever store came back from a copy (law P2).

At each start of the role the ledger is compared with its topic, which a store that was put back is
behind, and the key documents with the ledger. What stands open though it is named there is fenced
before this process is ready or takes a step of any erasure, and destroyed once the fence is
effective. Holds come first: they are placed and lifted again as retention knows them.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from services.retention.erasure.fencing import of
from services.retention.erasure.saga import Saga
from services.retention.model.fencing import fences, stand
from services.retention.store.erasures import TABLE, TOPICS
from shared.events import Received, from_record
from shared.events.orders import KeptUnits, LedgerState
from shared.kafka.follow import read_to_end
from shared.kafka.topics import declared
from shared.mongo import projecting
from shared.privacy.ledger import LEDGER
from shared.privacy.lifecycle import WHOLE
from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import Role, wait_any

PART: Final = "fences"  # in health
PAGE: Final = 200  # entries of the ledger that are looked at together
EVERY: Final = 1.0  # seconds between two tries
Back: TypeAlias = tuple[KeptUnits, str]  # what is not gone though it is named, and by which entry

log = get_log(__name__)


@dataclass(slots=True)
class Again:
    """Destroys again what came back; ``passed`` is set once all of it is fenced."""

    saga: Saga
    health: Health
    passed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, draining: asyncio.Event) -> None:
        """Compare once, and go on until nothing is left of what came back."""
        self.health.unready(PART, "has not compared the keys with the ledger of erasures yet")
        left: list[Back] = []
        while not draining.is_set() and not (self.passed.is_set() and not left):
            try:
                left = await self._step(left)
            except (Transient, Busy) as fault:
                log.warning("the keys wait to be compared", reason=str(fault))
            await wait_any(draining, timeout=EVERY if left or not self.passed.is_set() else 0.0)
        await draining.wait()

    async def _step(self, left: Sequence[Back]) -> list[Back]:
        if self.passed.is_set():
            return [one for one in left if not await self._gone(*one)]
        await self.caught_up()
        if self.saga.rooms.holds is not None:
            await self.saga.rooms.holds.put_right()
        found = [one async for one in self.back()]
        self.health.ready(PART)
        self.passed.set()
        return found

    def behind(self, role: Role) -> Role:
        """Return a role that begins once everything that came back is fenced."""

        async def waiting(draining: asyncio.Event) -> None:
            await wait_any(self.passed, draining)
            if self.passed.is_set():
                await role(draining)

        return waiting

    async def caught_up(self) -> None:
        """Take from the topic what the ledger of this store lacks. Raises ``Transient``."""
        settings = self.saga.house.settings
        taken = 0
        for number in range(declared()[LEDGER].partitions):
            async for records, _ in read_to_end(
                settings.kafka_bootstrap,
                LEDGER,
                number,
                start=0,
                prefix=settings.topic_prefix,
                most=PAGE,  # it grows for ever, and is never in memory as a whole
            ):
                newest: dict[str, LedgerState] = {}
                for entry in filter(None, map(_entry, records)):
                    held = newest.get(entry.entry)
                    if held is None or held.version < entry.version:
                        newest[entry.entry] = entry
                taken += await self.saga.store.catch_up(newest)
        if taken:
            log.warning("the ledger was behind its topic", entries=taken)
        if taken or await self.saga.store.unsettled():
            await self.answered()

    async def answered(self) -> None:
        """Take from the topics what services answered: who did answers no order a second time.

        A store that was put back lacks it, and its group has read it. Raises ``Transient``.
        """
        settings = self.saga.house.settings
        keep = projecting(self.saga.store.database, TABLE)
        for topic in TOPICS:
            for number in range(declared()[topic].partitions):
                async for records, _ in read_to_end(
                    settings.kafka_bootstrap, topic, number, start=0, prefix=settings.topic_prefix
                ):
                    await keep([one for one in map(_read, records) if one is not None])

    async def back(self) -> AsyncIterator[Back]:
        """Fence and destroy what is named and not gone; gives what is not gone yet."""
        async for page in self.saga.store.ledger.every(PAGE):
            named = [one for entry in page.values() for one in entry.records]
            known = await of(self.saga, named)
            for entry in page.values():
                for record in entry.records:
                    gone = stand(record, known.get(record.keys_id), entry.entry) == "gone"
                    if not gone and not await self._gone(record, entry.entry):
                        log.warning("keys that the ledger names came back", erasure=entry.entry)
                        yield record, entry.entry

    async def _gone(self, record: KeptUnits, cause: str) -> bool:
        """Take the keys of a record as far as they go now; say whether they are gone."""
        keys = self.saga.house.keys
        for unit in record.units:
            await keys.fence_unit(record.keys_id, unit)
        if not record.units:
            await keys.fence(record.keys_id, cause)
        known = await keys.shown(record.keys_id)
        said = stand(record, known, cause)
        if known is None or said not in ("fenced", "other"):
            return said == "gone"
        for unit in fences(record, known):
            await keys.confirm(record.keys_id, unit)
        for unit in record.units or (WHOLE,):
            await keys.destroy(record.keys_id, unit)
        return stand(record, await keys.shown(record.keys_id), cause) == "gone"


def _entry(record: Any) -> LedgerState | None:
    read = _read(record)
    said = read.event if read is not None else None
    return said if isinstance(said, LedgerState) else None


def _read(record: Any) -> Received | None:
    read = from_record(record.key, record.value, record.headers)
    return read if isinstance(read, Received) else None
