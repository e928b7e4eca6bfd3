"""Turns: who does a job for now, with a number that grows whenever it changes hands.

Work that is saved carries the number of its turn, so that one who was frozen and comes late is told
from whoever took over (a fencing token). Safety rests on versions; a turn saves duels.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.mongo.client import Collection, DuplicateKeyError, faults
from shared.mongo.leases import LEASE_SECONDS
from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of a named job; ``holder`` is this process, its own name among all that run."""

    collection: Collection
    name: str
    holder: str
    clock: Clock = SYSTEM
    seconds: float = LEASE_SECONDS

    async def take(self) -> int | None:
        """Take or keep the turn and return its number; None while another has it.

        Raises ``Transient``.
        """
        now = self.clock.now()
        until = {"holder": self.holder, "until": now + timedelta(seconds=self.seconds)}
        with faults():
            kept = await self.collection.update_one(
                {"_id": self.name, "holder": self.holder, "until": {"$gte": now}}, {"$set": until}
            )
            if not kept.matched_count:
                try:
                    done = await self.collection.update_one(
                        {
                            "_id": self.name,
                            "$or": [{"holder": self.holder}, {"until": {"$lt": now}}],
                        },
                        {"$set": until, "$inc": {"turn": 1}},
                        upsert=True,
                    )
                except DuplicateKeyError:
                    return None
                if not (done.matched_count or done.upserted_id):
                    return None
            found = await self.collection.find_one({"_id": self.name})
        return found["turn"] if found and found["holder"] == self.holder else None

    async def give_up(self) -> None:
        """Let somebody else take over at once."""
        with faults():
            await self.collection.update_one(
                {"_id": self.name, "holder": self.holder}, {"$set": {"until": self.clock.now()}}
            )
