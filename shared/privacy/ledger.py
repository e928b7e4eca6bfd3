"""The gate at a service's start: nobody serves from a store that is behind the ledger (law P2).

The ledger says whose keys are gone for ever. A store that was put back from a copy holds what was
erased since: it is erased again, by the pseudonyms of the entry, before this process is ready. A
store that has applied what the ledger does not hold was right, and the ledger was put back: nothing
is ready then, and it says so.

What an order of this moment does is not hurried: an entry is due once its order stands here, or
once it was certified.

The ledger grows for ever. In memory is what this store is behind with; what it has applied is asked
of the store, and counted once, at the start, until the ledger was seen to hold all of it.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from shared.events import Received, from_record
from shared.events.orders import LedgerState, OrderState
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
PAGE: Final = 500  # entries or orders that the store is asked about together
PENDING_SECONDS: Final = 2.0  # until what is not due yet is looked at again

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a store followed an entry."""

    version: int
    records: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A store beside entries: what is to be applied, what only noted, and what it followed."""

    due: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    level: tuple[str, ...] = ()


def compare(
    entries: Mapping[str, LedgerState],
    applied: Mapping[str, Applied],
    standing: Mapping[str, bool],
    *,
    starting: bool,
) -> Compared:
    """Compare a store with entries of the ledger.

    ``standing`` says of entries whose order stands here whether all of it was answered. At the
    start what is not applied is erased again even so: of a copy that was not taken at one moment
    nothing is known.
    """
    due, noted, level = [], [], []
    for name, entry in entries.items():
        known = applied.get(name)
        if known is not None and known.version >= entry.version:
            level.append(name)
            continue
        answered = standing.get(name)
        same = known is not None and known.records == hashed(entry)
        if same or (answered and not starting):
            noted.append(name)
        elif entry.certified_at is not None or (answered is not None and starting):
            due.append(name)
    return Compared(tuple(due), tuple(noted), tuple(level))


@dataclass(slots=True)
class Ahead:
    """What a store has applied and the ledger was not seen to hold: versions, by entry."""

    versions: dict[str, int] = field(default_factory=dict)

    def see(self, entry: LedgerState) -> bool:
        """Take in an entry; say whether it says no more than was applied."""
        applied = self.versions.get(entry.entry)
        if applied is None or entry.version < applied:
            return applied is not None
        del self.versions[entry.entry]
        return entry.version == applied


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
    _behind: dict[str, LedgerState] = field(default_factory=dict)
    _ahead: Ahead = field(default_factory=Ahead)
    _orders: dict[str, Received] = field(default_factory=dict)
    _next: float = float("-inf")

    async def run(self, draining: asyncio.Event) -> None:
        """Bring the store up to the ledger, then follow it until told to drain."""
        self.health.unready(PART, "has not compared its store with the ledger of erasures yet")
        while not draining.is_set():
            try:
                # Before the ledger is read: what is applied already stands in it by then.
                self._ahead = await self._noted()
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

    async def _noted(self) -> Ahead:
        with faults():
            found = self.applied.find({}, {"version": 1}).batch_size(PAGE)
            return Ahead({one["_id"]: one["version"] async for one in found})

    async def _applied(self, names: Sequence[str]) -> dict[str, Applied]:
        with faults():
            found = await self.applied.find({"_id": {"$in": list(names)}}).to_list(None)
        return {one["_id"]: Applied(one["version"], one["records"]) for one in found}

    async def _take(self, batch: Batch) -> None:
        for _, record in batch.records:
            read = from_record(record.key, record.value, record.headers)
            if isinstance(read, Received):
                self._learn(read)
        now = self.clock.monotonic()
        whole = not batch.behind and (batch.records or now >= self._next)
        if whole:
            self._next = now + PENDING_SECONDS
        try:
            if whole or len(self._orders) >= PAGE:
                await self._hear()
            if whole:
                await self._go_through()
        except (Transient, Busy) as fault:
            log.warning("ledger waits", reason=str(fault))

    def _learn(self, read: Received) -> None:
        said = read.event
        if isinstance(said, LedgerState):
            held = self._behind.get(said.entry)
            if not self._ahead.see(said) and (held is None or held.version < said.version):
                self._behind[said.entry] = said
        elif isinstance(said, OrderState) and not self.passed.is_set():
            # A store that was put back may lack an order that its group has passed by.
            before = self._orders.get(said.order)
            if before is None or _version(before) <= said.version:
                self._orders[said.order] = read

    async def _hear(self) -> None:
        await self.obeying.hear(list(self._orders.values()))
        self._orders.clear()

    async def _go_through(self) -> None:
        starting = not self.passed.is_set()
        if starting and self._ahead.versions:
            lacks = len(self._ahead.versions)
            why = f"the ledger lacks {lacks} erasures that this store has applied"
            self.health.unready(PART, why)
            return
        names = list(self._behind)
        for start in range(0, len(names), PAGE):
            await self._catch_up(names[start : start + PAGE], starting=starting)
        if starting:
            self._ahead = Ahead()  # a dictionary keeps the room of what was taken out of it
            self.health.ready(PART)
            self.passed.set()

    async def _catch_up(self, names: Sequence[str], *, starting: bool) -> None:
        """Follow some entries as far as they are due; what is not waits in memory."""
        entries = {name: self._behind[name] for name in names}
        applied = await self._applied(names)
        standing = await self.obeying.standing(names)
        compared = compare(entries, applied, _answered(standing), starting=starting)
        for name in compared.due:
            await self._apply(entries[name], standing)
        for name in compared.noted:
            await self._note(entries[name])
        for name in compared.level:
            del self._behind[name]

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
        del self._behind[entry.entry]


def _version(read: Received) -> int:
    return read.event.aggregate_version or 0


def _answered(standing: Sequence[KeptOrder]) -> dict[str, bool]:
    """Return of each erasure with an order here whether all of them were carried out here."""
    answered: dict[str, bool] = {}
    for one in standing:
        answered[one.order.erasure] = answered.get(one.order.erasure, True) and one.carried_out
    return answered
