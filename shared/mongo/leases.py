"""Leases: who does a job for now. They save idle duels; safety comes from elsewhere (fences)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.mongo.client import Collection, DuplicateKeyError, faults
from shared.runtime.clock import SYSTEM, Clock

LEASE_SECONDS: Final = 5.0  # a standby takes over this long after the holder's last sign


@dataclass(frozen=True, slots=True)
class Lease:
    """A named job that one holder at a time should do."""

    collection: Collection
    name: str
    holder: str
    clock: Clock = SYSTEM
    seconds: float = LEASE_SECONDS

    async def hold(self) -> bool:
        """Take or renew the lease; False while another holder's has not run out."""
        now = self.clock.now()
        with faults():
            try:
                done = await self.collection.update_one(
                    {"_id": self.name, "$or": [{"holder": self.holder}, {"until": {"$lt": now}}]},
                    {
                        "$set": {
                            "holder": self.holder,
                            "until": now + timedelta(seconds=self.seconds),
                        }
                    },
                    upsert=True,
                )
            except DuplicateKeyError:
                return False
        return bool(done.matched_count or done.upserted_id)

    async def release(self) -> None:
        """Give the lease back, so that a standby need not wait."""
        with faults():
            await self.collection.update_one(
                {"_id": self.name, "holder": self.holder}, {"$set": {"until": self.clock.now()}}
            )
