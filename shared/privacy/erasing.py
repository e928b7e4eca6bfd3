"""What a service does with retention's orders, as pure pieces: whom, what was found, what is said.

A service declares its ``Holding``s, one for each collection that holds something of people. What is
said of them is the outcome of a second look after the writes (law P3): "nothing found" is not
"could not look", and an answer is given only once every tombstone is at the broker.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import orjson

from shared.events.orders import (
    Blocker,
    KeptUnits,
    LookedAt,
    OrderState,
    Outcome,
    Tombstoned,
)
from shared.privacy.personal import declared


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is meant: by blind index, by pseudonym, or by single units of somebody's keys.

    ``people`` are pseudonyms of which everything is meant; ``records`` name keys, and where they
    name units nothing else of that person is. ``exempt`` are classes that stay.
    """

    subjects: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    records: tuple[KeptUnits, ...] = ()
    classes: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()

    def looks(self, person: str, cls: str, unit: str, subjects: Collection[str] = ()) -> bool:
        """Say whether a record is looked for, exempt or not.

        It is of a pseudonym, in a class, under a unit's key, and has these blind indexes in it.
        """
        if not self.asks(cls):
            return False
        if person in self.people or not self.subjects.isdisjoint(subjects):
            return True
        return any(
            one.keys_id == f"{person}.{cls}" and (not one.units or unit in one.units)
            for one in self.records
        )

    def means(self, person: str, cls: str, unit: str, subjects: Collection[str] = ()) -> bool:
        """Say whether such a record is to go."""
        return cls not in self.exempt and self.looks(person, cls, unit, subjects)

    def asks(self, cls: str) -> bool:
        """Say whether a class is asked about, be it exempt or not."""
        return not self.classes or cls in self.classes

    def wants(self, cls: str) -> bool:
        """Say whether a class is to go, whoever it is of."""
        return self.asks(cls) and cls not in self.exempt

    def wholes(self, cls: str) -> frozenset[str]:
        """Return the pseudonyms of which all of a class is meant, and not single units."""
        named = {one.keys_id.partition(".")[::2] for one in self.records if not one.units}
        return self.people | {person for person, of in named if of == cls}

    @property
    def pseudonyms(self) -> frozenset[str]:
        """Every pseudonym to look for."""
        return self.people | {one.keys_id.partition(".")[0] for one in self.records}


@dataclass(frozen=True, slots=True)
class Key:
    """Under which key something is kept."""

    person: str
    cls: str
    unit: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record on a personal topic, to be told to be gone."""

    topic: str
    key: str


@dataclass(frozen=True, slots=True)
class Held:
    """One document that holds something of who is meant: their part of it, not others'.

    ``keys`` are what it is encrypted under, ``classes`` those of what is under no key (a blind
    index, a pseudonym), ``records`` what must be told to be gone with it.
    """

    id: str
    keys: tuple[Key, ...] = ()
    people: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    records: tuple[Record, ...] = ()

    @property
    def every_class(self) -> frozenset[str]:
        """The classes of all that it holds of them."""
        return self.classes | {one.cls for one in self.keys}

    def stays(self, exempt: frozenset[str]) -> bool:
        """Say whether all of it is exempt."""
        return bool(self.every_class) and self.every_class <= exempt


class Holding(Protocol):
    """One collection of a service that holds something of people."""

    @property
    def name(self) -> str:
        """The collection."""
        ...

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find what is kept of somebody: by subjects, people and records. Raises ``Transient``.

        What is exempt is found too, and what is of no class that is meant is not.
        """
        ...

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> None:
        """Erase what ``whom.means`` of it, nobody else's; safe to repeat. Raises ``Transient``."""
        ...

    async def told(self, ids: Sequence[str]) -> bool:
        """Say whether everything that these documents had to publish is at the broker."""
        ...


class Unpublished:
    """A holding of which nobody is told: there is no word of it to wait for."""

    __slots__ = ()

    async def told(self, ids: Sequence[str]) -> bool:  # noqa: ARG002  (the same for all)
        """Nothing of it is published."""
        return True


class Asks(Protocol):
    """What a service adds to a look: what stands in the way, and who was given something."""

    async def blockers(self, people: frozenset[str]) -> tuple[Blocker, ...]:
        """Say what has to be done first."""
        ...

    async def processors(self, subjects: frozenset[str]) -> tuple[str, ...]:
        """Name the processors that were given something of who is meant."""
        ...


class NothingInTheWay:
    """A service in which nothing has to be done first."""

    async def blockers(self, _people: frozenset[str]) -> tuple[Blocker, ...]:
        """Nothing."""
        return ()

    async def processors(self, _subjects: frozenset[str]) -> tuple[str, ...]:
        """Nobody."""
        return ()


@dataclass(slots=True)
class Looking:
    """What was found of somebody, collection by collection."""

    whom: Whom
    found: dict[str, Sequence[Held]] = field(default_factory=dict)

    @property
    def every(self) -> list[Held]:
        """All of it."""
        return [one for held in self.found.values() for one in held]

    @property
    def people(self) -> frozenset[str]:
        """Pseudonyms of who is meant, as documents name them."""
        return frozenset(person for one in self.every for person in one.people)

    @property
    def keys(self) -> tuple[KeptUnits, ...]:
        """Whose keys everything found is encrypted under."""
        units: dict[str, set[str]] = {}
        for one in self.every:
            for key in one.keys:
                units.setdefault(f"{key.person}.{key.cls}", set()).add(key.unit)
        return tuple(
            KeptUnits(keys_id=name, units=tuple(sorted(units[name]))) for name in sorted(units)
        )

    @property
    def records(self) -> frozenset[Record]:
        """What must be told to be gone, of what does not stay."""
        return frozenset(
            record
            for one in self.every
            if not one.stays(self.whom.exempt)
            for record in one.records
        )


MOST_PASSES: Final = 5  # of a look: an address leads to a pseudonym, which leads to its records


async def look(holdings: Sequence[Holding], whom: Whom) -> Looking:
    """Find everything that is kept of somebody: until no further pseudonym turns up.

    Keys that are named beside blind indexes are those of whom an earlier look led to: it begins
    with them, and need not find them again to go on.
    """
    if whom.subjects:
        whom = replace(whom, people=whom.people | whom.pseudonyms)
    looking = Looking(whom)
    for _ in range(MOST_PASSES):
        held = await asyncio.gather(*(one.held(looking.whom) for one in holdings))
        looking.found = {one.name: some for one, some in zip(holdings, held, strict=True)}
        more = looking.people - looking.whom.people if whom.subjects else frozenset()
        if not more:
            break
        looking.whom = replace(looking.whom, people=looking.whom.people | more)
    return looking


def whom_of(order: OrderState, subjects: frozenset[str]) -> Whom:
    """Return whom an order means, whose blind indexes were opened."""
    return Whom(
        subjects,
        records=order.records,
        classes=frozenset(order.classes),
        exempt=frozenset(order.exempt),
    )


def looked_at(
    name: str, matched: Mapping[str, bool], again: Sequence[Held], exempt: frozenset[str]
) -> LookedAt:
    """Say what became of a collection's documents.

    ``matched``: those found at the first look, and of each whether it stays; ``again``: those found
    at the second.
    """
    left = {one.id for one in again if not one.stays(exempt)}
    kept = {one for one, stays in matched.items() if stays} - left
    erased = set(matched) - left - kept
    return LookedAt(
        collection=name,
        matched=len(set(matched) | left),
        erased=len(erased),
        kept=len(kept),
        remaining=len(left),
    )


def tombstoned(
    records: Iterable[tuple[str, str]], partition: "PartitionOf"
) -> tuple[Tombstoned, ...]:
    """Count records that were told to be gone, by topic and partition."""
    counted = Counter((topic, partition(topic, key.encode())) for topic, key in set(records))
    return tuple(
        Tombstoned(topic=topic, partition=number, count=counted[topic, number])
        for topic, number in sorted(counted)
    )


class PartitionOf(Protocol):
    """Where the records of a key are (shared.kafka.topics)."""

    def __call__(self, topic: str, key: bytes) -> int:
        """Return the partition."""
        ...


def outcome_of(kind: str, looked: Iterable[LookedAt]) -> Outcome:
    """Return what an answer is called."""
    every = list(looked)
    if kind == "look":
        return "found" if any(one.matched for one in every) else "nothing-found"
    if any(one.erased for one in every):
        return "erased"
    return "exempt" if any(one.kept for one in every) else "nothing-found"


def manifest(service: str, holdings: Sequence[Holding]) -> str:
    """Return the SHA-256 of what a build says that it holds of people, hex.

    Of every declared field of the service's schemas, how it is personal, and the collections that
    are looked through: a service that learned to hold something else says so with its evidence.
    """
    fields = [
        [one.schema, one.pointer, one.personal.cls, sorted(one.personal.purposes)]
        for one in declared(f"{service}.")
    ]
    said = orjson.dumps([service, fields, sorted(one.name for one in holdings)])
    return hashlib.sha256(said).hexdigest()
