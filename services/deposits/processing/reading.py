"""From a sealed file to its records: in threads, so that parsing does not hold up anybody.

Small files are read in one pass. Larger ones are checked whole first and then read again, chunk by
chunk, so that memory does not grow with the file and a file that is not readable to its end has no
record processed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from services.deposits.crossref.faults import Unreadable
from services.deposits.crossref.reader import Checker, DepositReader, read_deposit
from services.deposits.crossref.schemas import Schemas
from services.deposits.crossref.submission import Head, Record

ONE_PASS: Final = 1_000_000  # bytes; larger files are read twice


@dataclass(frozen=True, slots=True)
class End:
    """The file has ended after ``records`` records; ``fault`` where it is refused whole."""

    records: int
    fault: Unreadable | None = None


Item = Head | Record | End


async def read(
    file: Callable[[], AsyncIterator[bytes]], *, size: int, schemas: Schemas
) -> AsyncIterator[list[Item]]:
    """Yield what a file says, in its order, ``End`` last. Raises what reading its chunks raises."""
    whole = _in_one if size <= ONE_PASS else _in_two
    try:
        async for items in whole(file, schemas):
            yield items
    except Unreadable as fault:
        yield [End(1, fault)]


async def _in_one(
    file: Callable[[], AsyncIterator[bytes]], schemas: Schemas
) -> AsyncIterator[list[Item]]:
    chunks = [chunk async for chunk in file()]
    deposit = await asyncio.to_thread(read_deposit, chunks, schemas=schemas)
    yield [deposit.head, *deposit.records, End(len(deposit.records))]


async def _in_two(
    file: Callable[[], AsyncIterator[bytes]], schemas: Schemas
) -> AsyncIterator[list[Item]]:
    checker = Checker(schemas=schemas)
    async for chunk in file():
        await asyncio.to_thread(checker.feed, chunk)
    outline = await asyncio.to_thread(checker.close)
    # What the schema says was said by the first pass; once is enough.
    reader = DepositReader()
    async for chunk in file():
        yield [*await asyncio.to_thread(reader.feed, chunk)]
    rest = await asyncio.to_thread(reader.close)
    yield [*rest, End(outline.records)]
