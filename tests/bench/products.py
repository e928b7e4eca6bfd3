"""Products: publishing works again after a flip, against a bare loop that reads and produces.

Figures are works a second, over 4,000 works of one prefix (``SCALE=`` multiplies them). Bare reads
the same works from the same store, 100 keys a call, and sends two records of each as JSON, 200
works at a time, without a ledger, a fence, a gate or rendering. Then live works come as fast as the
projector takes them, once with nothing else going on and once while works are published again: the
line before the last says what of its rate the projector keeps.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.distribution.projections import WORKS
from shared.events import Meta, OrganisationRegistered, to_record
from shared.mongo import Database, connect
from shared.mongo.shelves import EVERY_SHELF
from tests.bench import rig as bench_rig
from tests.bench.rig import Rig, close, console, in_turn, rig, sized
from tests.events import AT, Voice, speaking
from tests.processes import Place, service, until
from tests.products import PLUS, assigned

PREFIX, LIVE = "10.5001", "10.5002"
META = Meta("bench", "/services/deposits", "2026-01-01T00:00:00Z")
PAGE = 200


def work(number: int, prefix: str) -> Any:
    """Return a work whose references have no DOI: counting citations is not what is measured."""
    event = bench_rig.work(number, prefix=prefix)
    for reference in event.work["reference"]:
        reference.pop("DOI", None)
    return event


@dataclass(slots=True)
class Bench:
    """One running system and what it was told so far."""

    here: Rig
    database: Database
    accounts: Voice
    deposits: Voice
    works: int
    counter: "Counter"
    version: int = 1
    live: int = 0
    rates: list[float] = field(default_factory=list)

    async def flip(self) -> float:
        """Flip the prefix and return the seconds until each of its works was published again."""
        self.version += 1
        target = self.counter.of[PREFIX] + self.works
        began = time.perf_counter()
        setting = ("closed", "open")[self.version % 2]
        await self.accounts.say(assigned(PREFIX, setting, version=self.version))
        await self.counter.reaches(PREFIX, target)
        return time.perf_counter() - began

    async def ours(self) -> float:
        """Return works a second published again."""
        return self.works / await self.flip()

    async def bare(self) -> float:
        """Return works a second of the loop anybody would write first."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.here.bootstrap,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=1024 * 1024,
        )
        await producer.start()
        began = time.perf_counter()
        for start in range(0, self.works, PAGE):
            sent = []
            for some in (start, start + PAGE // 2):
                dois = [f"{PREFIX}/{n}" for n in range(some, min(some + PAGE // 2, self.works))]
                async for one in self.database[WORKS].find({"_id": {"$in": dois}}):
                    text = orjson.dumps(one["work"])
                    key = one["_id"].encode()
                    sent += [
                        await producer.send(self.here.prefix + topic, text, key=key)
                        for topic in ("bare.open", "bare.plus")
                    ]
            await asyncio.gather(*sent)
        seconds = time.perf_counter() - began
        await producer.stop()
        return self.works / seconds

    async def projecting(self, count: int) -> float:
        """Say ``count`` new works at once; return how many a second the projector takes."""
        first, self.live = self.live, self.live + count
        await self.deposits.send([to_record(work(n, LIVE), META) for n in range(first, self.live)])
        began = time.perf_counter()
        last = [f"{LIVE}/{n}" for n in range(first, self.live)][-50:]

        async def stored() -> bool:
            return await self.database[WORKS].count_documents({"_id": {"$in": last}}) == len(last)

        await until(stored, within=600, what="live works projected")
        return count / (time.perf_counter() - began)


class Counter:
    """Counts the records of the plus topic by prefix, as they come."""

    def __init__(self) -> None:
        self.of = {PREFIX: 0, LIVE: 0}
        self.moved = asyncio.Event()

    async def run(self, here: Rig) -> None:
        """Count until cancelled."""
        consumer = AIOKafkaConsumer(
            here.prefix + PLUS,
            bootstrap_servers=here.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            while True:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        name = record.key.partition(b"/")[0].decode()
                        if name in self.of:
                            self.of[name] += 1
                self.moved.set()
        finally:
            await consumer.stop()

    async def reaches(self, prefix: str, count: int) -> None:
        """Wait until so many records of a prefix were seen."""
        while self.of[prefix] < count:
            self.moved.clear()
            await self.moved.wait()


@asynccontextmanager
async def bench(works: int) -> AsyncIterator[Bench]:
    """Run projector and products, with ``works`` published under an open preference."""
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        await bare_topics(here)
        counter = Counter()
        async with (
            connect(here.mongodb_url, place.name.replace(".", "_") + "distribution") as database,
            speaking(place, "accounts", "deposits") as (accounts, deposits),
            service("distribution", place, "projector"),
            service("distribution", place, "products"),
        ):
            counting = asyncio.create_task(counter.run(here))
            await accounts.say(
                OrganisationRegistered(organisation=78, name="P", registered_at=AT, version=1),
                assigned(PREFIX, "open"),
                assigned(LIVE, "open"),
            )
            for start in range(0, works, 500):
                some = range(start, min(start + 500, works))
                await deposits.send([to_record(work(n, PREFIX), META) for n in some])
            await counter.reaches(PREFIX, works)
            here_now = Bench(here, database, accounts, deposits, works, counter)
            await until(lambda: stored(database, works), within=600, what="works stored")
            yield here_now
            counting.cancel()


async def stored(database: Database, works: int) -> bool:
    """Whether all works are in the read model and counted."""
    ids = [f"{PREFIX}/{n}" for n in range(max(works - 50, 0), works)]
    if await database[WORKS].count_documents({"_id": {"$in": ids}}) < len(ids):
        return False
    return await database[WORKS].find_one({"recount_shelf": {"$in": EVERY_SHELF}}) is None


async def bare_topics(here: Rig) -> None:
    """Make the topics of the bare loop."""
    admin = AIOKafkaAdminClient(bootstrap_servers=here.bootstrap)
    await admin.start()
    await admin.create_topics(
        [NewTopic(here.prefix + name, 12, 1) for name in ("bare.open", "bare.plus")]
    )
    await admin.close()


async def main(*, rounds: int = 4) -> None:
    """Print both ratios."""
    works = sized(4_000)
    async with bench(works) as here:
        console.print(f"{works:,} works of one prefix; {rounds} rounds")
        ours, bare = await in_turn(rounds, lambda _: here.ours(), lambda _: here.bare())
        await kept(here, works)
        close("products", ours, bare, "works/s")


async def kept(here: Bench, works: int, *, rounds: int = 3) -> None:
    """Print what of its rate the projector keeps while works are published again."""
    count = works // 4
    ratios = []
    for _ in range(rounds):
        alone = await here.projecting(count)
        flipping = asyncio.create_task(here.flip())
        beside = await here.projecting(count)
        took = await flipping
        console.print(
            f"projector: alone {alone:,.0f}, while publishing again {beside:,.0f} works/s;"
            f" {works / took:,.0f} works/s published again meanwhile"
        )
        ratios.append(beside / alone)
    console.print(f"projector keeps {statistics.median(ratios):.2f} of its rate")
