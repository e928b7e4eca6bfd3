"""Reading the fact table anew when another version of the schedule counts.

``next_due`` follows from facts and schedule. Each batch that is heard is folded by the schedule of
its moment; what was folded before is folded again here, once for each version, page by page.
"""

from dataclasses import dataclass
from typing import Final

from services.retention.model.records import KeptRecord, next_due
from services.retention.wiring import House, Rooms
from shared.mongo import Aggregates, faults
from shared.mongo.client import UpdateOne
from shared.policy.retention import Schedule
from shared.runtime.log import get_log

FOLDS: Final = "folds"
PAGE: Final = 200  # records
# By then whoever writes facts knows of the change, too, and writes no older date behind us.
SETTLING_SECONDS: Final = 5.0

log = get_log(__name__)


@dataclass(slots=True)
class Refolding:
    """Folds all records anew, where the version in force is not the one they were folded by."""

    house: House
    rooms: Rooms
    records: Aggregates[KeptRecord]
    _folded: str = ""
    _seen: tuple[str, float] = ("", 0.0)
    _after: str = ""

    async def schedule(self) -> Schedule:
        """Look which version is in force."""
        if self.rooms.schedules is None:
            return self.house.schedule
        return await self.rooms.schedules.in_force(self.house.clock.now())

    async def step(self) -> bool:
        """Fold a page anew; say whether there is more."""
        schedule = await self.schedule()
        if schedule.sha == self._folded:
            return False
        if schedule.sha != self._seen[0]:
            self._seen, self._after = (schedule.sha, self.house.clock.monotonic()), ""
        marks = self.house.database[FOLDS]
        with faults():
            mark = await marks.find_one({"_id": schedule.sha})
        if mark is not None and mark.get("newest"):
            self._folded = schedule.sha
            return False
        if self.house.clock.monotonic() - self._seen[1] < SETTLING_SECONDS:
            return False
        if await self._page(schedule):
            return True
        with faults():
            await marks.update_many({}, {"$set": {"newest": False}})
            await marks.update_one({"_id": schedule.sha}, {"$set": {"newest": True}}, upsert=True)
        log.info("records folded anew", schedule=schedule.version)
        self._folded = schedule.sha
        return False

    async def _page(self, schedule: Schedule) -> bool:
        """Fold the next page; False where there is none."""
        asked = {"_id": {"$gt": self._after}}
        with faults():
            page = self.records.collection.find(asked, {"state": 1, "version": 1}).sort("_id", 1)
            found = await page.limit(PAGE).to_list(PAGE)
            if not found:
                return False
            changes = []
            for one in found:
                due = next_due(self.records.parse(one["state"]), schedule)
                changes.append(
                    UpdateOne(
                        {"_id": one["_id"], "version": one["version"]},
                        {"$set": {"waits": due is not None, "next_due": due}},
                    )
                )
            await self.records.collection.bulk_write(changes, ordered=False)
        self._after = found[-1]["_id"]
        return True
