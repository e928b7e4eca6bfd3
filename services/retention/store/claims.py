"""Claims of records whose clocks are ripe: by lease, each with a fencing token that only grows.

``next_due`` is moved to the lease's end, so that nobody else takes the record meanwhile and
somebody does when its holder dies. What is settled is written on condition of the token and of the
record's version: whoever was frozen, or overtaken by a fact, writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.retention.model.records import KeptRecord
from shared.events.decisions import Accepted
from shared.mongo import Aggregates, faults
from shared.mongo.client import UpdateOne
from shared.runtime.clock import Clock, rfc3339

AT_ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # whatever a wrong clock says that it is now


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that is ours until ``until``, under ``token``."""

    record: KeptRecord
    token: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims on the fact table; ``seconds`` is how long one lasts."""

    records: Aggregates[KeptRecord]
    clock: Clock
    seconds: float = 30.0

    async def take(self, holder: str, most: int, *, now: datetime) -> list[Claim]:
        """Claim up to ``most`` records that are due; ``holder`` is new with each call.

        ``now`` is a time that is sure: by a clock that is ahead they would be claimed for too long.
        """
        until = now + timedelta(seconds=self.seconds)
        asked = {"waits": True, "next_due": {"$lte": now}}
        collection = self.records.collection
        with faults():
            oldest = collection.find(asked, {"next_due": 1}).sort([("waits", 1), ("next_due", 1)])
            found = await oldest.limit(most).to_list(most)
            if not found:
                return []
            await collection.bulk_write(
                [
                    UpdateOne(
                        {"_id": one["_id"], "waits": True, "next_due": one["next_due"]},
                        {"$set": {"holder": holder, "next_due": until}, "$inc": {"token": 1}},
                    )
                    for one in found
                ],
                ordered=False,
            )
            ours = await collection.find(
                {"_id": {"$in": [one["_id"] for one in found]}},
                {"state": 1, "holder": 1, "token": 1},
            ).to_list(None)
        return [
            Claim(self.records.parse(one["state"]), one["token"], until)
            for one in ours
            if one.get("holder") == holder
        ]

    async def write(self, claim: Claim, state: KeptRecord) -> Claim | None:
        """Write a claimed record and keep the claim; None where claim or version is lost."""
        now = rfc3339(self.clock.now())
        change = self.records.change(state.name, Accepted(state, ()), at=now, correlation=None)
        shown = {**change.shown, "next_due": claim.until, "waits": True}
        if not await self._set(claim, shown):
            return None
        return Claim(state, claim.token, claim.until)

    async def let_go(self, claim: Claim, again: datetime | None) -> bool:
        """End a claim and say when to look again; False where it was lost."""
        return await self._set(claim, {"waits": again is not None, "next_due": again})

    async def look_again(self, keys: Sequence[str]) -> None:
        """Have every record under these keys looked at now."""
        with faults():
            await self.records.collection.update_many(
                {"keys_ids": {"$in": list(keys)}},
                {"$set": {"waits": True, "next_due": AT_ONCE}},
            )

    async def _set(self, claim: Claim, shown: dict[str, Any]) -> bool:
        condition = {
            "_id": claim.record.name,
            "version": claim.record.version,
            "token": claim.token,
        }
        with faults():
            done = await self.records.collection.update_one(condition, {"$set": shown})
        return bool(done.matched_count)
