"""Aggregates: one document holds the state, its version and the events not yet published.

The write of that document is the promise; there is no second write that could be lost, and no
transaction over documents anywhere (ADR 2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from shared.events import Event
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.mongo.client import (
    BulkWriteError,
    Collection,
    InsertOne,
    UpdateOne,
    collided,
    faults,
)
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.faults import Busy, Transient
from shared.runtime.ids import new_id

MOST_PENDING: Final = 100  # events of one document; more means that the broker is away
TRIES: Final = 5  # conflicts in a row before a caller hears of it


class Versioned(Protocol):
    """What a state must offer to be kept."""

    @property
    def version(self) -> int:
        """Its version, 1 at creation."""
        ...

    def model_dump_json(self) -> str:
        """Itself as JSON."""
        ...


S = TypeVar("S", bound=Versioned)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Saved(Generic[S]):
    """A durable state and the ids of the events that will be published for it."""

    state: S
    event_ids: tuple[str, ...]


Decide = Callable[[S | None], Accepted[S] | Unchanged[S] | Refused[R]]


@dataclass(frozen=True, slots=True)
class Aggregates(Generic[S]):
    """The aggregates of one kind, in one collection.

    ``parse`` reads a state from its JSON; ``fields`` names what else the document shows, to be
    looked up by equality; ``wake`` is called after each write, to hurry the relay.
    """

    collection: Collection
    parse: Callable[[str], S]
    source: str
    fields: Callable[[S], Mapping[str, Any]] = lambda _state: {}
    clock: Clock = SYSTEM
    wake: Callable[[], None] = lambda: None

    async def load(self, key: Any) -> S | None:
        """Return the state under ``key``, or None."""
        with faults():
            found = await self.collection.find_one({"_id": key}, {"state": 1})
        return self.parse(found["state"]) if found else None

    async def load_many(self, keys: Sequence[Any]) -> dict[Any, S]:
        """Return the states that exist under ``keys``."""
        with faults():
            found = await self.collection.find({"_id": {"$in": list(keys)}}, {"state": 1}).to_list(
                None
            )
        return {document["_id"]: self.parse(document["state"]) for document in found}

    async def where(self, **equal: Any) -> list[S]:
        """Return the states whose shown fields equal ``equal``; the field must be indexed."""
        with faults():
            found = await self.collection.find(equal, {"state": 1}).to_list(None)
        return [self.parse(document["state"]) for document in found]

    async def update(
        self, key: Any, decide: Decide[S, R], *, correlation: str | None = None
    ) -> Saved[S] | Refused[R]:
        """Load, decide, save; decide again where somebody was faster.

        Raises ``Transient`` after five lost races or when the store is away, ``Busy`` when too many
        events of this aggregate wait for the broker.
        """
        for _ in range(TRIES):
            with faults():
                found = await self.collection.find_one({"_id": key}, {"state": 1, "outbox.id": 1})
            if found and len(found.get("outbox", ())) >= MOST_PENDING:
                raise Busy("too many changes of this record wait to be published")
            match decide(self.parse(found["state"]) if found else None):
                case Refused() as refused:
                    return refused
                case Unchanged(state):
                    return Saved(state, ())
                case Accepted() as accepted:
                    saved = (await self.save_many({key: accepted}, correlation=correlation))[key]
                    if saved:
                        return saved
        raise Transient("this record is changed by too many at once")

    async def save_many(
        self,
        decided: Mapping[Any, Accepted[S]],
        *,
        correlation: str | None = None,
        push: Mapping[Any, Mapping[str, Any]] | None = None,
    ) -> dict[Any, Saved[S] | None]:
        """Write many decisions in one round trip, each on condition of its own version.

        A key whose version moved in between comes back as None and was not written. ``push`` adds
        entries to other lists of the same document (deposits keeps its verdicts so).
        """
        now = rfc3339(self.clock.now())
        operations, saved = [], {}
        for key, accepted in decided.items():
            entries = [
                outbox_entry(event, at=now, correlation=correlation) for event in accepted.events
            ]
            saved[key] = Saved(accepted.state, tuple(entry["id"] for entry in entries))
            pushed = {"outbox": entries} | {
                name: [entry] for name, entry in (push or {}).get(key, {}).items()
            }
            shown = {
                "version": accepted.state.version,
                "state": accepted.state.model_dump_json(),
                # A change that nobody is told of leaves nothing for the relay.
                **({"dirty": True} if entries else {}),
                **self.fields(accepted.state),
            }
            operations.append(_write(key, shown, pushed))
        lost = await _conflicts(self.collection, operations)
        self.wake()
        keys = list(decided)
        return {**saved, **{keys[index]: None for index in lost}}

    async def published(self, key: Any, saved: Saved[S]) -> bool:
        """Whether all events of ``saved`` are at the broker."""
        if not saved.event_ids:
            return True
        with faults():
            found = await self.collection.find_one({"_id": key}, {"outbox.id": 1})
        waiting = {entry["id"] for entry in (found or {}).get("outbox", ())}
        return waiting.isdisjoint(saved.event_ids)


def outbox_entry(event: Event, *, at: str, correlation: str | None) -> dict[str, Any]:
    """Write down an event to be published: id and time are minted once, so repeats are the same."""
    entry = {
        "id": new_id(),
        "type": event.type,
        "topic": event.topic,
        "key": event.key,
        "time": at,
        "version": event.aggregate_version,
        "data": event.model_dump_json(),
    }
    return entry | ({"correlation": correlation} if correlation else {})


def _write(
    key: Any, shown: Mapping[str, Any], pushed: Mapping[str, list[Any]]
) -> InsertOne[dict[str, Any]] | UpdateOne:
    """Return the write of one decision: where the version moved on, its answer is E11000."""
    version = shown["version"]
    if version == 1:
        # An insert costs the store a fraction of an upsert (docs/performance.md).
        return InsertOne({"_id": key, **shown, **pushed})
    return UpdateOne(
        {"_id": key, "version": version - 1},
        {"$set": shown, "$push": {name: {"$each": each} for name, each in pushed.items()}},
        upsert=True,
    )


async def _conflicts(
    collection: Collection, operations: Sequence[InsertOne[dict[str, Any]] | UpdateOne]
) -> list[int]:
    with faults():
        try:
            await collection.bulk_write(operations, ordered=False)
        except BulkWriteError as fault:
            return collided(fault)
    return []
