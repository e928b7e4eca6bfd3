"""The transparency log: what other parts append to it, and what it takes of all services."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from services.retention.api.proof import routes
from services.retention.commands.comparing import Comparing
from services.retention.commands.log import Log, LogKey
from services.retention.model.audit import records, topics
from services.retention.model.log import witnesses_of
from services.retention.store.tree import open_checkpoints, open_leaves, open_log_keys
from services.retention.wiring import House, Part, Rooms
from shared.events import Received
from shared.kafka.consume import Consumer
from shared.privacy.checkpoints import KnownKey
from shared.runtime.clock import Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

GROUP: Final = "retention.audit"
PART: Final = "checkpoints"  # in health
LOOK_SECONDS: Final = 1.0

log = get_log(__name__)


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    tree = rooms.tree = await opened_log(house)
    signing = Signing(
        tree,
        timedelta(seconds=house.settings.checkpoint_seconds),
        house.settings.checkpoint_leaves,
        house.health,
        house.clock,
    )
    return Part(
        routes=routes(tree),
        running={"reactions": {GROUP: audit(house, tree).run, PART: signing.run}},
    )


async def opened_log(house: House) -> Log:
    """Open the log; it is compared with its topic when it is first used."""
    settings, database = house.settings, house.database
    comparing = Comparing(settings.kafka_bootstrap, settings.topic_prefix, house.health)
    found = Log(
        open_leaves(database, house.wake, house.clock),
        open_checkpoints(database, house.wake),
        open_log_keys(database, house.wake),
        await asyncio.to_thread(LogKey, settings.log_key_file, settings.log_origin),
        comparing,
        await asyncio.to_thread(_witnesses, settings.witness_keys_file),
        house.clock,
    )
    comparing.log = found
    return found


def audit(house: House, tree: Log) -> Consumer:
    """Compose what writes the proofs of all services into the tree."""

    async def take(received: Sequence[Received]) -> None:
        made = [record for one in received for record in records(one)]
        if made:
            await tree.append_all(made)

    settings = house.settings
    return Consumer(
        GROUP,
        topics(),
        "retention",
        take,
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=house.health,
        clock=house.clock,
    )


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs a checkpoint when one is due: after so many records, or so long after one came in."""

    tree: Log
    after: timedelta
    leaves: int
    health: Health
    clock: Clock

    async def run(self, draining: asyncio.Event) -> None:
        """Sign until told to drain; store, broker and a fork are waited for."""
        self.health.promise(PART, within=120)
        while not draining.is_set():
            try:
                await self._turn()
            except Transient as fault:
                log.warning("no checkpoint signed", reason=str(fault))
            self.health.beat(PART)
            await wait_any(draining, timeout=LOOK_SECONDS)
        self.health.retire(PART)

    async def _turn(self) -> None:
        await self.tree.compared()
        size, newest = await self.tree.leaves.published(), await self.tree.newest()
        known = newest.size if newest else 0
        waited = newest is None or self.clock.now() - newest.signed_at >= self.after
        if size > known and (waited or size - known >= self.leaves):
            await self.tree.sign()


def _witnesses(path: Path | None) -> list[KnownKey]:
    """Read the keys of witnesses; blocking. Raises ``NoteError`` or ``OSError``."""
    return witnesses_of(path.read_text()) if path else []
