"""Preview: what a change of the schedule would do, over the fact table, against a bare read of it.

Ours is the preview as operators ask for it: every row read, folded by both versions, sums kept,
holds asked about where something moves, the result stored. The change touches every kind of record.
The bare loop reads the same fields of the same rows and looks at nothing. Lives are those of the
ten years that the laws live through. Figures are records a second; ``SCALE=`` multiplies 50,000.
"""

import time
from datetime import timedelta
from random import Random
from typing import Any, Final

from services.retention.commands.held import Held
from services.retention.commands.holds import Holds
from services.retention.commands.keys import Keys
from services.retention.commands.schedules import Changing, Versions
from services.retention.model.records import KeptRecord, kept_facts, next_due
from services.retention.store import open_keys, prepare
from services.retention.store.holding import open_holds, open_schedules, table
from services.retention.store.records import RECORDS, open_records
from services.retention.wiring import Rooms
from shared.events.decisions import Refused
from shared.events.orders import KeptUnits
from shared.mongo import Database, connect
from shared.runtime.ids import new_pseudonym
from tests.bench.rig import close, console, in_turn, rig, sized
from tests.keeping import SCHEDULE, TEXT
from tests.laws.clock_world import a_record

RECORD_COUNT: Final = sized(50_000)
BATCH: Final = 2_000
SHORTER: Final = (("P7Y", "P6Y"), ("P2M", "P1M"), ("P40D", "P39D"), ("P30D", "P29D"))


async def main(*, rounds: int = 5) -> None:
    """Print the ratio of both rates."""
    async with rig() as here, connect(here.mongodb_url, here.database.name + "keys") as keys:
        await prepare(here.database, keys)
        await fill(here.database)
        changing = await changes(here.database, keys)

        async def ours(number: int) -> float:
            began = time.perf_counter()
            done = await changing.preview("shorter")
            took = time.perf_counter() - began
            assert not isinstance(done, Refused)
            assert done.preview is not None
            assert done.preview.records == RECORD_COUNT
            if number == 0:
                touched = sum(one.records for one in done.preview.changes)
                console.print(f"{touched:,} clocks move, {done.preview.at_once:,} records at once")
            return RECORD_COUNT / took

        async def bare(_number: int) -> float:
            began, read = time.perf_counter(), 0
            async for rows in table(here.database):
                read += len(rows)
            assert read == RECORD_COUNT
            return RECORD_COUNT / (time.perf_counter() - began)

        console.print(f"{RECORD_COUNT:,} records, {rounds} rounds")
        close("preview", *await in_turn(rounds, ours, bare), "records/s")


async def fill(database: Database) -> None:
    """Write the fact table."""
    random = Random(7)
    for first in range(0, RECORD_COUNT, BATCH):
        rows = []
        for number in range(first, min(first + BATCH, RECORD_COUNT)):
            life = a_record(number, random)
            record = KeptRecord(
                kind=life.kind,
                record=life.name,
                service="accounts",
                facts=kept_facts(fact for _, fact in life.heard),
                keys=(KeptUnits(keys_id=f"{new_pseudonym()}.account", units=(life.name,)),),
                version=1,
            )
            due = next_due(record, SCHEDULE)
            rows.append(
                {
                    "_id": record.name,
                    "version": 1,
                    "state": record.model_dump_json(),
                    "kind": record.kind,
                    "keys_ids": [one.keys_id for one in record.keys],
                    "waits": due is not None,
                    "next_due": due,
                }
            )
        await database[RECORDS].insert_many(rows, ordered=False)


async def changes(database: Database, keys: Database) -> Changing:
    """Compose what previews, and publish a version that is shorter everywhere."""
    versions = Versions(open_schedules(database), SCHEDULE, TEXT.encode())
    await versions.begin()
    records, store = open_records(database, versions.current), open_holds(database)
    documents = open_keys(keys)
    held = Held(store, database, records, Keys(documents, timedelta()), versions, Rooms())
    holds = Holds(store, records, documents, held, versions)
    changing = Changing(versions, database, holds, lambda _schedule: None)
    text = TEXT.replace(f'version = "{SCHEDULE.version}"', 'version = "shorter"')
    for old, new in SHORTER:
        text = text.replace(f'period = "{old}"', f'period = "{new}"')
    published: Any = await changing.publish(text, by="operator-1", starts=None)
    assert not isinstance(published, Refused), published
    return changing
