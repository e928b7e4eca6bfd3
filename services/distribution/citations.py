"""Citation counts: recounted from an index, never incremented (law L4).

A guarded write leaves in the work's document every DOI whose count it may change. This worker
counts those again and then forgets them. Several workers may count the same DOI at once: a count is
written only where nobody else wrote one since this worker looked, so one that wakes up late, or
dies in between, leaves no older count behind.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.distribution.projections import WORKS
from shared.mongo import Database
from shared.mongo.client import Collection, Document, UpdateOne, faults
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

PAGE: Final = 100  # works a round
IDLE_SECONDS: Final = 0.2
KEYS: Final = 200  # keys a look-up: the embedded store slows down beyond

log = get_log(__name__)


async def recount_forever(database: Database, health: Health, draining: asyncio.Event) -> None:
    """Recount whatever is due until told to drain."""
    health.promise("recount", within=60)
    while not draining.is_set():
        try:
            done = await recount(database)
        except Transient as fault:
            log.warning("recounting interrupted", reason=str(fault))
            done = 0
        health.beat("recount")
        if not done:
            await wait_any(draining, timeout=IDLE_SECONDS)
    health.retire("recount")


async def recount(database: Database) -> int:
    """Recount one page of what is due; return how many works it settled."""
    works = database[WORKS]
    with faults():
        due: list[Document] = (
            await works.find({"recount_due": True}, {"v": 1, "recount": 1, "cites": 1})
            .limit(PAGE)
            .to_list(PAGE)
        )
        if not due:
            return 0
        await _count(works, sorted({doi for document in due for doi in document["recount"]}))
        # A newer version has its own targets: its mark stays.
        await works.bulk_write(
            [
                UpdateOne(
                    {"_id": document["_id"], "v": document["v"]},
                    {
                        "$set": {"recount": [document["_id"], *document["cites"]]},
                        "$unset": {"recount_due": ""},
                    },
                )
                for document in due
            ],
            ordered=False,
        )
    return len(due)


async def _count(works: Collection, dois: Sequence[str]) -> None:
    """Bring the counts of those of ``dois`` that are registered up to date.

    Unchanged counts are written, too: that voids what a slower worker counted before us.
    """
    turn = new_id()
    held = await _turns(works, dois)
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
    found: dict[str, str | None] = {}
    for start in range(0, len(dois), KEYS):
        page = await works.find(
            {"_id": {"$in": dois[start : start + KEYS]}}, {"counted": 1}
        ).to_list(None)
        found |= {document["_id"]: document.get("counted") for document in page}
    return found
