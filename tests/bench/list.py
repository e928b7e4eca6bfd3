"""List: a filtered page of 100 works, against a bare index query, a look-up of its keys and orjson.

Both are processes of their own on the same store and the same index, asked in turn by the same
client over keep-alive connections. Ours checks the question, passes each work by the gate and
shapes it for the wire. Works are open and carry their references. Figures are pages a second.
SCALE= multiplies the 100,000 works; KEEP= names a folder that keeps them.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from typing import Final

import aiohttp

from deploy.local.ports import free_ports
from tests.bench import library
from tests.bench.hammer import hammer
from tests.bench.read import answers, fill
from tests.bench.rig import close, console, in_turn, kept_folder, rig, say_held, sized
from tests.events import speaking
from tests.processes import ROOT, Place, service, until

CONNECTIONS: Final = 4
PATHS: Final = [
    f"/works?rows=100&filter=type:journal-article,from-pub-date:{year},until-pub-date:{year + 5}"
    for year in range(1996, 2016)
]


async def main(*, rounds: int = 7, seconds: float = 6.0) -> None:
    """Print the ratio of both rates."""
    works = sized(100_000)
    async with rig(kept_folder()) as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with library.stored(here, works) as database:
            name = database.name
        await asyncio.to_thread(lambda: library.filled(here.folder / library.INDEX, works).close())
        async with (
            speaking(place, "accounts", "deposits") as (accounts, deposits),
            bare(place, name) as bare_port,  # first: it copies files that the service writes
            service("distribution", place) as ours,
        ):
            await fill(accounts, deposits, 1)
            port = int(ours.url.rpartition(":")[2])
            await until(lambda: answers(port, PATHS[0]), within=60, what="lists shown")
            console.print(f"{works:,} works, {CONNECTIONS} connections, {rounds} rounds")

            async def ask(at: int) -> float:
                return await hammer(at, PATHS, connections=CONNECTIONS, seconds=seconds)

            await ask(port), await ask(bare_port)
            await alone("ours", port)
            await alone("bare", bare_port)
            mine, plain = await in_turn(rounds, lambda _: ask(port), lambda _: ask(bare_port))
            say_held(here.folder)
            close("list", mine, plain, "pages/s")


async def alone(name: str, port: int) -> None:
    """Print how long a page takes where nobody else asks."""
    seconds = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in PATHS * 4:
            began = time.perf_counter()
            async with session.get(path) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
            seconds.append(time.perf_counter() - began)
    cuts = statistics.quantiles(seconds, n=100)
    console.print(
        f"{name}, one at a time: p50 {cuts[49] * 1e3:.1f} ms, p95 {cuts[94] * 1e3:.1f} ms"
    )


@contextlib.asynccontextmanager
async def bare(place: Place, database: str) -> AsyncIterator[int]:
    """Run the bare lister on distribution's own database, with the index's files."""
    port = free_ports(["bare"])["bare"]
    copy = place.folder / "bare-index"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(place.folder / library.INDEX / "index", copy)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.bare_list",
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MONGODB_URL": place.mongodb_url,
            "DATABASE": database,
            "INDEX": str(copy),
            "HTTP_PORT": str(port),
        },
    )
    try:

        async def listens() -> bool:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        await until(listens, what="the bare lister listens")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
