"""Kill -9 again and again while members deposit and change their minds; `make soak` runs it.

What was acknowledged is written down as it happens; the verdict comes from that record and what
the registry shows in the end, as Jepsen does it. ``SOAK_SECONDS`` (300) and ``SEED`` choose.
"""

import asyncio
import os
import random
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
import pytest

from tests.faults.test_spine import Spine
from tests.processes import Place, Running, service, until

SECONDS: Final = float(os.environ.get("SOAK_SECONDS", "300"))
SEED: Final = int(os.environ.get("SEED", "1"))
WORKS: Final = 20
SERVICES: Final = ("accounts", "deposits", "distribution")


@pytest.mark.soak
@pytest.mark.law("L1")
@pytest.mark.law("L2")
@pytest.mark.law("L3")
@pytest.mark.timeout(SECONDS + 300)
async def test_nothing_acknowledged_is_lost_whatever_is_killed_when(  # noqa: C901  (one story)
    place: Place,
) -> None:
    chance = random.Random(SEED)
    acknowledged: dict[int, int] = {}
    async with (
        AsyncExitStack() as stack,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
    ):

        async def start(name: str, port: str | None = None) -> Running:
            more = {"HTTP_PORT": port} if port else {}
            return await stack.enter_async_context(service(name, place, ready=False, **more))

        running = {name: await start(name) for name in SERVICES}
        for one in running.values():
            await one.ready()
        spine = Spine(**running, session=session)
        await spine.member()
        await spine.deposited(0)
        done = asyncio.Event()
        kills = dict.fromkeys(SERVICES, 0)

        async def deposit() -> None:
            timestamp = 1
            while not done.is_set():
                timestamp += 1
                number = chance.randrange(WORKS)
                if await spine.deposit(number, timestamp=timestamp) == 200:
                    acknowledged[number] = timestamp

        async def kill() -> None:
            while not done.is_set():
                await _pause(done, chance.uniform(0.5, 6))
                name = chance.choice(SERVICES)
                struck = running[name]
                struck.kill()
                await struck.ended()
                kills[name] += 1
                running[name] = await start(name, struck.url.rpartition(":")[2])
                setattr(spine, name, running[name])

        async with asyncio.TaskGroup() as group:
            group.create_task(deposit())
            group.create_task(kill())
            await _pause(done, SECONDS)
            done.set()
        for one in running.values():
            await one.ready()
        print(f"seed {SEED}: {kills} kills, {sum(acknowledged.values())} sum of versions")  # noqa: T201

        async def all_shown() -> bool:
            return all([await _shows(spine, n, version) for n, version in acknowledged.items()])

        await until(all_shown, within=120, what=f"all of {acknowledged}")
        await spine.prefer("closed")
        for number in acknowledged:
            await spine.shows(number, references=False)


async def _shows(spine: Spine, number: int, version: int) -> bool:
    """Whether a work is at least as new as what was acknowledged."""
    work: Any = await spine.work(number)
    return work is not None and int(work["title"][0].removeprefix("Version ")) >= version


async def _pause(done: asyncio.Event, seconds: float) -> None:
    """Let time pass, less if the run is over."""
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return
