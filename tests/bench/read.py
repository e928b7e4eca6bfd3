"""Read: ``GET /works/{doi}`` of distribution, against a bare handler on the same collection.

Both are processes of their own on the same store, asked in turn by the same client over keep-alive
connections. Figures are answers a second; works are open and carry their 20 references.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

from deploy.local.ports import free_ports
from shared.events import OrganisationRegistered, PrefixAssigned
from tests.bench.hammer import hammer
from tests.bench.rig import close, console, in_turn, rig, work
from tests.events import AT, Voice, speaking
from tests.processes import ROOT, Place, service, until

CONNECTIONS = 16


async def main(*, works: int = 500, rounds: int = 7, seconds: float = 4.0) -> None:
    """Print the ratio of both rates."""
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            speaking(place, "accounts", "deposits") as (accounts, deposits),
            service("distribution", place) as ours,
            bare(place) as bare_port,
        ):
            await fill(accounts, deposits, works)
            port = int(ours.url.rpartition(":")[2])
            paths = [f"/works/10.5555/{number}" for number in range(works)]
            for path in paths:  # each partition is projected by itself
                await until(lambda path=path: answers(port, path), within=60, what="works shown")
            console.print(
                f"{works} works of 20 references, {CONNECTIONS} connections,"
                f" {rounds} rounds of {seconds:.0f} s"
            )
            for warm in (port, bare_port):
                await hammer(warm, paths, connections=CONNECTIONS, seconds=1)
            mine, plain = await in_turn(
                rounds,
                lambda _: hammer(port, paths, connections=CONNECTIONS, seconds=seconds),
                lambda _: hammer(bare_port, paths, connections=CONNECTIONS, seconds=seconds),
            )
            close("read", mine, plain, "answers/s")


async def fill(accounts: Voice, deposits: Voice, works: int) -> None:
    """Enter one member with an open prefix and its works."""
    await accounts.say(
        OrganisationRegistered(organisation=78, name="Press", registered_at=AT, version=1),
        PrefixAssigned(
            prefix="10.5555",
            owner=78,
            owner_name="Press",
            setting="open",
            assigned_at=AT,
            version=1,
        ),
    )
    await deposits.say(*(work(number) for number in range(works)))


async def answers(port: int, path: str) -> bool:
    """Whether a path answers 200."""
    with contextlib.suppress(AssertionError):
        return await hammer(port, [path], connections=1, seconds=0.01) > 0
    return False


@contextlib.asynccontextmanager
async def bare(place: Place) -> AsyncIterator[int]:
    """Run the bare reader on distribution's own database."""
    port = free_ports(["bare"])["bare"]
    environment = place.environment("distribution")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.bare_read",
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MONGODB_URL": place.mongodb_url,
            "DATABASE": environment["DATABASE_PREFIX"] + "distribution",
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

        await until(listens, what="the bare reader listens")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
