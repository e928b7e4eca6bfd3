"""Citation counts: recounted from an index, never incremented (law L4).

A guarded write leaves in the work's document every DOI whose count it may change. This worker
counts those again and then forgets them. Several workers may count the same DOI at once: a count is
written only where nobody else wrote one since this worker looked, so one that wakes up late, or
dies in between, leaves no older count behind.

Nobody waits for a count as somebody waits for a preference or a page. So it is done in slices that
take the store a fraction of a second each, with a rest in between that is as long.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from services.distribution.projections import WORKS
from shared.mongo import Database
from shared.mongo.client import Collection, Document, UpdateOne, faults
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

PAGE: Final = 100  # works a round
IDLE_SECONDS: Final = 0.2
SLICE_SECONDS: Final = 0.05  # of the store's time in a row; others wait about as long at most
SMALLEST, GREATEST = 4, 200  # works a slice; the embedded store slows down beyond so many keys

log = get_log(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Pace:
    """How much is asked of the store at once, by how long the slice before took.

    A store that is quick gets larger slices, one that is slow or busy with others smaller ones and
    longer rests: recounting takes half of what is free and no more, whatever the store.
    """

    clock: Clock = SYSTEM
    size: int = SMALLEST
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    beat: Callable[[], None] = lambda: None  # called after each slice: who paces is alive

    async def spend(self, work: Awaitable[T]) -> T:
        """Do one slice of work, then rest as long as it took."""
        began = self.clock.monotonic()
        done = await work
        took = self.clock.monotonic() - began
        if took > SLICE_SECONDS:
            self.size = max(self.size // 2, SMALLEST)
        elif took < SLICE_SECONDS / 2:
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
    while not draining.is_set():
        try:
            done = await recount(database, pace)
        except Transient as fault:
            log.warning("recounting interrupted", reason=str(fault))
            done = 0
        health.beat("recount")
        if not done:
            await wait_any(draining, timeout=IDLE_SECONDS)
    health.retire("recount")


async def recount(database: Database, pace: Pace) -> int:
    """Recount one page of what is due, slice by slice; return how many works that were.

    What due works cite comes first, due itself or not. Then each due work's own count is written
    together with the end of its mark: whoever dies before leaves the mark, and so does a newer
    version, or a newer count, which whoever wrote it settles.
    """
    works = database[WORKS]
    with faults():
        due: list[Document] = (
            await works.find({"recount_due": True}, {"v": 1, "recount": 1, "cites": 1})
            .limit(PAGE)
            .to_list(PAGE)
        )
        cited = sorted({doi for one in due for doi in one["recount"] if doi != one["_id"]})
        held: dict[str, str | None] = {}
        for start in range(0, len(cited), GREATEST):  # most are registered elsewhere or not at all
            held |= await pace.spend(_turns(works, cited[start : start + GREATEST]))
        for dois in pace.slices(list(held)):
            await pace.spend(_count(works, {doi: held[doi] for doi in dois}))
        for documents in pace.slices(due):
            await pace.spend(_settle(works, documents))
    return len(due)


async def _settle(works: Collection, due: Sequence[Document]) -> None:
    """Bring the counts of due works up to date and take their marks back, in one write each."""
    turn = new_id()
    held = await _turns(works, [document["_id"] for document in due])
    changes = []
    for document in due:
        doi = document["_id"]
        count = await works.count_documents({"cites": doi})
        same = {"_id": doi, "v": document["v"], "counted": held.get(doi)}
        settled = {"cited_by": count, "counted": turn, "recount": [doi, *document["cites"]]}
        changes.append(UpdateOne(same, {"$set": settled, "$unset": {"recount_due": ""}}))
    await works.bulk_write(changes, ordered=False)


async def _count(works: Collection, held: Mapping[str, str | None]) -> None:
    """Bring the counts of works up to date, given whose turn last counted each.

    Unchanged counts are written, too: that voids what a slower worker counted before us.
    """
    turn = new_id()
    while held:
        counts = {doi: await works.count_documents({"cites": doi}) for doi in held}
        done = await works.bulk_write(
            [
                UpdateOne(
                    {"_id": doi, "counted": held[doi]}, {"$set": {"cited_by": n, "counted": turn}}
                )
                for doi, n in counts.items()
            ],
            ordered=False,
        )
        if done.matched_count == len(counts):
            return
        found = await _turns(works, list(held))
        held = {doi: last for doi, last in found.items() if last != turn}


async def _turns(works: Collection, dois: Sequence[str]) -> dict[str, str | None]:
    """Return whose turn last counted each of ``dois`` that is registered."""
    found = await works.find({"_id": {"$in": list(dois)}}, {"counted": 1}).to_list(None)
    return {document["_id"]: document.get("counted") for document in found}
