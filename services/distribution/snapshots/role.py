"""The role snapshots: builds what is due or wanted, one at a time, and tidies the shelf.

Of the processes that share a shelf the one that holds its lease builds; a lock on the shelf keeps
a holder that was taken for dead from writing beside its successor.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.distribution.gate import Gate
from services.distribution.rebuild.insisting import first_of
from services.distribution.settings import Settings
from services.distribution.snapshots.board import Board
from services.distribution.snapshots.building import Build, Interrupted, Nothing
from services.distribution.snapshots.months import Month
from services.distribution.snapshots.shelf import BeingBuilt, Shelf, due
from services.distribution.store import Works
from shared.mongo import Database, Lease
from shared.policy.snapshots import SnapshotsPolicy
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.metrics import SNAPSHOT_BYTES, SNAPSHOT_LEFT
from shared.runtime.service import wait_any
from shared.web.faults import place_of

LOOK_SECONDS: Final = 2.0  # how often it is looked whether one is wanted
TELL_SECONDS: Final = 1.0
TIDY_SECONDS: Final = 3600.0
FAILED_SECONDS: Final = 60.0  # until what failed is tried again
LEASE_SECONDS: Final = 15.0
LEASES: Final = "leases"

log = get_log(__name__)

Told = Callable[[str, int, int], None]


@dataclass(slots=True)
class Builder:
    """Builds snapshots on this host's shelf; ``told`` hears how far a build is."""

    settings: Settings
    gate: Gate
    database: Database
    policy: SnapshotsPolicy
    told: Told | None = None
    clock: Clock = SYSTEM
    shelf: Shelf = field(init=False)
    board: Board = field(init=False)
    _line: float = float("-inf")
    _tidied: float = float("-inf")
    _empty: Month | None = None  # nothing was registered by its end

    def __post_init__(self) -> None:
        """Stand before the shelf."""
        self.shelf = Shelf(self.settings.snapshots, self.gate.policy.terms)
        self.board = Board(self.database, self.clock)

    async def run(self, draining: asyncio.Event) -> None:
        """Build what is due or wanted until told to drain."""
        while not draining.is_set():
            try:
                month = await self.board.wished() or await asyncio.to_thread(self._due)
                if month is not None:
                    await self.build(month, draining)
                if self.clock.monotonic() - self._tidied > TIDY_SECONDS:
                    await asyncio.to_thread(self._tidy)
            except (Transient, BeingBuilt) as reason:
                log.warning("snapshots wait", reason=str(reason))
            except Exception as fault:  # noqa: BLE001  (a full disk must not stop who reads)
                # Its words may quote a work; its kind and place are enough.
                log.warning("snapshot failed", fault=type(fault).__name__, place=place_of(fault))
                await wait_any(draining, timeout=FAILED_SECONDS)
            await wait_any(draining, timeout=LOOK_SECONDS)

    async def build(self, month: Month, stop: asyncio.Event) -> str | None:
        """Build a month's snapshot, or go on; returns its id, None where it could not end.

        Raises ``Transient`` while the broker or the store is away, ``BeingBuilt`` where another
        process builds, or was ended a moment ago.
        """
        lease = self._lease(await asyncio.to_thread(lambda: self.shelf.identity))
        if not await lease.hold():
            raise BeingBuilt("another process builds a snapshot here")
        mine = asyncio.Event()
        try:
            with self.shelf.building():
                async with asyncio.TaskGroup() as group:
                    keeping = group.create_task(self._keep(lease, stop, mine))
                    try:
                        return await self._build(month, mine)
                    finally:
                        keeping.cancel()
        except BaseExceptionGroup as faults:
            raise first_of(faults) from None
        finally:
            await lease.release()

    async def _build(self, month: Month, stop: asyncio.Event) -> str | None:
        await self.board.began(month, self.settings.replica_name)
        build = Build(
            self.shelf,
            month,
            self.gate,
            Works(self.database),
            self.settings.kafka_bootstrap,
            self.settings.topic_prefix,
            self.clock,
            lambda *how_far: self._tell(month, *how_far),
            stop,
            self.settings.snapshot_works,
        )
        try:
            built = await build.run()
        except Nothing:
            self._empty = month
            await self.board.ended(month, "none", "nothing was registered by then")
            return None
        except Interrupted:
            await self.board.ended(month, "waiting", "it was told to stop, and goes on later")
            return None
        except Transient as fault:
            await self.board.ended(month, "waiting", str(fault))
            raise
        except Exception as fault:
            await self.board.ended(month, "failed", type(fault).__name__)
            raise
        await self.board.ended(month, "ready")
        return built

    async def _tell(self, month: Month, phase: str, done: int, total: int) -> None:
        if self.told:
            self.told(phase, done, total)
        if phase == "writing":
            SNAPSHOT_LEFT.set(total - done)
        now = self.clock.monotonic()
        if done >= total or now - self._line >= TELL_SECONDS:
            self._line = now
            await self.board.tell(month, phase, done, total)

    async def _keep(self, lease: Lease, stop: asyncio.Event, mine: asyncio.Event) -> None:
        """Keep the lease; ``mine`` is set when it is lost or all is to stop."""
        while await lease.hold() and not stop.is_set():
            await wait_any(stop, timeout=LEASE_SECONDS / 4)
        mine.set()

    def _lease(self, identity: str) -> Lease:
        return Lease(
            self.database[LEASES],
            f"snapshots.{identity}",
            self.settings.replica_name,
            self.clock,
            LEASE_SECONDS,
        )

    def _due(self) -> Month | None:
        """Return the month that has ended and has no snapshot, unless there is nothing in it."""
        month = due(self.shelf, self.clock.now(), self.policy.after)
        return None if month == self._empty else month

    def _tidy(self) -> None:
        self._tidied = self.clock.monotonic()
        with self.shelf.building():
            for gone in self.shelf.tidy(self.clock.now(), self.policy.quarters):
                log.info("snapshot removed", id=gone)
        SNAPSHOT_BYTES.set(self.shelf.bytes_used())
