"""Flip: from the PUT of a preference until every route obeys, for many works against few.

One system holds a prefix of 100 works and one of 20,000 (``SCALE=`` multiplies them); flips of both
take turns. A flip has taken effect when the record, the lists by prefix and by filter, and the
prefix's setting at its member all say so. Figures are milliseconds; the ratio should be near one,
because a flip is one record wherever it is read.
"""

import asyncio
import statistics
import time
from typing import Any

import aiohttp

from shared.events import Meta, to_record
from shared.kafka.produce import Sender
from tests.bench.rig import Rig, console, rig, sized, work
from tests.events import speaking
from tests.processes import OPERATOR, Place, Running, service, until

FEW, MANY = "10.5001", "10.5002"
PAGE = 1_000


async def main(*, flips: int = 40) -> None:
    """Print the ratio of both medians."""
    many = sized(20_000)
    sizes = {FEW: max(many // 200, 1), MANY: many}
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            speaking(place, "deposits"),
            service("accounts", place) as accounts,
            service("distribution", place) as distribution,
            aiohttp.ClientSession(headers=OPERATOR) as session,
        ):
            await enter(session, accounts, sizes)
            await load(here, sizes)
            await until(
                lambda: loaded(session, distribution, sizes), within=600, what="works shown"
            )
            console.print(f"{sizes[FEW]:,} and {sizes[MANY]:,} works; {flips} flips of each")
            took: dict[str, list[float]] = {FEW: [], MANY: []}
            for number in range(flips + 2):
                for prefix in (FEW, MANY) if number % 2 else (MANY, FEW):
                    setting = ("closed", "open")[number % 2]
                    seconds = await flip(session, accounts, distribution, prefix, setting)
                    if number >= 2:  # the first two warm caches
                        took[prefix].append(seconds * 1000)
    for prefix, figures in took.items():
        ranked = sorted(figures)
        console.print(
            f"{sizes[prefix]:>7,} works: median {statistics.median(ranked):.0f} ms,"
            f" p99 {ranked[int(len(ranked) * 0.99)]:.0f} ms, worst {ranked[-1]:.0f} ms"
        )
    print(f"flip {statistics.median(took[MANY]) / statistics.median(took[FEW]):.2f}")  # noqa: T201


async def enter(session: aiohttp.ClientSession, accounts: Running, sizes: dict[str, int]) -> None:
    """Enter the member and both prefixes, open."""
    await call(session, "POST", accounts.url + "/organisations", {"id": 78, "name": "Press"})
    for prefix in sizes:
        await call(
            session,
            "POST",
            accounts.url + "/organisations/78/prefixes",
            {"prefix": prefix, "name": "Press", "reference-visibility": "open"},
        )


async def load(here: Rig, sizes: dict[str, int]) -> None:
    """Publish the works."""
    sender = Sender(here.bootstrap, "deposits", here.prefix)
    await sender.start()
    meta = Meta("bench", "/services/deposits", "2026-01-01T00:00:00Z")
    for prefix, size in sizes.items():
        for start in range(0, size, PAGE):
            numbers = range(start, min(start + PAGE, size))
            await sender.send(
                [to_record(work(n, prefix=prefix, references=5), meta) for n in numbers]
            )
    await sender.stop()


async def loaded(
    session: aiohttp.ClientSession, distribution: Running, sizes: dict[str, int]
) -> bool:
    """Whether everything is indexed and stored."""
    url = distribution.url
    async with session.get(url + "/works?rows=0") as answer:
        if (await answer.json())["message"]["total-results"] != sum(sizes.values()):
            return False
    for prefix, size in sizes.items():
        async with session.get(f"{url}/works/{prefix}/{size - 1}") as answer:
            if answer.status != 200:
                return False
    async with session.get(url + "/readyz") as answer:
        return answer.status == 200


async def flip(
    session: aiohttp.ClientSession,
    accounts: Running,
    distribution: Running,
    prefix: str,
    setting: str,
) -> float:
    """Set a preference; return the seconds from the request until every route obeys."""
    began = time.perf_counter()
    await call(
        session,
        "PUT",
        f"{accounts.url}/organisations/78/preferences/{prefix}",
        {"reference-visibility": setting},
    )
    await asyncio.gather(
        *(
            obeys(session, distribution.url + path, setting)
            for path in (
                f"/works/{prefix}/0",
                f"/prefixes/{prefix}/works?rows=3",
                f"/works?filter=doi:{prefix}/1",
            )
        )
    )
    return time.perf_counter() - began


async def obeys(session: aiohttp.ClientSession, url: str, setting: str) -> None:
    """Ask until the answer is as the setting says; the operator reads as the public."""
    while True:
        async with session.get(url) as answer:
            if (b'"reference":[' in await answer.read()) is (setting == "open"):
                return


async def call(session: aiohttp.ClientSession, method: str, url: str, body: Any) -> None:
    """Ask accounts to do something; it must do it at once."""
    async with session.request(method, url, json=body) as answer:
        assert answer.status in {200, 201}, (answer.status, await answer.text())
