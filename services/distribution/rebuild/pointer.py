"""Which generation of the read models is live: one document, changed by compare-and-set.

The order in which generations are written is what keeps readers from going back: the one that takes
over next is written before the one that is live, so at the change-over it is never behind. It stays
so afterwards, when the two have changed places; going back first turns the order round and then
makes sure that nothing of the old order is under way.

Readers look at most once a second, and ask again after they have read: an answer is of one
generation, and of one that was live within the second before it. Who writes looks before each
batch, after it was fetched: what a batch does not write to a generation was in the log before that
generation was named.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal

from services.distribution.projections import MEMBERS, PREFIXES, WORKS
from shared.mongo import Database, faults
from shared.mongo.client import BulkWriteError, Collection, InsertOne, UpdateOne, collided
from shared.mongo.guarded import Naming
from shared.runtime.clock import SYSTEM, Clock

MODELS: Final = (WORKS, MEMBERS, PREFIXES)
POINTERS: Final = "read_models"
NAME: Final = "distribution"
CACHED_SECONDS: Final = 1.0

State = Literal["steady", "filling", "counting", "switching"]

_GENERATION: Final = re.compile(rf"({'|'.join(MODELS)})_([1-9][0-9]*)")


class NotNow(Exception):
    """What was asked for cannot be done in this state; says why and what can."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """The generations there are, and what becomes of them.

    ``turn`` grows with each change; ``newest`` is the highest number ever given. ``next`` is what
    is made ready to take over, ``kept`` what was live before. ``steady``: nothing is under way;
    ``filling``: next catches up with the log; ``counting``: citations are counted and all is
    compared; ``switching``: counts of the live generation rest, next is about to take over.
    """

    turn: int = 0
    live: int = 0
    next: int | None = None
    kept: int | None = None
    kept_until: datetime | None = None
    newest: int = 0
    state: State = "steady"
    back: bool = False  # next was live before: going back, not forward
    by: str = ""
    since: datetime | None = None

    @property
    def written(self) -> tuple[int, ...]:
        """The generations that every batch is written to, in this order."""
        order = (self.next, self.live) if self.next is not None else (self.live, self.kept)
        return tuple(one for one in order if one is not None)

    @property
    def counted(self) -> tuple[int, ...]:
        """The generations in which workers count citations; of next, who makes it ready does.

        Not in the one that is kept: who still reads it, in the second after the change-over, would
        see counts that the live one does not have yet. Going back counts what is marked by then.
        """
        return () if self.state == "switching" else (self.live,)

    def begun(self, *, by: str, at: datetime) -> "Pointer":
        """Make a new generation; what was kept is given up."""
        if self.next is not None:
            raise NotNow("a rebuild is under way already")
        number = self.newest + 1
        return self._moved(
            next=number, newest=number, kept=None, kept_until=None, state="filling", by=by, since=at
        )

    def going_back(self, *, by: str, at: datetime) -> "Pointer":
        """Make what was live before ready to be live again."""
        if self.next is not None:
            raise NotNow("a rebuild is under way: abandon it before going back")
        if self.kept is None:
            raise NotNow("nothing is kept to go back to")
        return self._moved(next=self.kept, kept=None, back=True, state="filling", by=by, since=at)

    def filled(self) -> "Pointer":
        """Next has everything the log had when it was named, and all that came since."""
        self._must_be("filling")
        return self._moved(state="counting")

    def resting(self) -> "Pointer":
        """Let counts of the live generation rest: what readers saw, next has seen."""
        self._must_be("counting")
        return self._moved(state="switching")

    def roused(self) -> "Pointer":
        """Count again in the live generation: the change-over did not come."""
        self._must_be("switching")
        return self._moved(state="counting")

    def switched(self, *, at: datetime, keep: timedelta) -> "Pointer":
        """Change over; what was live is kept for a while."""
        self._must_be("switching")
        assert self.next is not None
        return self._moved(
            live=self.next,
            next=None,
            kept=self.live,
            kept_until=at + keep,
            state="steady",
            back=False,
            since=at,
        )

    def abandoned(self) -> "Pointer":
        """Give next up; what was kept for going back is kept again."""
        if self.next is None:
            raise NotNow("nothing is under way")
        kept = self.next if self.back else None
        return self._moved(next=None, kept=kept, state="steady", back=False)

    def expired(self) -> "Pointer":
        """Give up what is kept."""
        return self._moved(kept=None, kept_until=None)

    def _must_be(self, state: State) -> None:
        if self.state != state:
            raise NotNow(f"the rebuild is {self.state}, not {state}")

    def _moved(self, **changes: Any) -> "Pointer":
        return replace(self, turn=self.turn + 1, **changes)


def called(model: str, generation: int) -> str:
    """Return what the store calls a model's collection; generation 0 has the model's own name."""
    return f"{model}_{generation}" if generation else model


def generation_of(collection: str) -> int | None:
    """Return the generation a collection belongs to, None where it is no read model's."""
    if collection in MODELS:
        return 0
    found = _GENERATION.fullmatch(collection)
    return int(found[2]) if found else None


def naming(generation: int) -> Naming:
    """Return how the collections of a generation are called."""
    return partial(called, generation=generation)


@dataclass(slots=True)
class ReadModels:
    """The pointer of a database as this process knows it; without one, all is as at first."""

    database: Database
    clock: Clock = SYSTEM
    _known: Pointer = field(default_factory=Pointer)
    _asked: float = float("-inf")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def pointers(self) -> Collection:
        """Where the pointer stands, and what is told of the way."""
        return self.database[POINTERS]

    async def current(self) -> Pointer:
        """Return the pointer as it was within the last second."""
        if not self._young():
            async with self._asking:
                if not self._young():
                    await self.fresh()
        return self._known

    async def fresh(self) -> Pointer:
        """Return the pointer as it is now."""
        asked = self.clock.monotonic()
        with faults():
            found = await self.pointers.find_one({"_id": NAME})
        pointer = read(found) if found else Pointer()
        if pointer.turn >= self._known.turn:
            self._known, self._asked = pointer, max(asked, self._asked)
        return self._known

    async def change(self, old: Pointer, new: Pointer) -> bool:
        """Put ``new`` in the place of ``old``; False where somebody else was faster."""
        assert new.turn == old.turn + 1
        document = {"_id": NAME, **asdict(new)}
        with faults():
            try:
                done = await self.pointers.bulk_write(
                    [
                        UpdateOne({"_id": NAME, "turn": old.turn}, {"$set": document})
                        if old.turn
                        else InsertOne(document)
                    ],
                    ordered=False,
                )
            except BulkWriteError as fault:
                collided(fault)
                return False
        if old.turn and not done.matched_count:
            return False
        self._known = new
        return True

    async def into(self) -> Sequence[Naming]:
        """Return the names that a batch is written under; asked after the batch was fetched."""
        return [naming(generation) for generation in (await self.fresh()).written]

    def _young(self) -> bool:
        return self.clock.monotonic() - self._asked <= CACHED_SECONDS


def read(document: dict[str, Any]) -> Pointer:
    """Return the pointer of a document; what a newer build added is left out."""
    names = {one.name for one in fields(Pointer)}
    return Pointer(**{name: value for name, value in document.items() if name in names})
