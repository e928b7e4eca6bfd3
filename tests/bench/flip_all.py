"""Flip-all: how soon every outlet obeys a preference, for a member of many works against few.

One system holds a prefix of 1,000 works and one of 100,000 (``SCALE=`` multiplies both). Flips of
both take turns, between open and closed. Every outlet is asked at once and again until it obeys:
a record, lists by prefix and by filter, UNIXSD by content negotiation, a harvested record of a
subscriber, and the validator of the month's snapshot, which was built before. Figures are
milliseconds from the PUT; the ratio is of the medians of the last outlet to obey, few against many:
one where a flip is one record wherever it is read.

Then works are registered as fast as the log takes them, in spells with and without flips, while the
same outlets are asked as hard in both; what flips leave of that is said before the last line.
"""

import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp

from shared.events import Meta, to_record
from shared.kafka.produce import Sender
from tests.bench.flip import call, load, loaded, obeys
from tests.bench.rig import Rig, console, rig, sized, work
from tests.events import speaking
from tests.processes import OPERATOR, ROOT, Place, Running, service, until

FEW, MANY = "10.5001", "10.5002"
LIVE: Final = "10.5003"
MONTH: Final = "2026-01"
SUBSCRIBER: Final = 79
SPELL_SECONDS: Final = 10.0
WARMING: Final = 2  # flips that are not counted
Figures = Mapping[str, list[float]]


async def main(*, flips: int = 40) -> None:
    """Print how soon each outlet obeys, what is left of live deposits, and the ratio."""
    many = sized(100_000)
    sizes = {FEW: max(many // 100, 1), MANY: many}
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            speaking(place, "deposits"),
            service("accounts", place) as accounts,
            service("distribution", place) as distribution,
            aiohttp.ClientSession(headers=OPERATOR) as session,
            aiohttp.ClientSession() as reading,
        ):
            outlets = Outlets(session, reading, accounts, distribution)
            await outlets.enter(sizes)
            await load(here, sizes)
            await until(
                lambda: loaded(session, distribution, sizes), within=3_600, what="works shown"
            )
            await build(place)
            await until(outlets.served, within=60, what="the snapshot served")
            console.print(f"{sizes[FEW]:,} and {sizes[MANY]:,} works; {flips} flips of each")
            took = {prefix: defaultdict[str, list[float]](list) for prefix in sizes}
            for number in range(flips + WARMING):
                for prefix in (FEW, MANY) if number % 2 else (MANY, FEW):
                    seconds = await outlets.flip(prefix, ("closed", "open")[number % 2])
                    if number >= WARMING:
                        for outlet, one in seconds.items():
                            took[prefix][outlet].append(one * 1000)
            kept = await kept_of_live(here, outlets, sizes)
    for prefix, figures in took.items():
        say(f"{sizes[prefix]:>9,} works", figures)
    console.print(f"works registered meanwhile: {kept:.2f} of what they are without flips")
    few, many = (statistics.median(took[prefix]["all"]) for prefix in (FEW, MANY))
    print(f"flip-all {few / many:.2f}")  # noqa: T201


class Outlets:
    """What is asked of each outlet, and as whom."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        reading: aiohttp.ClientSession,
        accounts: Running,
        distribution: Running,
    ) -> None:
        self.session, self.reading = session, reading
        self.accounts, self.url = accounts.url, distribution.url
        self.plus: dict[str, str] = {}

    async def enter(self, sizes: Mapping[str, int]) -> None:
        """Enter the member, its prefixes, open, and a subscriber."""
        await self._call("POST", "/organisations", {"id": 78, "name": "Press"})
        for prefix in (*sizes, LIVE):
            body = {"prefix": prefix, "name": "Press", "reference-visibility": "open"}
            await self._call("POST", "/organisations/78/prefixes", body)
        await self._call("POST", "/organisations", {"id": SUBSCRIBER, "name": "Indexer"})
        today = datetime.now(UTC).replace(microsecond=0)
        start, end = (f"{today + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (-1, 30))
        async with self.session.post(
            f"{self.accounts}/organisations/{SUBSCRIBER}/plus-agreements",
            json={"start": start, "end": end},
        ) as answer:
            assert answer.status in {200, 201}, await answer.text()
            token = (await answer.json())["token"]
        self.plus = {"Crossref-Plus-API-Token": f"Bearer {token}"}

    async def flip(self, prefix: str, setting: str) -> dict[str, float]:
        """Set a preference; return the seconds until each outlet obeyed, and ``all`` of them."""
        tags = await asyncio.gather(*map(self._tag, ("json", "xml")))
        began = time.perf_counter()
        path = f"/organisations/78/preferences/{prefix}"
        await self._call("PUT", path, {"reference-visibility": setting})
        return await self.obeying(prefix, setting, tags=tags, began=began)

    async def obeying(
        self, prefix: str, setting: str, *, tags: Sequence[str] = ("", ""), began: float = 0.0
    ) -> dict[str, float]:
        """Ask every outlet until it obeys; return when each did, and ``all`` of them."""
        record, listed = f"/works/{prefix}/0", f"/prefixes/{prefix}/works?rows=3"
        waits: dict[str, Awaitable[None]] = {
            "record": obeys(self.session, self.url + record, setting),
            "list": obeys(self.session, self.url + listed, setting),
            "filter": obeys(self.session, f"{self.url}/works?filter=doi:{prefix}/1", setting),
            "negotiated": self._until(
                record + "/transform/application/vnd.crossref.unixsd+xml",
                lambda body, _: (b"<citation " in body) is (setting == "open"),
            ),
            "harvested": self._until(
                f"/oai?verb=GetRecord&metadataPrefix=cr_unixsd&identifier=info:doi/{prefix}/0",
                lambda body, _: (b"<citation " in body) is (setting == "open"),
            ),
            **{
                f"snapshot {kind}": self._until(
                    _archive(kind), lambda _, headers, tag=tag: headers["ETag"] != tag, "HEAD"
                )
                for kind, tag in zip(("json", "xml"), tags, strict=True)
            },
        }

        async def timed(wait: Awaitable[None]) -> float:
            await wait
            return time.perf_counter() - began

        seconds = await asyncio.gather(*map(timed, waits.values()))
        return dict(zip(waits, seconds, strict=True)) | {"all": max(seconds)}

    async def served(self) -> bool:
        """Say whether the snapshot is served: what became of its works is to be known first."""
        async with self.reading.head(self.url + _archive("xml"), headers=self.plus) as answer:
            return answer.status == 200

    async def _tag(self, kind: str) -> str:
        async with self.reading.head(self.url + _archive(kind), headers=self.plus) as answer:
            assert answer.status == 200, answer.status
            return answer.headers["ETag"]

    async def _until(
        self, path: str, obeyed: Callable[[bytes, Mapping[str, str]], bool], method: str = "GET"
    ) -> None:
        while True:
            headers = {} if "/transform/" in path else self.plus
            async with self.reading.request(method, self.url + path, headers=headers) as answer:
                if answer.status == 200 and obeyed(await answer.read(), answer.headers):
                    return

    async def _call(self, method: str, path: str, body: Any) -> None:
        await call(self.session, method, self.accounts + path, body)


def _archive(kind: str) -> str:
    return f"/snapshots/monthly/{MONTH.replace('-', '/')}/all.{kind}.tar.gz"


async def build(place: Place) -> None:
    """Build the month's snapshot by its command."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.distribution.snapshots", "build", "--month", MONTH),
        cwd=ROOT,
        env=place.environment("distribution") | {"REPLICA": "builder"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    console.print(f"snapshot built in {time.perf_counter() - began:.0f} s")


async def kept_of_live(here: Rig, outlets: Outlets, sizes: Mapping[str, int]) -> float:
    """Return how many works a second are registered beside flips, against without them.

    The same outlets are asked as hard where nothing flips.
    """
    sender = Sender(here.bootstrap, "deposits", here.prefix)
    await sender.start()
    rates: dict[bool, list[float]] = {False: [], True: []}
    number = 0
    for spell in range(6):
        flipping = spell % 2 == 1
        end = time.perf_counter() + SPELL_SECONDS
        beside = asyncio.ensure_future((_flips if flipping else _looks)(outlets, end))
        began, first = time.perf_counter(), number
        while time.perf_counter() < end:
            number += 100
            await _register(sender, number - 100)
            await until(
                lambda last=number - 1: _shown(outlets, last), within=60, what="works shown"
            )
        rates[flipping].append((number - first) / (time.perf_counter() - began))
        await beside
    await sender.stop()
    return statistics.median(rates[True]) / statistics.median(rates[False])


async def _register(sender: Sender, start: int) -> None:
    meta = Meta("bench", "/services/deposits", "2026-01-01T00:00:00Z")
    works = [work(n, prefix=LIVE, references=5) for n in range(start, start + 100)]
    await sender.send([to_record(one, meta) for one in works])


async def _shown(outlets: Outlets, number: int) -> bool:
    async with outlets.session.get(f"{outlets.url}/works/{LIVE}/{number}") as answer:
        return answer.status == 200


async def _flips(outlets: Outlets, end: float) -> None:
    number = 0
    while time.perf_counter() < end:
        await outlets.flip(MANY, ("closed", "open")[number % 2])
        number += 1
    if number % 2:
        await outlets.flip(MANY, "open")


async def _looks(outlets: Outlets, end: float) -> None:
    while time.perf_counter() < end:
        await outlets.obeying(MANY, "open")


def say(what: str, figures: Figures) -> None:
    """Print how soon each outlet obeyed."""
    for outlet, found in figures.items():
        ranked = sorted(found)
        console.print(
            f"{what}, {outlet:<13} median {statistics.median(ranked):5.0f} ms,"
            f" p99 {ranked[int(len(ranked) * 0.99)]:5.0f} ms, worst {ranked[-1]:5.0f} ms"
        )
