"""A load of keep-alive GETs, light enough that it is not what is measured."""

import asyncio
import time
from collections.abc import Sequence


async def hammer(port: int, paths: Sequence[str], *, connections: int, seconds: float) -> float:
    """Ask for ``paths`` in turn on each connection; return answers a second. All must be 200."""
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    counts = await asyncio.gather(
        *(_one(port, paths, number, until) for number in range(connections))
    )
    return sum(counts) / (time.perf_counter() - began)


async def _one(port: int, paths: Sequence[str], number: int, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    count = 0
    while time.perf_counter() < until:
        path = paths[(number * 7919 + count) % len(paths)]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:100]
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count
