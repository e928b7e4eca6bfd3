"""Bulk: one file of 100 MB through the service, against plainly reading, inserting, producing it.

Ours is the real deposits process over HTTP: the file sealed as it comes, read twice, judged record
by record, each work written with its event and its diagnostic; timed from the request until the
submission is completed and every record stands in the topic. The bare loop iterates over the same
file with lxml, maps just these articles by hand to the same works (compared before the rounds),
inserts them in bulk and produces them; it checks nothing and keeps no promise. Figures are records
a second; ``SCALE=`` multiplies the 100 MB.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer
from lxml import etree

from services.deposits.crossref.reader import read_deposit
from shared.mongo import connect
from tests.bench.ingest import TOPIC, seen, watch
from tests.bench.rig import Rig, close, console, in_turn, rig, sized
from tests.bulk import MB, Bulk, cpu_seconds, memory, number_of, send
from tests.depositing import Client, members
from tests.processes import Place, Running, service, until

BATCH = 1_000
_N = f"{{{'http://www.crossref.org/schema/5.3.1'}}}"
_FIELDS = {
    "journal_title": "journal-title",
    "author": "author",
    "volume": "volume",
    "first_page": "first-page",
    "cYear": "year",
}


async def main(*, rounds: int = 2) -> None:
    """Print the ratio of both rates, and the peak of the service's memory."""
    size = sized(100 * MB)
    check()
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            members(place),
            service("deposits", place) as running,
            aiohttp.ClientSession() as session,
        ):
            site = Client(session, running.url)
            example = Bulk.of_size("o0", size)
            console.print(f"{size / MB:.0f} MB, {example.articles:,} records, {rounds} rounds")
            await ours(here, running, site, written(place, "warm", min(2 * MB, size)))
            mine, plain = await in_turn(
                rounds,
                lambda n: ours(here, running, site, written(place, f"o{n}", size)),
                lambda n: bare(here, written(place, f"b{n}", size)),
            )
            peak = memory(running)["VmHWM"]
            console.print(f"peak memory of the service: {peak:.0f} MB")
            close("bulk", mine, plain, "records/s")


def written(place: Place, name: str, size: int) -> tuple[Bulk, Path]:
    """Write a file of new DOIs."""
    bulk = Bulk.of_size(name, size)
    path = place.folder / "bulk.xml"
    bulk.write(path)
    return bulk, path


async def ours(here: Rig, running: Running, site: Client, file: tuple[Bulk, Path]) -> float:
    """Deposit a file and wait until it is completed and published."""
    bulk, path = file
    watching = await watch(here)
    began, used = time.perf_counter(), cpu_seconds(running)
    async with asyncio.TaskGroup() as group:
        group.create_task(seen(watching, bulk.articles))
        status, page = await send(site.session, running.url, lambda: pieces(path))
        assert status == 200, page
        accepted = time.perf_counter() - began
        number = number_of(page)

        async def done() -> Any:
            _, said = await site.get(f"/submissions/{number}?rows=1")
            return said if said["status"] == "completed" else None

        said = await until(done, within=3_600, what="completed")
        completed = time.perf_counter() - began
    took = time.perf_counter() - began
    await watching.stop()
    assert said["success_count"] == bulk.articles
    console.print(
        f"accepted after {accepted:.1f} s, completed {completed:.1f} s, published {took:.1f} s;"
        f" CPU of the service {cpu_seconds(running) - used:.1f} s"
    )
    return bulk.articles / took


async def bare(here: Rig, file: tuple[Bulk, Path]) -> float:
    """Iterate, insert, produce."""
    bulk, path = file
    producer = AIOKafkaProducer(
        bootstrap_servers=here.bootstrap, acks="all", enable_idempotence=True
    )
    await producer.start()
    # A connection of this round's own: one that was idle for minutes may be closed by now.
    async with connect(here.mongodb_url, here.prefix.replace(".", "_")) as database:
        began = time.perf_counter()
        works = plain(path)
        while batch := await asyncio.to_thread(lambda: list(islice(works, BATCH))):
            documents = [{"_id": work["DOI"], "work": work} for work in batch]
            await database["bare"].insert_many(documents, ordered=False)
            sent = [
                await producer.send(
                    here.prefix + TOPIC, orjson.dumps(work), key=work["DOI"].encode()
                )
                for work in batch
            ]
            await asyncio.gather(*sent)
        took = time.perf_counter() - began
    await producer.stop()
    return bulk.articles / took


def pieces(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(2**18):
            yield piece


def plain(path: Path) -> Iterator[dict[str, Any]]:
    """Map these articles, and no others, to works."""
    around: dict[str, Any] = {}
    for _, element in etree.iterparse(
        path, tag=(f"{_N}journal_metadata", f"{_N}journal_article"), resolve_entities=False
    ):
        if element.tag == f"{_N}journal_metadata":
            title, issn = element.findtext(f"{_N}full_title"), element.findtext(f"{_N}issn")
            around = {
                "container-title": [title],
                "ISSN": [issn],
                "issn-type": [{"type": "electronic", "value": issn}],
            }
            continue
        yield _work(element, around)
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _work(article: Any, around: dict[str, Any]) -> dict[str, Any]:
    doi = article.findtext(f"{_N}doi_data/{_N}doi")
    day = article.find(f"{_N}publication_date")
    date = {"date-parts": [[int(day.findtext(_N + part)) for part in ("year", "month", "day")]]}
    listed = [_reference(one) for one in article.iterfind(f"{_N}citation_list/{_N}citation")]
    return around | {
        "type": "journal-article",
        "DOI": doi,
        "URL": f"https://doi.org/{doi}",
        "resource": {"primary": {"URL": article.findtext(f"{_N}doi_data/{_N}resource")}},
        "title": [article.findtext(f"{_N}titles/{_N}title")],
        "page": article.findtext(f"{_N}pages/{_N}first_page"),
        "published-online": date,
        "published": date,
        "issued": date,
        "author": [
            {
                "given": one.findtext(_N + "given_name"),
                "family": one.findtext(_N + "surname"),
                "sequence": one.get("sequence"),
                "affiliation": [],
                "role": [{"role": one.get("contributor_role"), "vocabulary": "crossref"}],
            }
            for one in article.iterfind(f"{_N}contributors/{_N}person_name")
        ],
        "reference": listed,
        "reference-count": len(listed),
        "references-count": len(listed),
        "content-domain": {"domain": [], "crossmark-restriction": False},
    }


def _reference(citation: Any) -> dict[str, Any]:
    said = {"key": citation.get("key")}
    for child in citation:
        name = child.tag.removeprefix(_N)
        if name == "doi":
            said |= {"DOI": child.text, "doi-asserted-by": "publisher"}
        else:
            said[_FIELDS[name]] = child.text
    return said


def check() -> None:
    """Make sure that both map a small file to the same works."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "check.xml"
        Bulk("check", 3).write(path)
        read = read_deposit([path.read_bytes()]).records
        for record, work in zip(read, plain(path), strict=True):
            assert record.work == work, (record.work, work)
