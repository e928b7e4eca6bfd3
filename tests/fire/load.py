"""Hundreds of clients at once, some of them slow, and how long those waited that were not.

A depositor that is refused for want of room tries again soon, so that there is pressure as long as
it lasts.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tests.fire.clients import XML, Clients, hot
from tests.fire.history import OK, Entry
from tests.fire.world import CALLERS, SETTLED, basic

SLOW_BYTES: Final = 200_000  # that a slow depositor says it will send
PERCENTILES: Final = (50, 90, 99, 100)


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many come at once, and for how long; less where ``enough`` deposits were turned away."""

    depositors: int = 200
    readers: int = 200
    slow: int = 20
    seconds: float = 15.0
    enough: int = 1_000_000


async def storm(clients: Clients, crowd: Crowd, name: str = "storm") -> None:
    """Let a crowd deposit and read for a while."""
    over = time.monotonic() + crowd.seconds

    def goes_on() -> bool:
        return (
            time.monotonic() < over
            and not clients.done.is_set()
            and clients.turned_away < crowd.enough
        )

    async with asyncio.TaskGroup() as group:
        for number in range(crowd.depositors):
            group.create_task(_deposits(clients, f"{name}-{number}", goes_on))
        for number in range(crowd.readers):
            group.create_task(_reads(clients, f"{name}-r{number}", goes_on))
        for number in range(crowd.slow):
            group.create_task(_drips(clients, over) if number % 2 else _stalls(clients, goes_on))


async def _deposits(clients: Clients, name: str, goes_on: Callable[[], bool]) -> None:
    chance, number = clients.chance(name), 0
    prefix = chance.choice(SETTLED)
    login = 99 if prefix == "10.5003" else 78
    while goes_on():
        number += 1
        taken = await clients.deposit([f"{prefix}/c-{name}-{number}"], login=login)
        await asyncio.sleep(chance.uniform(0.0, 0.2) if taken else chance.uniform(0.5, 1.5))


async def _reads(clients: Clients, name: str, goes_on: Callable[[], bool]) -> None:
    chance, works = clients.chance(name), hot()
    while goes_on():
        replica = chance.choice(clients.fleet.serving("distribution", "api"))
        caller = chance.choice(CALLERS)
        path = f"/works/{chance.choice(works)}"
        if chance.random() < 0.1:
            path = f"/works?filter=prefix:{chance.choice(SETTLED)}&rows=20"
        await clients.read(name, caller, replica, path)
        await asyncio.sleep(chance.uniform(0.05, 0.4))


async def _drips(clients: Clients, over: float) -> None:
    """Deposit a byte now and then; the site lets go of whoever does."""
    url = clients.fleet.url(clients.fleet.serving("deposits", "api")[0])
    said = {**basic("owner78"), **XML, "Content-Length": str(SLOW_BYTES), "Host": "localhost"}
    head = "POST /submissions HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in said.items())
    began, status = time.monotonic(), 0
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        async with _connected(url) as (reader, writer):
            writer.write(head.encode() + b"\r\n<")
            answer = asyncio.ensure_future(reader.readline())
            while time.monotonic() < over and not answer.done():
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait([answer], timeout=0.3)
            if answer.done():
                status = int(answer.result().split()[1] or 0) if answer.result() else 0
            answer.cancel()
    clients.history.note("slow", begin=began, what="drip", status=status)


async def _stalls(clients: Clients, goes_on: Callable[[], bool]) -> None:
    """Ask for a list and take nothing of it."""
    replica = clients.fleet.serving("distribution", "api")[0]
    began = time.monotonic()
    with contextlib.suppress(OSError):
        async with _connected(clients.fleet.url(replica)) as (_, writer):
            while goes_on():
                writer.write(b"GET /works?rows=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await asyncio.sleep(1.0)
    clients.history.note("slow", begin=began, what="stall", status=0)


@contextlib.asynccontextmanager
async def _connected(
    url: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def percentiles(entries: Iterable[Entry], kind: str) -> str:
    """Return how long what was done took, in milliseconds."""
    took = sorted(
        (one.end - one.begin) * 1000
        for one in entries
        if one.kind == kind and one.end is not None and one.outcome == OK
    )
    if not took:
        return f"{kind}: none"
    said = (f"p{of} {_at(took, of):.0f}" for of in PERCENTILES)
    return f"{kind}: {len(took):,} in {', '.join(said)} ms"


def _at(ranked: Sequence[float], percent: int) -> float:
    return ranked[min(len(ranked) * percent // 100, len(ranked) - 1)]
