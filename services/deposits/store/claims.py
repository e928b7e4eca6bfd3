"""Claims: which worker has which submission, as a lease in the submission's own document."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.deposits.model import Verdict
from services.deposits.permissions import Bound
from services.deposits.store.documents import (
    FREE,
    SHOWN,
    Submission,
    bound_of,
    stored,
    submission_of,
)
from services.deposits.store.verdicts import verdict_of, written
from shared.mongo import Collection
from shared.mongo.client import UpdateMany, UpdateOne, faults


@dataclass(frozen=True, slots=True)
class Claim:
    """A submission in a worker's hands; ``resumed`` when another worker had it before.

    ``refused`` are refusals by ``<submission>#<record>`` that may not have their diagnostics yet.
    """

    submission: Submission
    bound: Bound
    resumed: bool
    refused: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """A worker of this process takes a submission from its beginning: no claim need be written."""

    holder: str
    until: datetime
    bound: Bound


@dataclass(frozen=True, slots=True)
class Candidate:
    """A submission that waits, as far as choosing needs it."""

    id: str
    organisation: int
    size: int
    until: datetime
    bound: Bound | None


_Alike = tuple[datetime, tuple[Any, ...]]  # the lease before, and what is bound anew


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of all workers on the submissions in ``collection``."""

    collection: Collection

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
                bound_of(document.get("bound")),
            )
            for document in sorted(found, key=lambda one: str(one["_id"]))
        ]

    async def claim(
        self, chosen: Sequence[tuple[Candidate, Bound]], *, holder: str, until: datetime
    ) -> list[Claim]:
        """Take submissions, each on condition that nobody else has; return those that are ours.

        What is bound already stays: whoever had a submission before may have bound more to it
        than was read here.
        """
        if not chosen:
            return []
        # What is taken alike goes in one command: that costs the store little more than one.
        alike: dict[_Alike, list[tuple[Candidate, Bound]]] = defaultdict(list)
        for one, known in chosen:
            new = () if one.bound is not None else (known.mark, *sorted(known.prefixes))
            alike[one.until, new].append((one, known))
        operations = [_claiming(part, holder, until) for part in alike.values()]
        with faults():
            await self.collection.bulk_write(operations, ordered=False)
            found = await self.collection.find(
                {"_id": {"$in": [one.id for one, _ in chosen]}}, SHOWN
            ).to_list(None)
        before = {one.id: one for one, _ in chosen}
        return [
            Claim(
                submission_of(document),
                bound,
                resumed=before[document["_id"]].bound is not None,
                refused={one["record"]: verdict_of(one) for one in document.get("refused", ())},
            )
            for document in sorted(found, key=lambda one: str(one["_id"]))
            if document["holder"] == holder and document["until"] == until and document["open"]
            if (bound := bound_of(document["bound"])) is not None
        ]

    async def take_back(self, *, holder: str) -> None:
        """Free what a dead worker of this name held, without waiting for its leases to end."""
        with faults():
            await self.collection.update_many(
                {"open": True, "holder": holder}, {"$set": {"until": FREE, "holder": None}}
            )

    async def refuse(
        self, refused: Mapping[str, Mapping[str, Verdict]], *, holder: str
    ) -> set[str]:
        """Bind refusals to their submissions; return the submissions that are still ours.

        Each is given whole, in place of what was bound before; of others nothing is written.
        """
        operations = [
            UpdateOne(
                {"_id": submission, "holder": holder, "open": True},
                {
                    "$set": {
                        "refused": [
                            {"record": name, **written(verdict)} for name, verdict in said.items()
                        ]
                    }
                },
            )
            for submission, said in refused.items()
        ]
        if not operations:
            return set()
        with faults():
            done = await self.collection.bulk_write(operations, ordered=False)
            if done.matched_count == len(operations):
                return set(refused)
            # Who holds one now held it then: a worker takes nothing back while it judges.
            found = await self.collection.find(
                {"_id": {"$in": list(refused)}, "holder": holder, "open": True}, {"_id": 1}
            ).to_list(None)
        return {document["_id"] for document in found}

    async def rebind(self, submission: str, bound: Bound, *, holder: str) -> bool:
        """Bind newer knowledge; False where the submission is not ours any more."""
        with faults():
            done = await self.collection.update_one(
                {"_id": submission, "holder": holder}, {"$set": {"bound": stored(bound)}}
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


def _claiming(part: Sequence[tuple[Candidate, Bound]], holder: str, until: datetime) -> UpdateMany:
    one, known = part[0]
    free = {"_id": {"$in": [each.id for each, _ in part]}, "open": True, "until": one.until}
    taken = {"holder": holder, "until": until}
    if one.bound is not None:
        return UpdateMany(free, {"$set": taken})
    return UpdateMany({**free, "bound": None}, {"$set": {**taken, "bound": stored(known)}})


def lease(now: datetime, seconds: float) -> datetime:
    """Return the end of a lease; whole milliseconds, as the store keeps them."""
    until = now + timedelta(seconds=seconds)
    return until.replace(microsecond=until.microsecond // 1000 * 1000)
