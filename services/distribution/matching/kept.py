"""What matching keeps beside each work, and how it is asked for. One collection, no generations.

It is not a read model of the log alone: since when a citation is known cannot be read there again.
"""

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.distribution.matching.cards import Card
from services.distribution.matching.references import is_common
from shared.mongo import Database
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
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id

MATCHES: Final = "matches"
KEYS: Final = 100  # keys a look-up: fewer and more both cost the embedded store more a key
OVERTAKEN: Final = "the matches of these works were written meanwhile"
MOST_OFFERED: Final = 200  # works that are compared for one look-up
MOST_WOKEN: Final = 1_000  # works that one new work is tried for

INDEXES: Final = (
    IndexModel([("to", 1)], name="to"),
    IndexModel([("extra", 1)], name="extra"),
    IndexModel([("days", 1)], name="days"),
    IndexModel([("offers", 1)], name="offers"),
    IndexModel([("waiting", 1)], name="waiting"),
    IndexModel([("pending", 1)], name="pending", partialFilterExpression={"pending": True}),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The work that was found for a reference; ``of`` tells the reference that it was found for."""

    key: str
    doi: str
    of: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one work.

    ``links`` are the works it cites, given or found, each with when that became known; ``extra``
    those that were found alone. ``due`` are the works whose counts this changes and that are not
    marked to be counted yet, ``news`` those whose owners are not told yet. ``turn`` changes with
    each write.
    """

    doi: str
    version: int
    card: Card
    title: str | None
    offers: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    extra: tuple[str, ...] = ()
    links: Mapping[str, datetime] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    turn: str = ""

    def stored(self) -> Document:
        """Return the form in the store, but for its key."""
        found = [{"key": one.key, "doi": one.doi, "of": one.of} for one in self.found]
        document: Document = {
            "v": self.version,
            "card": self.card.stored(),
            "type": self.card.type,
            "title": self.title,
            "offers": list(self.offers),
            "found": found,
            "extra": list(self.extra),
            "links": [{"doi": doi, "at": at} for doi, at in self.links.items()],
            "to": list(self.links),
            "days": days_of(self.links),
            "waiting": list(self.waiting),
            "due": list(self.due),
            "news": list(self.news),
            # Whoever dies before they are marked and told leaves it to others.
            "pending": bool(self.due or self.news),
            "turn": self.turn,
        }
        return document


def read(document: Mapping[str, Any]) -> Kept:
    """Return what a document says."""
    return Kept(
        doi=document["_id"],
        version=document["v"],
        card=Card.read(document["_id"], document["card"]),
        title=document["title"],
        offers=tuple(document["offers"]),
        found=tuple(Found(one["key"], one["doi"], one["of"]) for one in document["found"]),
        extra=tuple(document["extra"]),
        links={one["doi"]: one["at"] for one in document["links"]},
        waiting=tuple(document["waiting"]),
        due=tuple(document["due"]),
        news=tuple(document["news"]),
        turn=document["turn"],
    )


def days_of(links: Mapping[str, datetime]) -> list[str]:
    """Return by which words links are found: the prefix they go to, alone and with the day."""
    prefixes = {(doi.partition("/")[0], at.date()) for doi, at in links.items()}
    named = {f"{prefix}|" for prefix, _ in prefixes}
    return sorted(named | {f"{prefix}|{day.isoformat()}" for prefix, day in prefixes})


@dataclass(frozen=True, slots=True)
class Matches:
    """What is kept of all works."""

    database: Database

    @property
    def collection(self) -> Collection:
        """Where it is kept."""
        return self.database[MATCHES]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        with faults():
            await self.collection.create_indexes(list(INDEXES))

    async def many(self, dois: Sequence[str]) -> dict[str, Kept]:
        """Return what is kept of those works that anything is kept of."""
        found = await self._in("_id", dois)
        return {document["_id"]: read(document) for document in found}

    async def cards(self, dois: Sequence[str]) -> dict[str, Card]:
        """Return the cards of works."""
        found = await self._in("_id", dois, {"card": 1})
        return {one["_id"]: Card.read(one["_id"], one["card"]) for one in found}

    async def offering(self, features: Sequence[str]) -> dict[str, tuple[Card, frozenset[str]]]:
        """Return works that stand under any of these features, and under which each does.

        Names and years come last: many works share them, and only so many are looked at.
        """
        shown = {"card": 1, "offers": 1}
        ordered = sorted(features, key=is_common)
        found = await self._in("offers", ordered, shown, most=MOST_OFFERED)
        return {
            one["_id"]: (Card.read(one["_id"], one["card"]), frozenset(one["offers"]))
            for one in found
        }

    async def pending(self, *, most: int) -> list[Kept]:
        """Return works whose references are to be tried again."""
        with faults():
            found = await self.collection.find({"pending": True}).limit(most).to_list(most)
        return [read(one) for one in found]

    async def wake(self, features: Sequence[str]) -> int:
        """Have works tried again that wait for any of these features; return how many."""
        found = await self._in("waiting", features, {"_id": 1}, most=MOST_WOKEN)
        dois = sorted({one["_id"] for one in found})
        for start in range(0, len(dois), KEYS):
            page = dois[start : start + KEYS]
            with faults():
                await self.collection.update_many(
                    {"_id": {"$in": page}}, {"$set": {"pending": True, "turn": new_id()}}
                )
        return len(dois)

    async def wake_one(self, doi: str) -> None:
        """Have one work tried again."""
        with faults():
            await self.collection.update_one(
                {"_id": doi}, {"$set": {"pending": True, "turn": new_id()}}
            )

    async def put(self, changes: Iterable[tuple[Kept | None, Kept]]) -> None:
        """Write each where nobody else has written since it was read.

        Raises ``Transient`` where somebody has: what is not written is to be decided again.
        """
        new: list[InsertOne[Document] | UpdateOne] = []
        held: list[InsertOne[Document] | UpdateOne] = []
        for old, kept in changes:
            if old is None:
                new.append(InsertOne({"_id": kept.doi, **kept.stored()}))
            else:
                same = {"_id": old.doi, "turn": old.turn}
                held.append(UpdateOne(same, {"$set": kept.stored()}))
        if not new and not held:
            return
        with faults():
            try:
                done = await self.collection.bulk_write([*new, *held], ordered=False)
            except BulkWriteError as fault:
                collided(fault)
                raise Transient(OVERTAKEN) from fault
        if done.matched_count != len(held):
            raise Transient(OVERTAKEN)

    async def settle(self, marked: Iterable[Kept]) -> None:
        """Take note that counts are marked and owners told; not where something changed since."""
        gone = {"$set": {"due": [], "news": [], "pending": False}}
        writes = [UpdateOne({"_id": one.doi, "turn": one.turn}, gone) for one in marked]
        if writes:
            with faults():
                await self.collection.bulk_write(writes, ordered=False)

    async def found(self, dois: Sequence[str]) -> dict[str, tuple[Found, ...]]:
        """Return what was found for the references of works."""
        found = await self._in("_id", dois, {"found": 1})
        return {
            one["_id"]: tuple(Found(f["key"], f["doi"], f["of"]) for f in one["found"])
            for one in found
        }

    async def _in(
        self,
        name: str,
        values: Sequence[str],
        shown: Mapping[str, int] | None = None,
        *,
        most: int = 0,
    ) -> list[Document]:
        found: list[Document] = []
        for start in range(0, len(values), KEYS):
            asked = {name: {"$in": list(values[start : start + KEYS])}}
            with faults():
                found += await self.collection.find(asked, shown).limit(most).to_list(None)
        return found


async def found_alone(database: Database, dois: Some[str], *, most: int) -> dict[str, int]:
    """Return by how many works each of ``dois`` is cited in references without a DOI.

    One look for many; where more than ``most`` works cite any of them each is counted by itself.
    """
    collection = database[MATCHES]
    asked = {"extra": {"$in": list(dois)}}
    citing = await collection.find(asked, {"_id": 0, "extra": 1}).limit(most).to_list(None)
    if len(citing) >= most:
        return {doi: await collection.count_documents({"extra": doi}) for doi in dois}
    counts = dict.fromkeys(dois, 0)
    for one in citing:
        for doi in one["extra"]:
            if doi in counts:
                counts[doi] += 1
    return counts
