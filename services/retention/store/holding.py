"""Holds and what is under them; schedules, reviews: how each is found."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.retention.model.holds import KeptHold, KeptMember
from services.retention.model.records import KeptRecord, name_of
from services.retention.model.reviews import KeptReview, agreed
from services.retention.model.schedules import KeptSchedule
from services.retention.store.records import RECORDS
from shared.mongo import Aggregates, Collection, Database, IndexModel, faults
from shared.privacy.rings import SOURCE

HOLDS: Final = "holds"
MEMBERS: Final = "hold_members"
SCHEDULES: Final = "schedules"
REVIEWS: Final = "reviews"
PAGE: Final = 500


def _flag(name: str) -> IndexModel:
    """Index the few documents that wait for something, in the order of their keys."""
    return IndexModel([(name, 1), ("_id", 1)], name=name, partialFilterExpression={name: True})


HOLDING_INDEXES: Final[Mapping[str, Sequence[IndexModel]]] = {
    HOLDS: (_flag("standing"), _flag("unspread"), _flag("unsettled")),
    MEMBERS: (
        IndexModel([("hold", 1), ("_id", 1)], name="hold"),
        IndexModel([("record", 1)], name="record"),
        _flag("pending"),
    ),
    SCHEDULES: (),
    REVIEWS: (_flag("open"), _flag("kept"), _flag("agreed")),
}


@dataclass(frozen=True, slots=True)
class HoldStore:
    """Holds, and the records and keys under them."""

    holds: Aggregates[KeptHold]
    members: Aggregates[KeptMember]

    async def standing(self) -> list[KeptHold]:
        """Return every hold that stands; there are few."""
        return await self.holds.where(standing=True)

    async def waiting(self, flag: str, *, most: int) -> list[KeptHold]:
        """Return holds that are ``unspread`` or ``unsettled``."""
        found = await page(self.holds.collection, {flag: True}, most=most)
        return [self.holds.parse(one["state"]) for one in found]

    async def pending(self, *, after: str, most: int) -> list[KeptMember]:
        """Return members of whose keys somebody has to ask again, by their names."""
        found = await page(self.members.collection, {"pending": True}, after=after, most=most)
        return [self.members.parse(one["state"]) for one in found]

    async def members_of(self, hold: str, *, after: str, most: int) -> list[KeptMember]:
        """Return what is under a hold, by name."""
        found = await page(self.members.collection, {"hold": hold}, after=after, most=most)
        return [self.members.parse(one["state"]) for one in found]

    async def on_records(self, names: Sequence[str]) -> list[KeptMember]:
        """Return the members that stand for records, of whatever hold."""
        asked = {"record": {"$in": list(names)}}
        with faults():
            found = await self.members.collection.find(asked, {"state": 1}).to_list(None)
        return [self.members.parse(one["state"]) for one in found]

    async def count(self, hold: str) -> int:
        """Count what is under a hold."""
        with faults():
            return await self.members.collection.count_documents({"hold": hold})


def open_holds(database: Database) -> HoldStore:
    """Return the store of holds."""
    return HoldStore(
        Aggregates(database[HOLDS], KeptHold.model_validate_json, SOURCE, _of_hold),
        Aggregates(database[MEMBERS], KeptMember.model_validate_json, SOURCE, _of_member),
    )


def open_schedules(database: Database) -> Aggregates[KeptSchedule]:
    """Return the versions of the schedule."""
    return Aggregates(database[SCHEDULES], KeptSchedule.model_validate_json, SOURCE)


def open_reviews(database: Database) -> Aggregates[KeptReview]:
    """Return the reviews."""
    return Aggregates(database[REVIEWS], KeptReview.model_validate_json, SOURCE, _of_review)


async def page(
    collection: Collection, asked: Mapping[str, Any], *, after: str = "", most: int = PAGE
) -> list[dict[str, Any]]:
    """Return documents behind a key, in the order of keys; ``asked`` by equality."""
    query = {**asked, "_id": {"$gt": after}} if after else dict(asked)
    with faults():
        return await collection.find(query, {"state": 1}).sort("_id", 1).limit(most).to_list(most)


async def table(
    database: Database, asked: Mapping[str, Any] | None = None, *, most: int = 1_000
) -> AsyncIterator[list[dict[str, Any]]]:
    """Read the fact table as it lies, some rows at a time: ``kind`` and ``state`` of each."""
    cursor = database[RECORDS].find(asked or {}, {"kind": 1, "state": 1}).batch_size(most)
    try:
        coming = asyncio.ensure_future(cursor.to_list(most))
        while True:
            with faults():
                rows = await coming
            ended = len(rows) < most
            if not ended:
                # The store gets the next rows ready while these are looked at.
                coming = asyncio.ensure_future(cursor.to_list(most))
                await asyncio.sleep(0)
            if rows:
                yield rows
            if ended:
                return
    finally:
        await _ended(coming)
        await cursor.close()


async def _ended(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def page_of_kind(
    database: Database, kind: str, *, after: str, most: int
) -> list[dict[str, Any]]:
    """Return rows of the fact table of one kind, by their names, behind one of them."""
    query = {"_id": {"$gt": after or name_of(kind, ""), "$lt": f"{kind};"}}
    with faults():
        return await (
            database[RECORDS].find(query, {"state": 1}).sort("_id", 1).limit(most).to_list(most)
        )


def _of_hold(hold: KeptHold) -> Mapping[str, Any]:
    return {
        "standing": hold.standing,
        "unspread": hold.standing and not hold.spread,
        "unsettled": hold.released is not None and not hold.settled,
        "matter": hold.matter,
        "reason": hold.reason,
    }


def _of_member(member: KeptMember) -> Mapping[str, Any]:
    record = name_of(member.kind, member.record) if member.kind and member.record else None
    return {"hold": member.hold, "record": record, "pending": member.pending}


def _of_review(review: KeptReview) -> Mapping[str, Any]:
    return {
        "open": review.open,
        "kept": not review.open and review.back_on is not None,
        "agreed": any(agreed(review, one.record) for one in review.decisions),
        "rule": review.rule,
        "office": review.office,
    }


def record_of(row: Mapping[str, Any]) -> KeptRecord:
    """Return a row of the fact table."""
    return KeptRecord.model_validate_json(row["state"])
