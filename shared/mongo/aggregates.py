"""Aggregates: one document holds the state, its version and the events not yet published.

The write of that document is the promise; there is no second write that could be lost, and no
transaction over documents anywhere (ADR 2).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Some
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final, Generic, Protocol, TypeVar

from shared.events import Event
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import RecordGone
from shared.mongo.changes import Change, write
from shared.mongo.client import Collection, faults
from shared.mongo.docket import Docket
from shared.mongo.together import Together
from shared.runtime.bell import Ring, unheard
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
    looked up by equality; ``wake`` is told the collection after writes with events, to hurry the
    relay. Where a ``docket`` is kept, documents are not marked: shared.mongo.docket says why.
    """

    collection: Collection
    parse: Callable[[str], S]
    source: str
    fields: Callable[[S], Mapping[str, Any]] = lambda _state: {}
    clock: Clock = SYSTEM
    wake: Ring = unheard
    docket: Docket | None = None
    _together: Together = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_together", Together(self.collection))

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

    async def among(self, **fields: Some[Any]) -> dict[Any, S]:
        """Return by their keys the states of which any of these shown fields has any of its values.

        Each field must be indexed. What others ask at the same moment is asked together.
        """
        asked = (self._together.among(name, values) for name, values in fields.items())
        found = {one["_id"]: one["state"] for some in await asyncio.gather(*asked) for one in some}
        return {key: self.parse(state) for key, state in found.items()}

    async def every(self, most: int) -> AsyncIterator[dict[Any, S]]:
        """Give all states, up to ``most`` at a time; of those written meanwhile, maybe the former.

        What stood when the call began is given. For work that goes over everything: no request may
        wait for it. Raises ``Transient``.
        """
        cursor = self.collection.find({}, {"state": 1}).batch_size(most)
        page: dict[Any, S] = {}
        try:
            with faults():
                async for document in cursor:
                    page[document["_id"]] = self.parse(document["state"])
                    if len(page) == most:
                        yield page
                        page = {}
            if page:
                yield page
        finally:
            await cursor.close()

    async def update(
        self,
        key: Any,
        decide: Decide[S, R],
        *,
        correlation: str | None = None,
        seen: S | None = None,
    ) -> Saved[S] | Refused[R]:
        """Load, decide, save; decide again where somebody was faster.

        ``seen`` is what the caller has just loaded: it is decided on first, and how many of its
        events wait is not looked at. Raises ``Transient`` after five lost races or when the
        store is away, ``Busy`` when too many events of this aggregate wait for the broker.
        """
        done = await self.update_many(
            [key],
            lambda _key, known: decide(known),
            correlation=correlation,
            seen={} if seen is None else {key: seen},
        )
        return done[key]

    async def update_many(
        self,
        keys: Iterable[Any],
        decide: Callable[[Any, S | None], Accepted[S] | Unchanged[S] | Refused[R]],
        *,
        correlation: str | None = None,
        seen: Mapping[Any, S] | None = None,
    ) -> dict[Any, Saved[S] | Refused[R]]:
        """Do what ``update`` does to many, each by itself, in a few round trips.

        ``decide`` is given the key, too, and must bear being asked of what it decided already:
        among many, one that was written may look as if somebody else had been faster.
        """
        done: dict[Any, Saved[S] | Refused[R]] = {}
        left = list(keys)
        stand = dict(seen or {})
        for _ in range(TRIES):
            stand |= await self._stand([key for key in left if key not in stand])
            accepted = dict[Any, Accepted[S]]()
            for key in left:
                match decide(key, stand.get(key)):
                    case Refused() as refused:
                        done[key] = refused
                    case Unchanged(state):
                        done[key] = Saved(state, ())
                    case Accepted() as one:
                        accepted[key] = one
            if accepted:
                saved = await self.save_many(accepted, correlation=correlation)
                done |= {key: one for key, one in saved.items() if one is not None}
            left = [key for key in accepted if key not in done]
            if not left:
                return done
            stand = {}
        raise Transient("this record is changed by too many at once")

    async def _stand(self, keys: Sequence[Any]) -> dict[Any, S]:
        """Return the states that exist under ``keys``; raises ``Busy`` as ``update`` does."""
        if not keys:
            return {}
        shown = {"state": 1, "outbox.id": 1}
        with faults():
            found = await self.collection.find({"_id": {"$in": list(keys)}}, shown).to_list(None)
        if any(len(one.get("outbox", ())) >= MOST_PENDING for one in found):
            raise Busy("too many changes of this record wait to be published")
        return {one["_id"]: self.parse(one["state"]) for one in found}

    async def save_many(
        self,
        decided: Mapping[Any, Accepted[S]],
        *,
        correlation: str | None = None,
        push: Mapping[Any, Mapping[str, Any]] | None = None,
    ) -> dict[Any, Saved[S] | None]:
        """Write many decisions in a few round trips, each on condition of its own version.

        A key whose version moved in between comes back as None and was not written; among many, one
        that was written may come back so too, where its next version followed at once. ``push``
        adds entries to other lists of the same document (deposits keeps its verdicts so).
        """
        now = rfc3339(self.clock.now())
        changes = {
            key: self.change(
                key, accepted, at=now, correlation=correlation, push=(push or {}).get(key, {})
            )
            for key, accepted in decided.items()
        }
        done = await self._done([key for key, one in changes.items() if one.version > 1])
        await self.announce(list(changes.values()))
        lost = await write(self.collection, list(changes.values()), done)
        if any(one.entries for one in changes.values()):
            self.wake(self.collection.name)
        return {
            key: None
            if key in lost
            else Saved(accepted.state, tuple(entry["id"] for entry in changes[key].entries))
            for key, accepted in decided.items()
        }

    def change(
        self,
        key: Any,
        accepted: Accepted[S],
        *,
        at: str,
        correlation: str | None,
        push: Mapping[str, Any] | None = None,
    ) -> Change:
        """Return what a decision makes of a document, to be written once it was announced."""
        state = accepted.state
        told = accepted.events[-1] if accepted.events else None
        entries = [
            outbox_entry(
                event,
                at=at,
                correlation=correlation,
                bare=self.docket is not None and event is told and says(event, state),
            )
            for event in accepted.events
        ]
        shown = {
            "version": state.version,
            "state": state.model_dump_json(),
            # A change that nobody is told of leaves nothing for the relay.
            **({"dirty": True} if entries and self.docket is None else {}),
            **self.fields(state),
        }
        lists = {name: [entry] for name, entry in (push or {}).items()}
        return Change(key, shown, {"outbox": entries, **lists})

    async def announce(self, changes: Sequence[Change]) -> None:
        """Put the changes that have events on the docket, where one is kept."""
        told = {one.key: one for one in changes if one.entries}
        if self.docket is None or not told:
            return
        stands = await self.docket.announce(
            {key: (one.version, one.size) for key, one in told.items()}
        )
        for key, one in told.items():
            for entry in one.entries:
                entry["docket"] = stands[key]

    async def _done(self, keys: Sequence[Any]) -> set[str] | None:
        """Return the entries of these documents that are known to be published, by their ids.

        None where no docket is kept. Of one document they are its oldest: what is published once
        more later ends with what came last.
        """
        if self.docket is None:
            return None
        if not keys:
            return set()
        with faults():
            found = await self.collection.find(
                {"_id": {"$in": list(keys)}}, {"outbox.id": 1, "outbox.docket": 1}
            ).to_list(None)
        outboxes = [document.get("outbox", ()) for document in found]
        gone = await self.docket.gone(
            entry["docket"] for entries in outboxes for entry in entries if "docket" in entry
        )
        return {
            entry["id"]
            for entries in outboxes
            for entry in takewhile(lambda one: one.get("docket") in gone, entries)
        }

    async def published(self, key: Any, saved: Saved[S]) -> bool:
        """Whether all events of ``saved`` are at the broker."""
        if not saved.event_ids:
            return True
        return await self._sent([key], only=frozenset(saved.event_ids))

    async def silent(self, keys: Sequence[Any]) -> bool:
        """Whether all that these documents had to publish is at the broker."""
        return await self._sent(keys)

    async def _sent(self, keys: Sequence[Any], only: AbstractSet[str] | None = None) -> bool:
        with faults():
            found = await self.collection.find(
                {"_id": {"$in": list(keys)}}, {"outbox.id": 1, "outbox.docket": 1}
            ).to_list(None)
        waiting = [
            entry
            for document in found
            for entry in document.get("outbox", ())
            if only is None or entry["id"] in only
        ]
        if not waiting or self.docket is None:
            return not waiting
        dockets = {entry.get("docket") for entry in waiting}
        return None not in dockets and dockets == await self.docket.gone(dockets)


def outbox_entry(
    event: Event, *, at: str, correlation: str | None, bare: bool = False
) -> dict[str, Any]:
    """Write down an event to be published: id and time are minted once, so repeats are the same.

    A ``bare`` entry has no text of its own: the state that is written together with it is its text.
    A record that is gone has none at all.
    """
    entry = {
        "id": new_id(),
        "type": event.type,
        "topic": event.topic,
        "key": event.key,
        "time": at,
        "version": event.aggregate_version,
    }
    if isinstance(event, RecordGone):
        entry["gone"] = True
    elif not bare:
        entry["data"] = event.model_dump_json()
    return entry | ({"correlation": correlation} if correlation else {})


def says(event: Event, state: Versioned) -> bool:
    """Say whether the text of an event is that of the state after it, without writing either."""
    return isinstance(event, type(state)) and vars(event) == vars(state)
