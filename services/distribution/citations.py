"""Citation counts: recounted from an index, never incremented (law L4).

A guarded write leaves in the work's document every DOI whose count it may change. This worker
counts those again and then forgets them. Two workers may count the same DOI at once; each looks
again after it wrote, so the last one to write has seen the last state.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from services.distribution.projections import WORKS
from shared.mongo import Database
from shared.mongo.client import Document, UpdateOne, faults
from shared.runtime.faults import Transient
from shared.runtime.health import Health
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
        await _count(database, {doi for document in due for doi in document["recount"]})
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


async def _count(database: Database, dois: Iterable[str]) -> None:
    """Bring the counts of those of ``dois`` that are registered up to date."""
    works = database[WORKS]
    held = await _held(database, list(dois))
    while held:
        counted = {doi: await works.count_documents({"cites": doi}) for doi in held}
        changed = {doi: n for doi, n in counted.items() if held[doi] != n}
        if not changed:
            return
        await works.bulk_write(
            [UpdateOne({"_id": doi}, {"$set": {"cited_by": n}}) for doi, n in changed.items()],
            ordered=False,
        )
        held = changed  # looked at again: somebody may have been faster, or slower


async def _held(database: Database, dois: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(dois), KEYS):
        page = (
            await database[WORKS]
            .find({"_id": {"$in": dois[start : start + KEYS]}}, {"cited_by": 1})
            .to_list(None)
        )
        found |= {document["_id"]: document.get("cited_by", 0) for document in page}
    return found
