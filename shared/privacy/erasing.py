"""Obeying retention's orders: look for a person in everything a service holds, erase, look again.

A service declares its ``Holding``s, one for each collection that holds something of people. What is
said of them is the outcome of a second look after the writes (law P3): "nothing found" is not
"could not look", and an answer is given only once every tombstone is at the broker.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from shared.events.orders import (
    Blocker,
    EvidenceState,
    KeptUnits,
    LookedAt,
    OrderState,
    Outcome,
    Tombstoned,
)


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is meant: by blind index, by pseudonym, or by single units of somebody's keys.

    ``people`` are pseudonyms of which everything is meant; ``records`` name keys, and where they
    name units nothing else of that person is.
    """

    subjects: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    records: tuple[KeptUnits, ...] = ()
    classes: frozenset[str] = frozenset()

    def means(self, person: str, cls: str, unit: str) -> bool:
        """Say whether a record of a pseudonym, in a class, under a unit's key, is meant."""
        if self.classes and cls not in self.classes:
            return False
        if person in self.people:
            return True
        return any(
            one.keys_id == f"{person}.{cls}" and (not one.units or unit in one.units)
            for one in self.records
        )

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
class Held:
    """One document that holds something of who is meant; ``keys`` are theirs in it, not others'."""

    id: Any
    keys: tuple[Key, ...]
    people: frozenset[str] = frozenset()


class Holding(Protocol):
    """One collection of a service that holds something of people."""

    @property
    def name(self) -> str:
        """The collection."""
        ...

    async def held(self, whom: Whom) -> Sequence[Held]:
        """Find what is kept of somebody: by subjects, people and records. Raises ``Transient``."""
        ...

    async def erase(self, held: Sequence[Held], whom: Whom, *, cause: str) -> Sequence[Tombstoned]:
        """Erase it, theirs and nobody else's; safe to repeat. Raises ``Transient``."""
        ...

    async def told(self, held: Sequence[Held]) -> bool:
        """Say whether everything that these documents had to publish is at the broker."""
        ...


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
    def people(self) -> frozenset[str]:
        """Pseudonyms of who is meant, as documents name them."""
        return frozenset(
            person for held in self.found.values() for one in held for person in one.people
        )

    @property
    def keys(self) -> tuple[KeptUnits, ...]:
        """Whose keys everything found is encrypted under."""
        units: dict[str, set[str]] = {}
        for held in self.found.values():
            for one in held:
                for key in one.keys:
                    units.setdefault(f"{key.person}.{key.cls}", set()).add(key.unit)
        return tuple(
            KeptUnits(keys_id=name, units=tuple(sorted(units[name]))) for name in sorted(units)
        )


MOST_PASSES: Final = 5  # of a look: an address leads to a pseudonym, which leads to its records


async def look(holdings: Sequence[Holding], whom: Whom) -> Looking:
    """Find everything that is kept of somebody: until no further pseudonym turns up."""
    looking = Looking(whom)
    for _ in range(MOST_PASSES):
        looking.found = {one.name: await one.held(looking.whom) for one in holdings}
        more = looking.people - looking.whom.pseudonyms if whom.subjects else frozenset()
        if not more:
            break
        looking.whom = Whom(
            whom.subjects, looking.whom.people | more, whom.records, looking.whom.classes
        )
    return looking


def outcome_of(order: OrderState, looked: Iterable[LookedAt]) -> Outcome:
    """Return what an answer is called."""
    every = list(looked)
    if order.kind == "look":
        return "found" if any(one.matched for one in every) else "nothing-found"
    if any(one.erased for one in every):
        return "erased"
    return "exempt" if any(one.kept for one in every) else "nothing-found"


def evidence(
    kind: type[EvidenceState], order: OrderState, said: Mapping[str, Any]
) -> EvidenceState:
    """Make a service's answer to an order."""
    return kind(order=order.order, erasure=order.erasure, kind=order.kind, **said)
