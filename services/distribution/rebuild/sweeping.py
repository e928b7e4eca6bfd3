"""Giving up the generation that was kept, and removing what no pointer names.

What is garbage follows from what is there: collections are listed first and the pointer is read
after that, so what is listed and not named was given up, for a number is never used twice. A batch
that was under way may still write to it; what it leaves is found by the next look.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from services.distribution.citations import Pace
from services.distribution.rebuild.pointer import NAME, POINTERS, ReadModels, generation_of
from shared.mongo import Database, faults
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

LOOK_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 10.0  # readers that look once a second are gone from it long before

log = get_log(__name__)


@dataclass(slots=True)
class Sweeper:
    """Removes generations that nobody reads any more; any number of processes may."""

    database: Database
    health: Health = field(default_factory=Health)
    clock: Clock = SYSTEM
    grace: float = GRACE_SECONDS
    _models: ReadModels = field(init=False)
    _first_seen: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look for the pointer where the works are."""
        self._models = ReadModels(self.database)

    async def run(self, draining: asyncio.Event) -> None:
        """Look every few seconds until told to drain."""
        self.health.promise("sweeper", within=120)
        pace = Pace(self.clock, beat=lambda: self.health.beat("sweeper"))
        while not draining.is_set():
            try:
                await self.look(pace, draining)
            except Transient as fault:
                log.warning("sweeping interrupted", reason=str(fault))
            self.health.beat("sweeper")
            await wait_any(draining, timeout=LOOK_SECONDS)
        self.health.retire("sweeper")

    async def look(self, pace: Pace, draining: asyncio.Event) -> None:
        """Give up what was kept long enough, and remove garbage that is old enough."""
        pointer = await self._models.fresh()
        until = pointer.kept_until
        if pointer.kept is not None and until is not None and until <= self.clock.now():
            await self._models.change(pointer, pointer.expired())
        now = self.clock.monotonic()
        garbage = await self._garbage()
        self._first_seen = {name: self._first_seen.get(name, now) for name in garbage}
        for name, seen in list(self._first_seen.items()):
            if now - seen >= self.grace and not draining.is_set():
                await self._remove(name, pace, draining)

    async def _garbage(self) -> list[str]:
        """Return the collections of generations that were given up."""
        with faults():
            names = await self.database.list_collection_names()
        pointer = await self._models.fresh()
        found = {name: generation_of(name) for name in sorted(names)}
        return [
            name
            for name, number in found.items()
            if number is not None and number <= pointer.newest and number not in pointer.written
        ]

    async def _remove(self, name: str, pace: Pace, draining: asyncio.Event) -> None:
        """Remove a collection, page by page where the store would do it key by key."""
        with faults():
            if not await drops_whole(self.database):
                keys: list[Any] = [
                    one["_id"]
                    for one in await self.database[name].find({}, {"_id": 1}).to_list(None)
                ]
                for some in pace.slices(keys):
                    if draining.is_set():
                        return
                    await pace.spend(self.database[name].delete_many({"_id": {"$in": list(some)}}))
            await self.database[name].drop()
            number = generation_of(name)
            if number and not [one for one in await self._garbage() if one.endswith(f"_{number}")]:
                await self.database[POINTERS].delete_many({"_id": f"{NAME}-{number}"})
        log.info("read model removed", collection=name)


async def drops_whole(database: Database) -> bool:
    """Whether the store drops a collection at once, as MongoDB does, whose build names its engines.

    The embedded store deletes key by key, each synced, under its one lock.
    """
    with faults():
        said = await database.command("buildInfo")
    return "storageEngines" in said
