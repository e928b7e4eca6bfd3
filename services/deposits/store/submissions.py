"""Submissions: aggregates, and beside their state what only this service needs of them.

Names that a depositor chose (file name, batch id) may be personal: they are sealed under the
submission's own key and looked up by keyed hashes, which hold the login, so that a login finds its
own submissions and no other's.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from services.deposits.store import raw
from services.deposits.store.claims import Offer
from services.deposits.store.documents import (
    FREE,
    SHOWN,
    New,
    Submission,
    SubmissionStatus,
    stored,
    submission_of,
)
from services.deposits.store.together import Together, insert
from shared.events import SubmissionState
from shared.mongo import Accepted, Aggregates, Collection, Database
from shared.mongo.changes import Change
from shared.mongo.client import Document, IndexModel, faults
from shared.runtime.clock import rfc3339
from shared.runtime.faults import Transient

INDEXES: Final = (
    # Those not completed yet; of equal keys an index gives the oldest first.
    IndexModel([("open", 1)], name="open", partialFilterExpression={"open": True}),
    # One index for what a login asks by, for each costs every write: see New.lookup.
    IndexModel([("lookup", 1), ("_id", -1)], name="lookup"),
    # Those whose depositor waits to be called back.
    IndexModel([("calls", 1), ("open", 1)], name="calls", partialFilterExpression={"calls": True}),
)
AT_ONCE: Final = 50  # submissions in one command
DIGITS: Final = 16  # of a number until the year 2286
LONGEST_UPLOAD: Final = timedelta(days=1)  # a number is given when an upload begins


@dataclass(frozen=True, slots=True)
class Asked:
    """Which submissions: each field narrows. ``lookup`` is a login, or a hashed name of one's own.

    ``since`` and ``until`` are about when they were received, the second exclusive.
    """

    lookup: str | None = None
    status: SubmissionStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    with faults():
        await database["submissions"].create_indexes(list(INDEXES))
        await database["raw"].create_indexes([raw.INDEX])


@dataclass(slots=True)
class Submissions:
    """All submissions."""

    aggregates: Aggregates[SubmissionState]
    lookup_key: bytes = field(repr=False)
    _adding: Together[tuple[Change, Document], bool] = field(init=False)
    _counting: Together[tuple[str | None, int], int] = field(init=False)

    def __post_init__(self) -> None:
        """Make ready what gathers writes."""
        self._adding = Together(self._add, AT_ONCE)
        self._counting = Together(self._count, AT_ONCE)

    @property
    def collection(self) -> Collection:
        """Where they lie."""
        return self.aggregates.collection

    # -- accepting -----------------------------------------------------------------------------

    async def add(self, new: New, *, offer: Offer | None, correlation: str | None) -> Submission:
        """Write a new submission; returns when it is durable: that write is the promise."""
        change = self.aggregates.change(
            new.state.submission,
            Accepted(new.state, (new.event,)),
            at=rfc3339(new.state.received_at),
            correlation=correlation,
        )
        document = {
            "_id": change.key,
            **change.shown,
            **change.pushed,
            "holder": offer.holder if offer else None,
            "until": offer.until if offer else FREE,
            "organisation": new.state.organisation,
            "credential": new.credential,
            "size": new.size,
            "sha256": new.sha256,
            "kid": new.kid,
            "file_name": new.file_name,
            "lookup": list(new.lookup),
            "received": new.state.received_at,
        }
        if new.callback is not None:
            document |= {"callback": new.callback, "calls": True}
        if offer is not None:
            document["bound"] = stored(offer.bound)
        if not await self._adding.do((change, document)):
            raise Transient("this submission is written already")
        self.aggregates.wake(self.aggregates.collection.name)
        return submission_of(document)

    async def _count(self, asked: Sequence[tuple[str | None, int]]) -> Sequence[int]:
        """Count once for all who ask the same meanwhile: it costs as much as there are."""
        counts: dict[tuple[str | None, int], int] = {}
        for one in dict.fromkeys(asked):
            credential, most = one
            query = {"open": True} | ({} if credential is None else {"credential": credential})
            with faults():
                counts[one] = await self.collection.count_documents(query, limit=most)
        return [counts[one] for one in asked]

    async def _add(self, new: Sequence[tuple[Change, Document]]) -> Sequence[bool]:
        await self.aggregates.announce([change for change, _ in new])
        return await insert(self.collection, [document for _, document in new])

    def hashed(self, kind: str, name: str, *, credential: str) -> str:
        """Return what a file name or batch id of a login is looked up by."""
        said = orjson.dumps([kind, credential, name])
        return hmac.digest(self.lookup_key, said, "sha256").hex()

    async def pending(self, credential: str | None, *, most: int) -> int:
        """Count the unprocessed submissions of a login, or of all; not beyond ``most``."""
        return await self._counting.do((credential, most))

    # -- reading -------------------------------------------------------------------------------

    async def one(self, submission: str) -> Submission | None:
        """Return a submission."""
        with faults():
            found = await self.collection.find_one({"_id": submission}, SHOWN)
        return submission_of(found) if found else None

    async def named(self, lookup: str) -> Submission | None:
        """Return the newest submission of a hashed name: names should be unique, and are not."""
        with faults():
            found = await (
                self.collection.find({"lookup": lookup}, SHOWN).sort("_id", -1).limit(1).to_list(1)
            )
        return submission_of(found[0]) if found else None

    async def newest(self, asked: Asked, *, rows: int) -> list[Submission]:
        """Return submissions, newest first."""
        with faults():
            found = await (
                self.collection.find(_query(asked), SHOWN).sort("_id", -1).limit(rows).to_list(rows)
            )
        return [submission_of(document) for document in found]

    async def found_by(self, submission: str, names: Sequence[str]) -> None:
        """Let a submission be found by these too."""
        with faults():
            await self.collection.update_one(
                {"_id": submission}, {"$addToSet": {"lookup": {"$each": list(names)}}}
            )

    # -- erasing -------------------------------------------------------------------------------

    async def of_people(self, names: Sequence[str], units: Sequence[str]) -> list[Submission]:
        """Return submissions by pseudonyms of keys and blind indexes, and by their numbers."""
        asked = [{"lookup": {"$in": list(names)}}] if names else []
        asked += [{"_id": {"$in": list(units)}}] if units else []
        found: dict[str, Submission] = {}
        for one in asked:
            with faults():
                documents = await self.collection.find(one, SHOWN).to_list(None)
            found |= {document["_id"]: submission_of(document) for document in documents}
        return list(found.values())

    async def forget(self, ids: Sequence[str]) -> None:
        """Forget what depositors named in these, and what they are found by, the login apart."""
        with faults():
            await self.collection.update_many(
                {"_id": {"$in": list(ids)}},
                [
                    {"$set": {"lookup": ["$credential"]}},
                    {"$unset": ["file_name", "batch", "callback", "calls"]},
                ],
            )

    async def silent(self, ids: Sequence[str]) -> bool:
        """Say whether all that these have to tell is at the broker."""
        return await self.aggregates.silent(ids)

    # -- calling back --------------------------------------------------------------------------

    async def to_call_back(self, *, most: int) -> list[Submission]:
        """Return completed submissions whose callback was not asked for yet."""
        with faults():
            found = await (
                self.collection.find({"calls": True, "open": False}, SHOWN)
                .limit(most)
                .to_list(most)
            )
        return [submission_of(document) for document in found]

    async def called_back(self, ids: Sequence[str]) -> None:
        """Note that callbacks were asked for."""
        with faults():
            await self.collection.update_many(
                {"_id": {"$in": list(ids)}, "open": False}, {"$unset": {"calls": ""}}
            )


def _query(asked: Asked) -> dict[str, Any]:
    query: dict[str, Any] = {}
    numbers: dict[str, str] = {}
    if asked.lookup is not None:
        query["lookup"] = asked.lookup
    match asked.status:
        case "completed":
            query["open"] = False
        case "queued":
            query |= {"open": True, "holder": None}
        case "in_process":
            query |= {"open": True, "holder": {"$ne": None}}
    times = {"$gte": asked.since, "$lt": asked.until}
    received = {name: at for name, at in times.items() if at is not None}
    if received:
        query["received"] = received
    # Numbers hold their time, so that only those of that time are looked at.
    if asked.since is not None:
        numbers["$gte"] = number_at(asked.since - LONGEST_UPLOAD)
    if asked.until is not None:
        numbers["$lt"] = number_at(asked.until)
    if asked.before is not None:
        numbers["$lt"] = min(asked.before, numbers.get("$lt", asked.before))
    if numbers:
        query["_id"] = numbers
    return query


def number_at(at: datetime) -> str:
    """Return the least number that a submission begun at this time can have."""
    number = max(0, int(at.timestamp() * 1_000)) * 1_000
    return str(min(number, 10**DIGITS - 1)).zfill(DIGITS)


def shown(state: SubmissionState) -> dict[str, Any]:
    """Return what a submission's document shows of its state, to be looked up by."""
    return {"open": state.status == "queued"}
