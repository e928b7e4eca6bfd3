"""What the parts of retention are given, what they give, and what one asks of another.

A part is a module of services.retention.parts with ``async def open_part(house, rooms) -> Part``;
app composes them in their order, so that a part finds in ``rooms`` what came before it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from services.retention.commands.keys import Keys
from services.retention.model.clocks import Hold
from services.retention.model.holds import KeptHold
from services.retention.model.records import KeptRecord
from services.retention.settings import Settings
from shared.events.orders import KeptUnits
from shared.events.personal import Sealed
from shared.mongo import Database
from shared.policy.personal import PersonalPolicy
from shared.policy.retention import Schedule
from shared.privacy.blind import BlindIndex
from shared.privacy.certificates import InTree
from shared.privacy.certificates.statement import Compaction
from shared.privacy.checkpoints import KnownKey
from shared.privacy.keyring import KeyRing
from shared.privacy.receipts import Signer
from shared.runtime.bell import Ring
from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.runtime.service import Role
from shared.web import Route


@dataclass(frozen=True, slots=True)
class House:
    """What every part may use.

    ``database`` is retention's own, ``key_documents`` those of all services; ``wake`` hurries the
    relay of this process; ``roles`` are those that run in it; ``broker_time`` is the broker's
    clock, None where it said nothing yet.
    """

    settings: Settings
    database: Database
    key_documents: Database
    keys: Keys
    ring: KeyRing
    index: BlindIndex
    personal: PersonalPolicy
    schedule: Schedule
    health: Health
    clock: Clock
    wake: Ring
    roles: frozenset[str]
    broker_time: Callable[[], datetime | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Part:
    """What a part adds: routes of the site, and what runs under which role of the command line."""

    routes: Sequence[Route] = ()
    running: Mapping[str, Mapping[str, Role]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """A clock that is due: what is to go, by which rule of which version of the schedule."""

    clock: str  # an id of this round of this clock: the same however often it is told
    rule: str
    clause: str
    version: str
    service: str
    kind: str
    record: str
    due: datetime
    records: tuple[KeptUnits, ...]


class Erasing(Protocol):
    """What erasures offer to clocks and to requests of people."""

    async def due(self, due: Due) -> str:
        """Begin the erasure of what a due clock names, once; return its id."""
        ...

    async def sealed(self, request: str, indexes: Sequence[str]) -> Sealed | None:
        """Seal blind indexes for an erasure under a key of its own; None where it has begun."""
        ...

    async def asked(
        self,
        request: str,
        subjects: Sealed | None,
        *,
        exempt: Sequence[tuple[str, str, datetime]] = (),
        actor: str,
    ) -> str:
        """Plan the erasure of a person, once for a request; return its id.

        ``exempt``: class, reason (certificates' words) and date of review of what is kept.
        """
        ...

    async def stands(self, erasure: str) -> str | None:
        """Return the step that an erasure is at (model/erasures.py), None where there is none."""
        ...


class Holding(Protocol):
    """What holds offer to clocks and erasures."""

    async def on(self, records: Sequence[KeptUnits]) -> tuple[str, ...]:
        """Return the holds that stand on any of these keys."""
        ...

    async def holds_of(self, kind: str, record: str) -> tuple[Hold, ...]:
        """Return the holds on a record for ``model.clocks.judge``, released ones too."""
        ...

    async def known(self, holds: Collection[str]) -> Mapping[str, KeptHold]:
        """Return the holds that are on record, by their ids."""
        ...

    async def stated(self, records: Sequence[KeptUnits]) -> Sequence[Mapping[str, str]]:
        """Return which classes of these keys are held, for the person: rows of words."""
        ...

    async def joining(self, records: Sequence[KeptRecord]) -> None:
        """Bring records that were written under the standing holds that mean them."""
        ...

    async def put_right(self) -> None:
        """Have keys be held as holds say, after the key store was put back from a copy."""
        ...


class Schedules(Protocol):
    """What says which version of the schedule counts."""

    def current(self) -> Schedule:
        """Return the version that was in force when this process last looked."""
        ...

    async def in_force(self, now: datetime) -> Schedule:
        """Look which version is in force at a moment, past or present, and which one is now."""
        ...


class Reviewing(Protocol):
    """What takes due clocks that somebody has to decide about."""

    async def due(self, due: Due) -> str:
        """Ask for a review of what a due clock names, once; return its id."""
        ...


class Clocking(Protocol):
    """What clocks offer to holds."""

    async def look_again(self, records: Sequence[KeptUnits]) -> None:
        """Have every record under these keys looked at now: a hold on it was released."""
        ...


class Physical(Protocol):
    """What knows whether ciphertext and epochs are gone from disks."""

    async def ends(self, topic: str, partition: int) -> int:
        """Return the offset behind the last record: what was written before is below it."""
        ...

    async def cleaned(self, topic: str, partition: int, before: int) -> Sequence[Compaction]:
        """Return receipts of the replicas that can be seen, once cleaned, else nothing."""
        ...

    async def epochs_gone(self, since: datetime) -> datetime | None:
        """Return when every epoch that wrapped a key destroyed at ``since`` was gone, or None."""
        ...

    async def scanned(self, records: Sequence[KeptUnits]) -> Any:
        """Search the log for envelopes of these keys, with planted controls.

        Returns ``shared.privacy.certificates.statement.Scan``; raises where anything is left or a
        control was missed.
        """
        ...


class Tree(Protocol):
    """The transparency log of retention."""

    @property
    def signer(self) -> Signer:
        """The key that signs its checkpoints, as certificates are signed with it."""
        ...

    async def keys(self) -> Sequence[KnownKey]:
        """Return its public keys of all times, and those of its witnesses."""
        ...

    async def append(self, record: bytes) -> int:
        """Append a record, once for its bytes; return its index."""
        ...

    async def found(self, words: str) -> bytes | None:
        """Return the first record that holds these words; looks through all, so seldom."""
        ...

    async def proven(self, index: int) -> InTree:
        """Prove a record under the newest checkpoint, made now where it does not cover it."""
        ...


class Packages(Protocol):
    """What access packages offer to requests of people."""

    async def asked(
        self, request: str, indexes: Sequence[str], code: str | None = None
    ) -> tuple[Any, str | None]:
        """Have a package made, once for a request; return it and the code that opens it."""
        ...

    async def end(self, package: str, why: str) -> Any:
        """End a package that nobody is to fetch any more; its key is destroyed."""
        ...

    async def shown(self, package: str) -> Any:
        """Return a package's document (model/packages.py), None where there is none."""
        ...


class Keeps(Protocol):
    """What knows how long records are kept (the clocks)."""

    async def kept(self, records: Sequence[KeptUnits]) -> Sequence[Mapping[str, str]]:
        """Return what is kept of these keys: rows of ``what``, ``until`` and ``why``."""
        ...


@dataclass(slots=True)
class Rooms:
    """What parts offer to each other; filled in the order in which they are opened."""

    tree: Tree | None = None
    physical: Physical | None = None
    holds: Holding | None = None
    erasing: Erasing | None = None
    packages: Packages | None = None
    keeps: Keeps | None = None
    schedules: Schedules | None = None
    reviews: Reviewing | None = None
    clocks: Clocking | None = None
