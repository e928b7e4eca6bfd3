"""Requests of people in the store, and the codes by which they are confirmed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.retention.model.requests.challenges import KeptChallenge
from services.retention.model.requests.state import KeptRequest
from services.retention.store.layout import keeping
from shared.mongo import Aggregates, Database, faults
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock

REQUESTS = "requests"
CHALLENGES = "challenges"
COUNTED = timedelta(hours=1)  # a code is kept so much longer, so that those of an address count


@dataclass(frozen=True, slots=True)
class RequestStore:
    """Every aggregate about requests."""

    requests: Aggregates[KeptRequest]
    challenges: Aggregates[KeptChallenge]
    clock: Clock = SYSTEM

    async def newest(
        self, *, kind: str | None, status: str | None, before: str | None, most: int
    ) -> list[KeptRequest]:
        """Return requests, newest first, from behind ``before`` on; hundreds a year."""
        asked: dict[str, Any] = {}
        if kind is not None:
            asked["kinds"] = kind
        if status is not None:
            asked["status"] = status
        if before is not None:
            asked["place"] = {"$lt": before}
        with faults():
            found = await (
                self.requests.collection.find(asked, {"state": 1})
                .sort("place", -1)
                .limit(most)
                .to_list(most)
            )
        return [self.requests.parse(document["state"]) for document in found]


def open_requests(
    database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM
) -> RequestStore:
    """Make the store."""
    return RequestStore(
        keeping(database, REQUESTS, KeptRequest, _shown, wake=wake, clock=clock),
        keeping(database, CHALLENGES, KeptChallenge, _forgotten, wake=wake, clock=clock),
        clock,
    )


def _shown(state: KeptRequest) -> dict[str, Any]:
    return {
        "place": state.place,
        "kinds": list(state.kinds),
        "status": state.status,
        "open": state.open,
        "owing": bool(state.owed) or state.package == "asked",
        "subjects": list(state.subjects),
        "people": sorted({one.person for one in state.records.values()}),
    }


def _forgotten(state: KeptChallenge) -> dict[str, Any]:
    return {"subjects": list(state.subjects), "forget_at": state.until + COUNTED}
