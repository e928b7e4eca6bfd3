"""Read many files at once, with ever new names in them: ``python -m tests.laws.many_parsers``.

Read from several threads by turns, as any pool would have it, libxml2 aborted within seconds here.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from services.deposits.crossref.schemas import NO_SCHEMAS
from services.deposits.processing.reading import read
from tests.hostile import many, namespaces

FILES = (
    many(b"<a/>", 150_000),
    many(b"<?a b?>", 150_000),
    namespaces(60_000),
    *(many(b"".join(b"<n%dx%d/>" % (k, n) for n in range(20_000)), 2) for k in range(5)),
)


async def main() -> None:
    """Read all of them."""
    async with asyncio.TaskGroup() as group:
        for content in FILES:
            group.create_task(whole(content))


async def whole(content: bytes) -> None:
    """Read one."""
    async for _ in read(partial(chunks, content), size=len(content), schemas=NO_SCHEMAS):
        pass


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    """Give a file out as the store does."""
    for at in range(0, len(content), 1_000_000):
        yield content[at : at + 1_000_000]


if __name__ == "__main__":
    asyncio.run(main())
