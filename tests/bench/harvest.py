"""Harvest: a whole registry, page by page, over OAI-PMH and by cursor, against bare reads.

All in one process, on one index and one store: OAI-PMH from the question to the XML of a page of
200 records in ``cr_unixsd`` and in ``oai_dc``, with tokens written and read; the cursor from its
question to the items' JSON; bare, the same engine asked for the next keys, a find of the DOIs, and
orjson. The gate is asked for each record by the first three. Figures are records a second, and the
time of a page at first, in the middle and at last. A walk is whole up to 20,000 works; beyond that
each round walks 50 pages from the first on, from the middle, and to the last. SCALE= multiplies the
100,000 works; KEEP= names a folder that keeps them.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, TypeAlias, cast

import orjson
import tantivy

from services.distribution.gate import TOPICS, Gate
from services.distribution.host import Host
from services.distribution.oai.datestamps import Span
from services.distribution.oai.formats import FORMATS
from services.distribution.oai.harvest import records
from services.distribution.oai.tokens import Walk, read_token, write_token
from services.distribution.oai.walk import OLDEST_FIRST, PAGE, Question, page_of
from services.distribution.projections import WORKS
from services.distribution.rest import plan
from services.distribution.rest.api.works import WorksApi
from services.distribution.rest.params import WorksQuery, parse_works
from services.distribution.rest.plan import order_of
from services.distribution.search import (
    After,
    FromStart,
    Offset,
    Order,
    SearchIndex,
    SearchPage,
    SearchRequest,
)
from services.distribution.search.keys import seconds_of
from services.distribution.store import Works
from shared import policy
from shared.events import Meta, PrefixAssigned, to_record
from shared.kafka.knowledge import Knowledge, Mark
from shared.mongo import Database
from shared.policy import Reader
from shared.runtime.clock import SYSTEM, rfc3339
from tests.bench import library
from tests.bench.rig import close, console, in_turn, kept_folder, rig, say_held, sized
from tests.events import AT
from tests.processes import ROOT

STRETCH: Final = 50  # pages
READER: Final = Reader(plus=True)
KEY: Final = b"k" * 32
ORDER: Final = "by-deposited"
BY_CURSOR: Final = cast("WorksQuery", parse_works([("cursor", "*")]))

Start: TypeAlias = After | FromStart
Pages: TypeAlias = AsyncGenerator[int, None]


async def main(*, rounds: int = 5) -> None:
    """Print the ratio of OAI-PMH in UNIXSD, and before it those of the others."""
    works = sized(100_000)
    async with rig(kept_folder()) as here, library.stored(here, works) as database:
        index = await asyncio.to_thread(library.filled, here.folder / library.INDEX, works)
        host = hosted(database, index)
        pages = max(min(STRETCH, works // PAGE // 3), 1)
        skipped = [0, (works - pages * PAGE) // 2, works - pages * PAGE]
        console.print(f"{works:,} works, {rounds} rounds of 3 times {pages} pages of {PAGE}")
        for name, order, pages_from in (
            ("cursor", order_of(BY_CURSOR), partial(by_cursor, host)),
            ("oai_dc", OLDEST_FIRST, partial(over_oai, host, "oai_dc")),
            ("harvest", OLDEST_FIRST, partial(over_oai, host, "cr_unixsd")),
        ):
            theirs = [place(host, order, one) for one in skipped]
            plain = [place(host, OLDEST_FIRST, one) for one in skipped]
            figures = await in_turn(
                rounds,
                partial(walked, name, pages_from, theirs, pages),
                partial(walked, "bare", partial(bare, host), plain, pages),
            )
            if name == "harvest":
                say_held(here.folder)
            close(name, *figures, "records/s")
        index.close()


def place(host: Host, order: Order, skipped: int) -> Start:
    """Return where a list in this order goes on after so many works."""
    if skipped <= 0:
        return FromStart()
    last = host.index.search(SearchRequest(order=order, start=Offset(skipped - 1), rows=1)).hits[0]
    assert last.key is not None
    return After(last.key, last.doi)


async def walked(
    name: str, pages_from: Callable[[Start], Pages], starts: Sequence[Start], pages: int, _: int
) -> float:
    """Walk so many pages from each start; say what a page took there; return records a second."""
    found, medians, began = 0, [], time.perf_counter()
    for start in starts:
        seconds: list[float] = []
        last = time.perf_counter()
        async with contextlib.aclosing(pages_from(start)) as given:
            async for count in given:
                now = time.perf_counter()
                found += count
                seconds.append(now - last)
                last = now
                if len(seconds) == pages:
                    break
        assert len(seconds) == pages, f"a list of {len(seconds)} pages"
        medians.append(f"{statistics.median(seconds) * 1e3:.1f}")
    took = time.perf_counter() - began
    console.print(f"  {name}: a page in {', '.join(medians)} ms at first, in the middle, at last")
    return found / took


async def over_oai(host: Host, prefix: str, start: Start) -> Pages:
    """Yield the records of each page."""
    question = Question((), Span())
    walk = Walk("ListRecords", {"metadataPrefix": prefix}, 0, start)
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


async def by_cursor(host: Host, start: Start) -> Pages:
    """Yield the items of each page of ``/works?cursor=``."""
    api, page = WorksApi(host), cast("SearchPage", SimpleNamespace(position=start))
    while True:
        cursor = plan.next_cursor(BY_CURSOR, page, scope=None, cursor_key=KEY) or ""
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


async def bare(host: Host, start: Start) -> Pages:
    """Yield the documents of each page of bare reads."""
    searcher, schema = host.index._index.searcher(), host.index._schema
    collection = host.database[WORKS]
    after = start.key if isinstance(start, After) else 0
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


def hosted(database: Database, index: SearchIndex) -> Host:
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
        works=Works(database),
        index=index,
        key=KEY,
        database=database,
        settings=cast("Any", None),
        health=cast("Any", None),
        harvesting=cast("Any", None),
    )
