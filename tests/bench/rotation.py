"""Rotation: keys wrapped anew, all of them while they are read, beside bare bulk updates.

``KEYS`` key documents with one key each (``SCALE=`` raises it). Ours reads every document, opens
its key, wraps it under the new epoch, sees that it opens, writes it on condition of its version,
and looks at everything once more. Bare writes as many documents of the same size, in bulks of the
same size, unconditionally, and reads nothing. Meanwhile keys are read without end, in both; a read
that finds no key ends the bench. Figures are keys a second.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pymongo import UpdateOne

from services.retention.erasure.rewrapping import PAGE
from services.retention.erasure.rotation import Rotation
from services.retention.model.epochs import KeptEpochs
from shared.mongo import Aggregates, Database, Lease
from shared.policy.personal import load_personal
from shared.privacy.envelope import OpenKey
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.ids import new_pseudonym
from tests.bench.rig import close, console, in_turn, rig, sized
from tests.processes import ROOT

KEYS: Final = sized(20_000)
SOURCE: Final = "/services/retention"
MILLION: Final = 1_000_000
PAUSE: Final = 0.02  # seconds between two reads of a key


@dataclass(slots=True)
class Reader:
    """Reads keys, one after the other, and counts."""

    ring: KeyRing
    kids: list[str]
    reads: int = 0
    slowest: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Read until told to end; whatever is no key ends the bench."""
        while not self.done.is_set():
            kid = self.kids[self.reads % len(self.kids)]
            began = time.perf_counter()
            found = (await self.ring.opening([kid]))[kid]
            self.slowest = max(self.slowest, time.perf_counter() - began)
            assert isinstance(found, OpenKey), f"a read error: {found}"
            self.reads += 1
            await asyncio.sleep(PAUSE)


async def main(*, rounds: int = 5) -> None:
    """Print how many keys a second are wrapped anew, over bare bulk updates."""
    row = load_personal(ROOT / "deploy" / "policies" / "personal.toml").file.epochs
    with TemporaryDirectory() as folder:
        async with rig() as here:
            database = here.database
            epochs = FileEpochs(Path(folder))
            documents = Aggregates(database["keys"], KeptKeys.model_validate_json, SOURCE)
            ring = KeyRing(documents, epochs, timedelta(seconds=30), fresh=lambda: False)
            kids = await made(ring)
            rotation = Rotation(
                Aggregates(database["epochs"], KeptEpochs.model_validate_json, SOURCE),
                documents,
                epochs,
                row,
                Lease(database["leases"], "epochs", "bench"),
            )
            bodies = await copied(database)
            reader = Reader(ring, kids)
            console.print(f"{KEYS:,} keys, {PAGE} documents a bulk, {rounds} rounds")

            async def ours(_number: int) -> float:
                async with reading(reader):
                    began = time.perf_counter()
                    assert await rotation.begin() is not None
                    await rotation.step()
                    return KEYS / (time.perf_counter() - began)

            async def bare(_number: int) -> float:
                async with reading(reader):
                    began = time.perf_counter()
                    await updated(database, bodies)
                    return KEYS / (time.perf_counter() - began)

            mine, plain = await in_turn(rounds, ours, bare)
            middle = sorted(mine)[len(mine) // 2]
            console.print(
                f"{MILLION / middle / 60:.1f} minutes a million keys; {reader.reads:,} reads "
                f"meanwhile, none failed, the slowest took {reader.slowest * 1e3:.0f} ms"
            )
            close("rotation", mine, plain, "keys/s")


async def made(ring: KeyRing) -> list[str]:
    """Make the keys of as many people; return their ids."""
    kids: list[str] = []
    while len(kids) < KEYS:
        asked = [(new_pseudonym(), "account", "details") for _ in range(min(PAGE, KEYS))]
        kids += [key.kid for key in await ring.made(asked)]
    return kids


async def copied(database: Database) -> dict[str, str]:
    """Copy the key documents for the bare updates; return what is written each time."""
    found: list[Any] = await database["keys"].find({}, {"state": 1, "version": 1}).to_list(None)
    for start in range(0, len(found), PAGE):
        await database["bare"].insert_many(found[start : start + PAGE])
    return {one["_id"]: one["state"] for one in found}


async def updated(database: Database, bodies: dict[str, str]) -> None:
    """Write every document anew, in bulks."""
    items = list(bodies.items())
    for start in range(0, len(items), PAGE):
        await database["bare"].bulk_write(
            [
                UpdateOne({"_id": name}, {"$set": {"state": body}, "$inc": {"version": 1}})
                for name, body in items[start : start + PAGE]
            ],
            ordered=False,
        )


@asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[None]:
    """Read keys meanwhile."""
    reader.done.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.run())
        try:
            yield
        finally:
            reader.done.set()
