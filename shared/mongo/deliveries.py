"""The delivery queue: what must reach somebody outside, each at least once, tried under leases.

A delivery is a document under an id that follows from what it is about, so that asking for it
twice is asking once. One field, ``due``, is both when the next try may begin and until when a try
under way has it for itself: whoever tries moves it on, on condition that nobody else has. A process
that dies leaves its tries to others when that time comes. Nothing personal stands in a payload
in clear.
"""

from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from shared.mongo.client import (
    BulkWriteError,
    Collection,
    Document,
    IndexModel,
    InsertOne,
    UpdateOne,
    collided,
    faults,
)
from shared.runtime.clock import SYSTEM, Clock

State = Literal["waiting", "done", "dead"]

INDEXES: Final = (
    IndexModel([("waiting", 1), ("due", 1)], name="due", partialFilterExpression={"waiting": True}),
    IndexModel([("dead", 1), ("_id", 1)], name="dead", partialFilterExpression={"dead": True}),
    # What is done is forgotten at its time; what is dead waits for somebody to look at it.
    IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
)

WITHOUT_TEXTS: Final = {"payload.sealed.values": 0}


@dataclass(frozen=True, slots=True)
class New:
    """Something to be delivered; ``share`` is whose it is: places are given in turns over these."""

    id: str
    kind: str
    payload: Mapping[str, Any]
    share: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as stored.

    ``since`` is when it was asked for, by its author or again by an operator; ``said`` what the
    last try came to, in a word or an HTTP status.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    share: str
    state: State
    tries: int
    since: datetime
    due: datetime
    said: str | None
    ended_at: datetime | None
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """How a try ended: the new state, what it came to, and when the next try is due, if any."""

    state: State
    said: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries of one service."""

    collection: Collection
    kept: timedelta  # how long one that is done can still be looked at
    clock: Clock = field(default=SYSTEM)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        with faults():
            await self.collection.create_indexes(list(INDEXES))

    async def enqueue(self, new: Sequence[New]) -> int:
        """Ask for deliveries; return how many had not been asked for before."""
        if not new:
            return 0
        now = exact(self.clock.now())
        documents = [
            {
                "_id": one.id,
                "kind": one.kind,
                "payload": dict(one.payload),
                "share": one.share,
                "state": "waiting",
                "waiting": True,
                "tries": 0,
                "since": now,
                "due": now,
            }
            for one in new
        ]
        with faults():
            try:
                await self.collection.bulk_write(
                    [InsertOne(one) for one in documents], ordered=False
                )
            except BulkWriteError as fault:
                return len(new) - len(collided(fault))
        return len(new)

    async def due(self, *, most: int, without: Some[str] = ()) -> list[Delivery]:
        """Return deliveries that may be tried now, save those of some shares."""
        asked: Document = {"waiting": True, "due": {"$lte": self.clock.now()}}
        if without:
            asked["share"] = {"$nin": list(without)}
        with faults():
            found = await self.collection.find(asked).limit(most).to_list(most)
        return sorted((_delivery(one) for one in found), key=lambda one: one.due)

    async def claim(
        self, chosen: Sequence[Delivery], *, holder: str, seconds: float
    ) -> list[Delivery]:
        """Begin a try of each, on condition that nobody else has; return those that are ours.

        ``holder`` must be new with each call: it tells this try from every other one.
        """
        if not chosen:
            return []
        until = exact(self.clock.now() + timedelta(seconds=seconds))
        operations = [
            UpdateOne(
                {"_id": one.id, "waiting": True, "due": one.due},
                {"$set": {"holder": holder, "due": until}, "$inc": {"tries": 1}},
            )
            for one in chosen
        ]
        with faults():
            await self.collection.bulk_write(operations, ordered=False)
            found = await self.collection.find(
                {"_id": {"$in": [one.id for one in chosen]}}
            ).to_list(None)
        return [_delivery(one) for one in found if one.get("holder") == holder]

    async def settle(self, tried: Delivery, settled: Settled) -> bool:
        """Write down how a try ended; False where its time had run out and another has begun."""
        now = self.clock.now()
        ended: Document = {"state": settled.state, "said": settled.said, "holder": None}
        gone: Document = {}
        if settled.state == "waiting":
            ended["due"] = exact(settled.due or now)
        else:
            ended["ended_at"] = now
            gone["waiting"] = ""
        if settled.state == "done":
            ended["forget_at"] = now + self.kept
        if settled.state == "dead":
            ended["dead"] = True
        change: Document = {"$set": ended} | ({"$unset": gone} if gone else {})
        with faults():
            done = await self.collection.update_one(
                {"_id": tried.id, "waiting": True, "holder": tried.holder}, change
            )
        return done.matched_count == 1

    async def drop(self, share: str, said: str) -> int:
        """Deliver no more of what waits of one share, and forget what is sealed; return how many.

        A try that is under way is not called back.
        """
        now = self.clock.now()
        with faults():
            done = await self.collection.update_many(
                {"waiting": True, "share": share},
                {
                    "$set": {"state": "done", "said": said, "holder": None, "ended_at": now}
                    | {"forget_at": now + self.kept},
                    "$unset": {"waiting": "", "payload.sealed": ""},
                },
            )
        return done.modified_count

    async def sealed(self) -> list[Delivery]:
        """Return what still holds something sealed, without it: what waits, and what is dead."""
        with faults():
            found = [
                each
                for asked in ({"waiting": True}, {"dead": True})
                for each in await self.collection.find(asked, WITHOUT_TEXTS).to_list(None)
            ]
        return [_delivery(one) for one in found if "sealed" in one["payload"]]

    async def sealed_of(self, shares: Some[str]) -> dict[str, str]:
        """Return of these shares what still holds something sealed: ids, and whose each is.

        Of a long queue nothing but that is read.
        """
        shown = {"share": 1, "payload.sealed.epoch": 1}
        of = {"share": {"$in": sorted(shares)}}
        with faults():
            found = [
                each
                for asked in ({"waiting": True}, {"dead": True})
                for each in await self.collection.find(asked | of, shown).to_list(None)
            ]
        return {one["_id"]: one["share"] for one in found if "sealed" in one.get("payload", {})}

    async def forget(self, names: Sequence[str], said: str) -> None:
        """Deliver these no more, dead ones too, and forget what is sealed.

        A try that is under way is not called back.
        """
        now = self.clock.now()
        with faults():
            await self.collection.update_many(
                {"_id": {"$in": list(names)}, "payload.sealed": {"$exists": True}},
                {
                    "$set": {"state": "done", "said": said, "holder": None, "ended_at": now}
                    | {"forget_at": now + self.kept},
                    "$unset": {"waiting": "", "dead": "", "payload.sealed": ""},
                },
            )

    async def one(self, name: str) -> Delivery | None:
        """Return a delivery."""
        with faults():
            found = await self.collection.find_one({"_id": name})
        return _delivery(found) if found else None

    async def about(self, field: str, values: Sequence[str]) -> list[Delivery]:
        """Return what was asked for about these, without its texts.

        There is no index for it: all deliveries are looked through, for who asks what is held.
        """
        asked = {f"payload.about.{field}": {"$in": list(values)}}
        with faults():
            found = await self.collection.find(asked, WITHOUT_TEXTS).to_list(None)
        return [_delivery(one) for one in found]

    async def listed(
        self, state: Literal["waiting", "dead"], *, after: str, most: int
    ) -> list[Delivery]:
        """Return deliveries in a state, by id, from behind ``after`` on."""
        asked = {state: True, "_id": {"$gt": after}}
        with faults():
            found = await self.collection.find(asked).sort("_id", 1).limit(most).to_list(most)
        return [_delivery(one) for one in found]

    async def again(self, name: str) -> bool:
        """Let a dead delivery be tried from the beginning; False where it is not dead."""
        now = exact(self.clock.now())
        with faults():
            done = await self.collection.update_one(
                {"_id": name, "dead": True},
                {
                    "$set": {"state": "waiting", "waiting": True, "tries": 0, "since": now}
                    | {"due": now},
                    "$unset": {"dead": "", "ended_at": ""},
                },
            )
        return done.matched_count == 1

    async def waiting(self, *, most: int) -> int:
        """Count those not delivered yet; not beyond ``most``."""
        with faults():
            return await self.collection.count_documents({"waiting": True}, limit=most)


def exact(at: datetime) -> datetime:
    """Return a time in whole milliseconds, as the store keeps it."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _delivery(document: Document) -> Delivery:
    return Delivery(
        id=document["_id"],
        kind=document["kind"],
        payload=document["payload"],
        share=document["share"],
        state=document["state"],
        tries=document["tries"],
        since=document["since"],
        due=document["due"],
        said=document.get("said"),
        ended_at=document.get("ended_at"),
        holder=document.get("holder"),
    )
