"""Submissions: aggregates, and beside their state what only this service needs of them.

Names that a depositor chose (file name, batch id) may be personal: they are sealed under the
submission's own key and looked up by keyed hashes, which hold the login, so that a login finds its
own submissions and no other's.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import orjson

from services.deposits.permissions import Bound
from services.deposits.store import raw
from services.deposits.store.together import Together, insert
from shared.events import SubmissionReceived, SubmissionState
from shared.mongo import Aggregates, Collection, Database
from shared.mongo.aggregates import outbox_entry
from shared.mongo.client import Document, IndexModel, UpdateOne, faults
from shared.privacy.envelope import SealedKey
from shared.runtime.clock import rfc3339
from shared.runtime.faults import Transient

SubmissionStatus = Literal["queued", "in_process", "completed"]

FREE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # the end of a lease that nobody holds
INDEXES: Final = (
    # Those not completed yet; of equal keys an index gives the oldest first.
    IndexModel([("open", 1)], name="open", partialFilterExpression={"open": True}),
    IndexModel([("credential", 1), ("_id", -1)], name="credential"),
    IndexModel([("lookup", 1), ("_id", -1)], name="lookup"),
)
_SHOWN: Final = {"outbox": 0}
AT_ONCE: Final = 50  # submissions in one command


@dataclass(frozen=True, slots=True)
class New:
    """A submission whose chunks are durable, about to be promised."""

    state: SubmissionState
    event: SubmissionReceived
    credential: str
    size: int
    sha256: str
    key: SealedKey
    file_name: str | None  # sealed
    lookup: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as stored."""

    state: SubmissionState
    credential: str
    size: int
    sha256: str
    key: SealedKey
    claimed: bool
    file_name: str | None  # sealed
    batch_id: str | None  # sealed; known once the file was read

    @property
    def id(self) -> str:
        """Its number, as text."""
        return self.state.submission

    @property
    def status(self) -> SubmissionStatus:
        """Its status as ``doi_batch_diagnostic`` says it."""
        if self.state.status == "queued" and self.claimed:
            return "in_process"
        return self.state.status


@dataclass(frozen=True, slots=True)
class Claim:
    """A submission in a worker's hands; ``resumed`` when another worker had it before."""

    submission: Submission
    bound: Bound
    resumed: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A submission that waits, as far as choosing needs it."""

    id: str
    organisation: int
    size: int
    until: datetime
    bound: Bound | None


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
    _adding: Together[Document, bool] = field(init=False)

    def __post_init__(self) -> None:
        """Make ready what gathers writes."""
        self._adding = Together(self._add, AT_ONCE)

    @property
    def collection(self) -> Collection:
        """Where they lie."""
        return self.aggregates.collection

    # -- accepting -----------------------------------------------------------------------------

    async def add(self, new: New, *, correlation: str | None) -> None:
        """Write a new submission; returns when it is durable: that write is the promise."""
        at = rfc3339(new.state.received_at)
        document = {
            "_id": new.state.submission,
            "version": new.state.version,
            "state": new.state.model_dump_json(),
            "dirty": True,
            "outbox": [outbox_entry(new.event, at=at, correlation=correlation)],
            "open": True,
            "holder": None,
            "until": FREE,
            "organisation": new.state.organisation,
            "credential": new.credential,
            "size": new.size,
            "sha256": new.sha256,
            "kid": new.key.kid,
            "epoch": new.key.epoch,
            "wrapped": new.key.wrapped,
            "file_name": new.file_name,
            "lookup": list(new.lookup),
        }
        if not await self._adding.do(document):
            raise Transient("this submission is written already")
        self.aggregates.wake()

    async def _add(self, documents: Sequence[Document]) -> Sequence[bool]:
        return await insert(self.collection, documents)

    def hashed(self, kind: str, name: str, *, credential: str) -> str:
        """Return what a file name or batch id of a login is looked up by."""
        said = orjson.dumps([kind, credential, name])
        return hmac.digest(self.lookup_key, said, "sha256").hex()

    async def pending(self, credential: str | None, *, most: int) -> int:
        """Count the unprocessed submissions of a login, or of all; not beyond ``most``."""
        asked: dict[str, Any] = {"open": True}
        if credential is not None:
            asked["credential"] = credential
        with faults():
            return await self.collection.count_documents(asked, limit=most)

    # -- reading -------------------------------------------------------------------------------

    async def one(self, submission: str) -> Submission | None:
        """Return a submission."""
        with faults():
            found = await self.collection.find_one({"_id": submission}, _SHOWN)
        return _submission(found) if found else None

    async def named(self, lookup: str) -> Submission | None:
        """Return the newest submission of a hashed name: names should be unique, and are not."""
        with faults():
            found = await (
                self.collection.find({"lookup": lookup}, _SHOWN).sort("_id", -1).limit(1).to_list(1)
            )
        return _submission(found[0]) if found else None

    async def newest(
        self, *, credential: str | None, open_only: bool, before: str | None, rows: int
    ) -> list[Submission]:
        """Return submissions of a login (None: of all), newest first, older than ``before``."""
        asked: dict[str, Any] = {}
        if credential is not None:
            asked["credential"] = credential
        if open_only:
            asked["open"] = True
        if before is not None:
            asked["_id"] = {"$lt": before}
        with faults():
            found = await (
                self.collection.find(asked, _SHOWN).sort("_id", -1).limit(rows).to_list(rows)
            )
        return [_submission(document) for document in found]

    # -- leases --------------------------------------------------------------------------------

    async def waiting(self, *, now: datetime, most: int) -> list[Candidate]:
        """Return submissions that nobody works on, about oldest first."""
        with faults():
            found = await (
                self.collection.find(
                    {"open": True, "until": {"$lt": now}},
                    {"organisation": 1, "size": 1, "until": 1, "bound": 1},
                )
                .limit(most)
                .to_list(most)
            )
        return [
            Candidate(
                document["_id"],
                document["organisation"],
                document["size"],
                document["until"],
                _bound(document.get("bound")),
            )
            for document in sorted(found, key=lambda one: str(one["_id"]))
        ]

    async def claim(
        self, chosen: Sequence[tuple[Candidate, Bound]], *, holder: str, until: datetime
    ) -> list[Claim]:
        """Take submissions, each on condition that nobody else has; return those that are ours."""
        if not chosen:
            return []
        operations = [
            UpdateOne(
                {"_id": one.id, "open": True, "until": one.until},
                {"$set": {"holder": holder, "until": until, "bound": _stored(bound)}},
            )
            for one, bound in chosen
        ]
        with faults():
            await self.collection.bulk_write(operations, ordered=False)
            found = await self.collection.find(
                {"_id": {"$in": [one.id for one, _ in chosen]}}, _SHOWN
            ).to_list(None)
        before = {one.id: (one, bound) for one, bound in chosen}
        return [
            Claim(
                _submission(document),
                before[document["_id"]][1],
                resumed=before[document["_id"]][0].bound is not None,
            )
            for document in sorted(found, key=lambda one: str(one["_id"]))
            if document["holder"] == holder and document["until"] == until and document["open"]
        ]

    async def rebind(self, submission: str, bound: Bound, *, holder: str) -> bool:
        """Bind newer knowledge before anything was judged; False where it is not ours any more."""
        with faults():
            done = await self.collection.update_one(
                {"_id": submission, "holder": holder}, {"$set": {"bound": _stored(bound)}}
            )
        return done.matched_count == 1

    async def renew(self, ids: Sequence[str], *, holder: str, until: datetime) -> set[str]:
        """Keep leases; return those that are still ours."""
        if not ids:
            return set()
        with faults():
            done = await self.collection.update_many(
                {"_id": {"$in": list(ids)}, "holder": holder}, {"$set": {"until": until}}
            )
            if done.matched_count == len(ids):
                return set(ids)
            found = await self.collection.find(
                {"_id": {"$in": list(ids)}, "holder": holder}, {"_id": 1}
            ).to_list(None)
        return {document["_id"] for document in found}

    async def release(self, ids: Sequence[str], *, holder: str, until: datetime = FREE) -> None:
        """Give submissions back, to be taken from ``until`` on."""
        with faults():
            await self.collection.update_many(
                {"_id": {"$in": list(ids)}, "holder": holder},
                {"$set": {"until": until, "holder": None}},
            )


def shown(state: SubmissionState) -> dict[str, Any]:
    """Return what a submission's document shows of its state, to be looked up by."""
    return {"open": state.status == "queued"}


def lease(now: datetime, seconds: float) -> datetime:
    """Return the end of a lease; whole milliseconds, as the store keeps them."""
    until = now + timedelta(seconds=seconds)
    return until.replace(microsecond=until.microsecond // 1000 * 1000)


def _bound(stored: Document | None) -> Bound | None:
    return Bound(stored["mark"], frozenset(stored["prefixes"])) if stored else None


def _stored(bound: Bound) -> Document:
    return {"mark": bound.mark, "prefixes": sorted(bound.prefixes)}


def _submission(document: Document) -> Submission:
    batch = document.get("batch") or [None]
    return Submission(
        state=SubmissionState.model_validate_json(document["state"]),
        credential=document["credential"],
        size=document["size"],
        sha256=document["sha256"],
        key=SealedKey(document["kid"], document["epoch"], bytes(document["wrapped"])),
        claimed=document.get("holder") is not None,
        file_name=document.get("file_name"),
        batch_id=batch[0],
    )
