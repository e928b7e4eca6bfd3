"""Harvest: a whole registry, page by page, over OAI-PMH and by cursor, against bare reads.

All in one process, on one index and one store: OAI-PMH from the question to the XML of a page of
200 records in ``cr_unixsd`` and in ``oai_dc``, with tokens written and read; the cursor from its
question to the items' JSON; bare, the same engine asked for the next keys, a find of the DOIs, and
orjson. The gate is asked for each record by the first three. Figures are records a second, each
walk from the first page to the last, and the time of a page at first and at last. SCALE= multiplies
the 100,000 works.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import orjson
import tantivy

from services.distribution.gate import TOPICS, Gate
from services.distribution.host import Host
from services.distribution.oai.datestamps import Span
from services.distribution.oai.formats import FORMATS
from services.distribution.oai.harvest import records
from services.distribution.oai.tokens import Walk, read_token, write_token
from services.distribution.oai.walk import PAGE, Question, page_of
from services.distribution.rest import plan
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.params import WorksQuery, parse_works
from services.distribution.search import FromStart, SearchIndex, SearchRequest, open_index, project
from services.distribution.search.keys import seconds_of
from services.distribution.search.schema import LAYOUT
from services.distribution.store import Works
from shared import policy
from shared.events import Meta, PrefixAssigned, to_record
from shared.kafka.knowledge import Knowledge, Mark
from shared.policy import Reader
from shared.runtime.clock import SYSTEM, rfc3339
from tests.bench.rig import Rig, close, console, in_turn, rig, work
from tests.events import AT
from tests.processes import ROOT

BATCH: Final = 1_000
FIRST: Final = datetime(2026, 3, 1, tzinfo=UTC)
READER: Final = Reader(plus=True)
KEY: Final = b"k" * 32
ORDER: Final = "by-deposited"

Pages = Callable[[], AsyncIterator[int]]


async def main(*, rounds: int = 5) -> None:
    """Print the ratio of OAI-PMH in UNIXSD, and before it those of the others."""
    works = int(100_000 * float(os.environ.get("SCALE", "1")))
    async with rig() as here:
        with tempfile.TemporaryDirectory(prefix="colophon-bench-") as folder:
            index = open_index(Path(folder), schema_version=str(LAYOUT))
            await fill(here, index, works)
            host = hosted(here, index)
            console.print(f"{works:,} works of 20 references, {rounds} rounds, pages of {PAGE}")
            for name, pages in (
                ("cursor", lambda: by_cursor(host)),
                ("oai_dc", lambda: over_oai(host, "oai_dc")),
                ("harvest", lambda: over_oai(host, "cr_unixsd")),
            ):
                mine, plain = await in_turn(
                    rounds,
                    lambda _, name=name, pages=pages: walked(name, pages),  # type: ignore[misc]
                    lambda _: walked("bare", lambda: bare(here, index)),
                )
                close(name, mine, plain, "records/s")
            index.close()


async def walked(name: str, pages: Pages) -> float:
    """Walk a list to its end; say how its first and last pages compare; return records a second."""
    seconds: list[float] = []
    found, began = 0, time.perf_counter()
    last = began
    async for count in pages():
        found += count
        now = time.perf_counter()
        seconds.append(now - last)
        last = now
    tenth = max(len(seconds) // 10, 1)
    first, end = statistics.median(seconds[:tenth]), statistics.median(seconds[-tenth:])
    console.print(f"  {name}: page {first * 1e3:.1f} ms at first, {end * 1e3:.1f} ms at last")
    return found / (time.perf_counter() - began)


async def over_oai(host: Host, prefix: str) -> AsyncIterator[int]:
    """Yield the records of each page."""
    question = Question((), Span())
    walk = Walk("ListRecords", {"metadataPrefix": prefix}, 0, FromStart())
    while True:
        now = seconds_of(SYSTEM.now())
        page = await page_of(question, walk.position, index=host.index, works=host.works, now=now)
        written = await records(host, page.works, FORMATS[prefix], READER)
        assert len(b"".join(written)) > 0
        yield len(written)
        if page.resume is None:
            return
        onward = Walk(walk.verb, walk.arguments, walk.given + len(written), page.resume)
        walk = read_token(write_token(onward, key=KEY), verb=walk.verb, key=KEY)


async def by_cursor(host: Host) -> AsyncIterator[int]:
    """Yield the items of each page of ``/works?cursor=``."""
    api, cursor = WorksApi(host), "*"
    while True:
        query = parse_works([("cursor", cursor), ("rows", str(PAGE))])
        assert isinstance(query, WorksQuery)
        asked = plan.search_request(query, host.gate, scope=None, cursor_key=KEY, seed=0)
        assert isinstance(asked, SearchRequest)
        page = await asyncio.to_thread(host.index.search, asked)
        items = await api._items(query, page, READER)
        if not items:
            return
        assert orjson.dumps(items)
        yield len(items)
        cursor = plan.next_cursor(query, page, scope=None, cursor_key=KEY) or ""


async def bare(here: Rig, index: SearchIndex) -> AsyncIterator[int]:
    """Yield the documents of each page of bare reads."""
    searcher, schema = index._index.searcher(), index._schema
    collection = here.database["works"]
    after = 0
    while True:
        query = tantivy.Query.range_query(
            schema, ORDER, tantivy.FieldType.Unsigned, lower_bound=after + 1, upper_bound=None
        )
        hits: list[Any] = searcher.search(
            query, limit=PAGE, order_by_field=ORDER, order=tantivy.Order.Asc
        ).hits
        if not hits:
            return
        dois = [searcher.doc(address)["doi"][0] for _, address in hits]
        found = await collection.find({"_id": {"$in": dois}}).to_list(None)
        assert orjson.dumps(found)
        yield len(found)
        after = int(hits[-1][0])


async def fill(here: Rig, index: SearchIndex, works: int) -> None:
    """Put works into store and index, one a second of their datestamps."""
    for start in range(0, works, BATCH):
        states = [state(number) for number in range(start, min(start + BATCH, works))]
        documents = [
            {
                "_id": one["doi"],
                "v": 1,
                "prefix": one["prefix"],
                "title": None,
                "created": AT,
                "deposited": one["deposited"],
                "indexed": AT,
                "work": one["work"],
                "cited_by": 0,
                "cites": [],
            }
            for one in states
        ]
        await here.database["works"].insert_many(documents, ordered=False)
        docs = [project(one, indexed=rfc3339(AT)) for one in states]
        await asyncio.to_thread(index.write, docs, {("bench", 0): start})


def state(number: int) -> Mapping[str, Any]:
    """Return the state of a work as the log carries it."""
    return {**work(number).model_dump(), "deposited": FIRST + timedelta(seconds=number)}


def hosted(here: Rig, index: SearchIndex) -> Host:
    """Return a host over store and index, whose gate knows one open prefix and stays fresh."""
    rules = policy.load(ROOT / "deploy" / "policies" / "references.toml")
    at = SYSTEM.now()
    still = SimpleNamespace(now=lambda: at, monotonic=lambda: 0.0)
    knowledge = Knowledge(TOPICS, "", rules.stale_after, clock=cast("Any", still))
    gate = Gate(knowledge, rules)
    assigned = PrefixAssigned(
        prefix="10.5555", owner=78, owner_name="Press", setting="open", assigned_at=AT, version=1
    )
    record = to_record(assigned, Meta("1", "/services/accounts", rfc3339(AT)))
    knowledge.take(assigned.topic, 0, cast("Any", record))
    for place in knowledge._marks:
        knowledge._marks[place] = Mark(at, 0.0)
    knowledge._caught_up = True
    assert gate.fresh()
    return Host(
        gate=gate,
        directory=cast("Any", None),
        works=Works(here.database),
        index=index,
        key=KEY,
        database=here.database,
        settings=cast("Any", None),
        health=cast("Any", None),
        harvesting=cast("Any", None),
    )
