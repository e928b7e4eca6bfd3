"""The gate at a service's start: nobody serves from a store that is behind the ledger (law P2).

The ledger says whose keys are gone for ever. A store that was put back from a copy holds what was
erased since: it is erased again, by the pseudonyms of the entry, before this process is ready. A
store that has applied what the ledger does not hold was right, and the ledger was put back: nothing
is ready then, and it says so.

What an order of this moment does is not hurried: an entry is due once its order stands here, or
once it was certified.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from shared.events import Received, from_record
from shared.events.orders import LedgerState
from shared.kafka.follow import Batch, keep_following
from shared.mongo import Collection, faults
from shared.privacy.erasing import Whom
from shared.privacy.obeying import ORDERS, Obeying
from shared.privacy.orders import KeptOrder
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import Role, wait_any

LEDGER: Final = "retention.ledger.v1"
APPLIED: Final = "ledger"  # the collection: entry, its version, and a hash of the records it named
PART: Final = "ledger"  # in health
PENDING_SECONDS: Final = 2.0  # until what is not due yet is looked at again

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a store followed an entry."""

    version: int
    records: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A store beside the ledger: what is to be applied, what only noted, and what is ahead."""

    due: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()


def compare(
    entries: Mapping[str, LedgerState],
    applied: Mapping[str, Applied],
    standing: Mapping[str, bool],
    *,
    starting: bool,
) -> Compared:
    """Compare a store with the ledger.

    ``standing`` says of entries whose order stands here whether all of it was answered. At the
    start what is not applied is erased again even so: of a copy that was not taken at one moment
    nothing is known.
    """
    due, noted = [], []
    for name, entry in entries.items():
        known = applied.get(name)
        if known is not None and known.version >= entry.version:
            continue
        answered = standing.get(name)
        same = known is not None and known.records == hashed(entry)
        if same or (answered and not starting):
            noted.append(name)
        elif entry.certified_at is not None or (answered is not None and starting):
            due.append(name)
    ahead = [
        name
        for name, known in applied.items()
        if name not in entries or entries[name].version < known.version
    ]
    return Compared(tuple(due), tuple(noted), tuple(ahead))


def hashed(entry: LedgerState) -> str:
    """Return the SHA-256 of whose keys an entry names, hex."""
    said = sorted([one.keys_id, sorted(one.units)] for one in entry.records)
    return hashlib.sha256(orjson.dumps(said)).hexdigest()


@dataclass(slots=True)
class LedgerGate:
    """Compares a store with the ledger and mends it; ``passed`` is set when it may serve."""

    obeying: Obeying
    applied: Collection
    bootstrap: str
    prefix: str = ""
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    passed: asyncio.Event = field(default_factory=asyncio.Event)
    _entries: dict[str, LedgerState] = field(default_factory=dict)
    _known: dict[str, Applied] = field(default_factory=dict)
    _orders: list[Received] = field(default_factory=list)
    _next: float = float("-inf")

    async def run(self, draining: asyncio.Event) -> None:
        """Bring the store up to the ledger, then follow it until told to drain."""
        self.health.unready(PART, "has not compared its store with the ledger of erasures yet")
        while not draining.is_set():
            try:
                # Before the ledger is read: what is applied already stands in it by then.
                self._known = await self._noted()
                break
            except Transient as fault:
                log.warning("ledger waits", reason=str(fault))
                await wait_any(draining, timeout=1.0)
        await keep_following(
            PART,
            self.bootstrap,
            [LEDGER, ORDERS],
            draining,
            take=self._take,
            health=self.health,
            prefix=self.prefix,
        )

    def behind(self, role: Role) -> Role:
        """Return a role that begins once the gate is passed."""

        async def waiting(draining: asyncio.Event) -> None:
            await wait_any(self.passed, draining)
            if self.passed.is_set():
                await role(draining)

        return waiting

    async def _noted(self) -> dict[str, Applied]:
        with faults():
            found = await self.applied.find({}).to_list(None)
        return {one["_id"]: Applied(one["version"], one["records"]) for one in found}

    async def _take(self, batch: Batch) -> None:
        for _, record in batch.records:
            read = from_record(record.key, record.value, record.headers)
            if isinstance(read, Received):
                self._learn(read)
        now = self.clock.monotonic()
        if batch.behind or not (batch.records or now >= self._next):
            return
        self._next = now + PENDING_SECONDS
        try:
            await self._go_through()
        except (Transient, Busy) as fault:
            log.warning("ledger waits", reason=str(fault))

    def _learn(self, read: Received) -> None:
        if isinstance(read.event, LedgerState):
            held = self._entries.get(read.event.entry)
            if held is None or held.version < read.event.version:
                self._entries[read.event.entry] = read.event
        elif not self.passed.is_set():
            # A store that was put back may lack an order that its group has passed by.
            self._orders.append(read)

    async def _go_through(self) -> None:
        starting = not self.passed.is_set()
        await self.obeying.hear(self._orders)
        self._orders.clear()
        waiting = [
            name
            for name, entry in self._entries.items()
            if name not in self._known or self._known[name].version < entry.version
        ]
        standing = await self.obeying.standing(waiting) if waiting else []
        compared = compare(self._entries, self._known, _answered(standing), starting=starting)
        if starting and compared.ahead:
            why = f"the ledger lacks {len(compared.ahead)} erasures that this store has applied"
            self.health.unready(PART, why)
            return
        for name in compared.due:
            await self._apply(self._entries[name], standing)
        for name in compared.noted:
            await self._note(self._entries[name])
        if starting:
            self.health.ready(PART)
            self.passed.set()

    async def _apply(self, entry: LedgerState, standing: Sequence[KeptOrder]) -> None:
        """Erase again what an entry names, and see that nothing of it is left."""
        open_ones = [one for one in standing if one.order.erasure == entry.entry and one.open]
        again = await self.obeying.erased(Whom(records=entry.records), open_ones)
        if again.every:
            raise Transient(f"something is left of the erasure {entry.entry}")
        log.info("erased again by the ledger", erasure=entry.entry)
        await self._note(entry)

    async def _note(self, entry: LedgerState) -> None:
        applied = Applied(entry.version, hashed(entry))
        with faults():
            await self.applied.update_one(
                {"_id": entry.entry},
                {"$set": {"version": applied.version, "records": applied.records}},
                upsert=True,
            )
        self._known[entry.entry] = applied


def _answered(standing: Sequence[KeptOrder]) -> dict[str, bool]:
    """Return of each erasure with an order here whether all of them were carried out here."""
    answered: dict[str, bool] = {}
    for one in standing:
        answered[one.order.erasure] = answered.get(one.order.erasure, True) and one.carried_out
    return answered
