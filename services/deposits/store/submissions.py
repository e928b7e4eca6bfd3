"""Submissions: aggregates, and beside their state what only this service needs of them.

Names that a depositor chose (file name, batch id) may be personal: they are sealed under the
submission's own key and looked up by keyed hashes, which hold the login, so that a login finds its
own submissions and no other's.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from services.deposits.store import raw
from services.deposits.store.claims import Offer
from services.deposits.store.documents import (
    FREE,
    SHOWN,
    New,
    Submission,
    stored,
    submission_of,
)
from services.deposits.store.together import Together, insert
from shared.events import SubmissionState
from shared.mongo import Aggregates, Collection, Database
from shared.mongo.aggregates import outbox_entry
from shared.mongo.client import Document, IndexModel, faults
from shared.runtime.clock import rfc3339
from shared.runtime.faults import Transient

INDEXES: Final = (
    # Those not completed yet; of equal keys an index gives the oldest first.
    IndexModel([("open", 1)], name="open", partialFilterExpression={"open": True}),
    # One index for what a login asks by, for each costs every write: see New.lookup.
    IndexModel([("lookup", 1), ("_id", -1)], name="lookup"),
)
AT_ONCE: Final = 50  # submissions in one command


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

    async def add(self, new: New, *, offer: Offer | None, correlation: str | None) -> Submission:
        """Write a new submission; returns when it is durable: that write is the promise."""
        at = rfc3339(new.state.received_at)
        document = {
            "_id": new.state.submission,
            "version": new.state.version,
            "state": new.state.model_dump_json(),
            "dirty": True,
            "outbox": [outbox_entry(new.event, at=at, correlation=correlation)],
            "open": True,
            "holder": offer.holder if offer else None,
            "until": offer.until if offer else FREE,
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
        if offer is not None:
            document["bound"] = stored(offer.bound)
        if not await self._adding.do(document):
            raise Transient("this submission is written already")
        self.aggregates.wake()
        return submission_of(document)

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
            found = await self.collection.find_one({"_id": submission}, SHOWN)
        return submission_of(found) if found else None

    async def named(self, lookup: str) -> Submission | None:
        """Return the newest submission of a hashed name: names should be unique, and are not."""
        with faults():
            found = await (
                self.collection.find({"lookup": lookup}, SHOWN).sort("_id", -1).limit(1).to_list(1)
            )
        return submission_of(found[0]) if found else None

    async def newest(
        self, *, credential: str | None, open_only: bool, before: str | None, rows: int
    ) -> list[Submission]:
        """Return submissions of a login (None: of all), newest first, older than ``before``."""
        asked: dict[str, Any] = {}
        if credential is not None:
            asked["lookup"] = credential
        if open_only:
            asked["open"] = True
        if before is not None:
            asked["_id"] = {"$lt": before}
        with faults():
            found = await (
                self.collection.find(asked, SHOWN).sort("_id", -1).limit(rows).to_list(rows)
            )
        return [submission_of(document) for document in found]


def shown(state: SubmissionState) -> dict[str, Any]:
    """Return what a submission's document shows of its state, to be looked up by."""
    return {"open": state.status == "queued"}
