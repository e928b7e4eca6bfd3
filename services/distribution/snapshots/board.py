"""What is known of snapshots in the store: which one is wanted, how far a build is, how it ended.

Nothing but wishes is decided by it: what can be served stands on the shelf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field

from services.distribution.snapshots.months import Month
from shared.mongo import Database, faults
from shared.mongo.client import Document
from shared.runtime.clock import Clock, rfc3339

COLLECTION: Final = "snapshots"
MOST: Final = 120  # months shown


@dataclass(frozen=True, slots=True)
class Board:
    """The builds of all shelves."""

    database: Database
    clock: Clock

    async def wish(self, month: Month) -> None:
        """Have a month's snapshot built, again where there is one."""
        await self._set(month, {"wanted": True, "wanted_at": self.clock.now()})

    async def wished(self) -> Month | None:
        """Return a month whose snapshot somebody wants."""
        with faults():
            found = await self.database[COLLECTION].find_one({"wanted": True})
        return Month(*map(int, found["_id"].split("-"))) if found else None

    async def began(self, month: Month, by: str) -> None:
        """Note that a build began or goes on; who wanted it need not ask again."""
        now = self.clock.now()
        said = {"state": "building", "by": by, "since": now, "phase": "listing", "done": 0}
        await self._set(month, {**said, "total": 0, "at": now, "wanted": False})

    async def tell(self, month: Month, phase: str, done: int, total: int) -> None:
        """Note how far it is."""
        said = {"phase": phase, "done": done, "total": total, "at": self.clock.now()}
        await self._set(month, said)

    async def ended(self, month: Month, state: str, said: str = "") -> None:
        """Note that it is ready, waits to go on, or failed, and why."""
        await self._set(month, {"state": state, "said": said, "at": self.clock.now()})

    async def read(self) -> list[Document]:
        """Return the builds of the latest months, the latest first."""
        with faults():
            found = await self.database[COLLECTION].find({}).to_list(None)
        return sorted(found, key=lambda one: str(one["_id"]), reverse=True)[:MOST]

    async def _set(self, month: Month, fields: dict[str, Any]) -> None:
        with faults():
            await self.database[COLLECTION].update_one(
                {"_id": str(month)}, {"$set": fields}, upsert=True
            )


class ShownBuild(BaseModel):
    """A month's build."""

    month: str
    wanted: bool = Field(description="Somebody asked for it, and it was not begun since.")
    state: str = Field(description="building; waiting, to be gone on with; ready; failed; or none.")
    phase: str = Field(description="listing: the log is read; writing: works are written.")
    done: int = Field(description="Records read, or works written.")
    total: int
    at: str | None = Field(description="When this was true.")
    by: str = Field(description="Which replica builds.")
    said: str = Field(description="Why it waits or failed.")


class ShownBuilds(BaseModel):
    """Every build, the latest month first."""

    builds: list[ShownBuild]


def shown(documents: Sequence[Document]) -> ShownBuilds:
    """Return builds as operators see them."""
    return ShownBuilds(
        builds=[
            ShownBuild(
                month=one["_id"],
                wanted=one.get("wanted", False),
                state=one.get("state", "none"),
                phase=one.get("phase", ""),
                done=one.get("done", 0),
                total=one.get("total", 0),
                at=rfc3339(one["at"]) if "at" in one else None,
                by=one.get("by", ""),
                said=one.get("said", ""),
            )
            for one in documents
        ]
    )
