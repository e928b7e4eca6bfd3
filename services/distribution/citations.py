"""Citation counts: recounted from an index, never incremented (law L4).

What other works say of one (claims.py) is found and written with its count, as one thing: wherever
a count is spoken of here, both are meant.

A guarded write leaves in the work's document every DOI whose count it may change. This worker
counts those again and then forgets them. Several workers may count the same DOI at once: a count is
written only where nobody else wrote one since this worker looked, so one that wakes up late, or
dies in between, leaves no older count behind.

Nobody waits for a count as somebody waits for a preference or a page. So it is done in slices that
take the store a fraction of a second each, with a rest in between that is as long.

Each generation of the read models (rebuild/pointer.py) has counts of its own. While one takes over
those of the live one rest: what was counted since then is not written, so that no count that a
reader saw is ahead of what the next generation shows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from services.distribution.claims import Claim, claimed
from services.distribution.matching.kept import found_alone
from services.distribution.projections import WORKS, counting
from services.distribution.rebuild.pointer import Pointer, ReadModels, called
from shared.mongo import Database
from shared.mongo.client import Collection, Document, UpdateOne, faults
from shared.mongo.shelves import Round
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

PAGE: Final = 1_000  # works a round, about
IDLE_SECONDS: Final = 0.2
LONGEST_REST: Final = 10.0  # seconds that counts rest for a change-over that does not come
SLICE_SECONDS: Final = 0.05  # of the store's time in a row; others wait about as long at most
SMALLEST, GREATEST = 4, 200  # works a slice
MOST_MATCHED: Final = 2_000  # citing works that are looked at together
KEYS: Final = 100  # keys a look-up: fewer and more both cost the embedded store more a key

log = get_log(__name__)
T = TypeVar("T")
Still = Callable[[], Awaitable[bool]]  # whether what was counted may be written


async def always() -> bool:
    """Write whatever was counted."""
    return True


@dataclass(slots=True)
class Pace:
    """How much is asked of the store at once, by how long the slice before took.

    A store that is quick gets larger slices, one that is slow or busy with others smaller ones and
    longer rests: recounting takes half of what is free and no more, whatever the store.
    """

    clock: Clock = SYSTEM
    size: int = SMALLEST
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    slice_seconds: float = SLICE_SECONDS
    beat: Callable[[], None] = lambda: None  # called after each slice: who paces is alive
    shelves: Round = field(default_factory=lambda: Round(PAGE))  # where due works are looked for

    async def spend(self, work: Awaitable[T]) -> T:
        """Do one slice of work, then rest as long as it took."""
        began = self.clock.monotonic()
        done = await work
        took = self.clock.monotonic() - began
        if took > self.slice_seconds:
            self.size = max(self.size // 2, SMALLEST)
        elif took < self.slice_seconds / 2:
            self.size = min(self.size * 2, GREATEST)
        self.beat()
        await self.rest(took)
        return done

    def slices(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Cut ``items``, each slice as large as it may be when its turn comes."""
        start = 0
        while start < len(items):
            size = self.size
            yield items[start : start + size]
            start += size


async def recount_forever(database: Database, health: Health, draining: asyncio.Event) -> None:
    """Recount whatever is due until told to drain."""
    health.promise("recount", within=60)
    pace = Pace(beat=partial(health.beat, "recount"))
    models = ReadModels(database)
    vigil = Vigil(models)
    while not draining.is_set():
        done = 0
        try:
            pointer = await models.current()
            for generation in pointer.counted:
                still = partial(_counted, models, generation)
                done += await recount(database, pace, generation, still)
            await vigil.look(pointer)
        except Transient as fault:
            log.warning("recounting interrupted", reason=str(fault))
        health.beat("recount")
        if not done:
            await wait_any(draining, timeout=IDLE_SECONDS)
    health.retire("recount")


async def _counted(models: ReadModels, generation: int) -> bool:
    return generation in (await models.fresh()).counted


@dataclass(slots=True)
class Vigil:
    """Sees that counts do not rest for ever where whoever changes over has died."""

    models: ReadModels
    clock: Clock = SYSTEM
    _turn: int = -1
    _since: float = 0.0

    async def look(self, pointer: Pointer) -> None:
        """Have counts go on where they rested for too long; that voids the change-over."""
        if pointer.state != "switching" or pointer.turn != self._turn:
            self._turn, self._since = pointer.turn, self.clock.monotonic()
        elif self.clock.monotonic() - self._since > LONGEST_REST:
            log.warning("a change-over did not come, counts go on", generation=pointer.next)
            await self.models.change(pointer, pointer.roused())


async def recount(
    database: Database, pace: Pace, generation: int = 0, still: Still = always
) -> int:
    """Recount about a page of what is due, slice by slice; return how many works that were.

    What due works cite comes first, due itself or not. Then each due work's own count is written
    together with the end of its mark: whoever dies before leaves the mark, and so does a newer
    version, or a newer count, which whoever wrote it settles.
    """
    works = database[called(WORKS, generation)]
    with faults():
        due = await _due(works, pace.shelves)
        cited = sorted({doi for one in due for doi in one["recount"] if doi != one["_id"]})
        held: dict[str, str | None] = {}
        for start in range(0, len(cited), KEYS):  # most are registered elsewhere or not at all
            held |= await pace.spend(turns(works, cited[start : start + KEYS]))
        for dois in pace.slices(list(held)):
            await pace.spend(count(works, {doi: held[doi] for doi in dois}, still))
        for documents in pace.slices(due):
            await pace.spend(_settle(works, documents, still))
    return len(due)


async def _due(works: Collection, round_: Round) -> list[Document]:
    """Return marked works: about a page, or all that there are."""
    due: list[Document] = []
    for shelves in round_.once():
        found = await _marked(works, shelves)
        round_.met(len(found))
        due += found
        if len(due) >= PAGE:
            break
    return due


async def _marked(works: Collection, shelves: Sequence[int]) -> list[Document]:
    shown = {"v": 1, "recount": 1, "cites": 1, "names": 1}
    return await works.find({"recount_shelf": {"$in": list(shelves)}}, shown).to_list(None)


async def count_marked(database: Database, pace: Pace, generation: int) -> int:
    """Count all whose counts the marks of this moment name, and leave the marks; how many that is.

    Afterwards every count is as new as the works were when this began, however many marks came
    meanwhile.
    """
    works = database[called(WORKS, generation)]
    with faults():
        named = sorted(
            {
                doi
                for shelves in pace.shelves.once()
                for one in await pace.spend(_marked(works, shelves))
                for doi in one["recount"]
            }
        )
        held: dict[str, str | None] = {}
        for start in range(0, len(named), KEYS):
            held |= await pace.spend(turns(works, named[start : start + KEYS]))
        for dois in pace.slices(list(held)):
            await pace.spend(count(works, {doi: held[doi] for doi in dois}))
    return len(held)


async def _settle(works: Collection, due: Sequence[Document], still: Still) -> None:
    """Bring the counts of due works up to date and take their marks back, in one write each."""
    turn = new_id()
    held = await turns(works, [document["_id"] for document in due])
    changes = []
    counts = await counted(works, [document["_id"] for document in due])
    for document in due:
        doi = document["_id"]
        same = {"_id": doi, "v": document["v"], "counted": held.get(doi)}
        settled = {**counts[doi], "counted": turn, "recount": counting(doi, document)}
        changes.append(UpdateOne(same, {"$set": settled, "$unset": {"recount_shelf": ""}}))
    if await still():
        await works.bulk_write(changes, ordered=False)


async def count(works: Collection, held: Mapping[str, str | None], still: Still = always) -> None:
    """Bring the counts of works up to date, given whose turn last counted each.

    Unchanged counts are written, too: that voids what a slower worker counted before us.
    """
    turn = new_id()
    while held:
        counts = await counted(works, list(held))
        if not await still():
            return
        done = await works.bulk_write(
            [
                UpdateOne({"_id": doi, "counted": held[doi]}, {"$set": {**count, "counted": turn}})
                for doi, count in counts.items()
            ],
            ordered=False,
        )
        if done.matched_count == len(counts):
            return
        found = await turns(works, list(held))
        held = {doi: last for doi, last in found.items() if last != turn}


async def counted(works: Collection, dois: Sequence[str]) -> dict[str, Document]:
    """Return what is counted of each of ``dois``, as its document has it: see ``COUNTED``."""
    cited_by = await citing(works, dois)
    return with_told(cited_by, await claimed(works, dois))


def with_told(
    cited_by: Mapping[str, int], told: Mapping[str, Sequence[Claim]]
) -> dict[str, Document]:
    """Put together what is counted of works."""
    return {doi: {"cited_by": n, "told": list(told[doi])} for doi, n in cited_by.items()}


async def citing(works: Collection, dois: Sequence[str]) -> dict[str, int]:
    """Return how many works cite each of ``dois``: as deposited, or in a reference matched to it.

    Which those are is known whatever the setting of a citing work (L4).
    """
    matched = await found_alone(works.database, dois, most=MOST_MATCHED)
    return {doi: await works.count_documents({"cites": doi}) + matched[doi] for doi in dois}


async def turns(works: Collection, dois: Sequence[str]) -> dict[str, str | None]:
    """Return whose turn last counted each of ``dois`` that is registered."""
    found = await works.find({"_id": {"$in": list(dois)}}, {"counted": 1}).to_list(None)
    return {document["_id"]: document.get("counted") for document in found}
