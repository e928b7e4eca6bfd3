"""From a sealed file to its records: in a thread, so that parsing does not hold up anybody.

Small files are read in one pass. Larger ones are checked whole first and then read again, slice by
slice, so that memory does not grow with the file and a file that is not readable to its end has no
record processed. All files of a process take turns, a slice each: a huge one holds up a small one
for the time of a slice.

Each file has a thread of its own, which makes, feeds and drops its parsers. The parsers of a
thread share a dictionary of names that nothing locks and that never shrinks: a parser fed, or
merely freed, by another thread meanwhile corrupts memory, and a thread that stayed would keep
every name it met.
"""

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Self, TypeVar

from services.deposits.crossref.faults import Unreadable
from services.deposits.crossref.reader import Checker, DepositReader, read_deposit
from services.deposits.crossref.schemas import Schemas
from services.deposits.crossref.submission import Deposit, Head, Record

ONE_PASS: Final = 131_072  # bytes; larger files are read twice
SLICE: Final = 65_536  # bytes; 2 to 20 ms of a thread

T = TypeVar("T")
# glibc keeps what a thread freed for the next one in the same arena; of these there are many.
_trim: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)
_turn: Final = asyncio.Semaphore(1)  # two slices at once would wait for the interpreter's lock


@dataclass(frozen=True, slots=True)
class End:
    """The file has ended after ``records`` records; ``fault`` where it is refused whole."""

    records: int
    fault: Unreadable | None = None


Item = Head | Record | End


@dataclass(frozen=True, slots=True)
class Piece:
    """What some bytes of a file say: ``size`` of them were read for these items."""

    items: list[Item]
    size: int


async def read(
    file: Callable[[], AsyncIterator[bytes]], *, size: int, schemas: Schemas
) -> AsyncIterator[Piece]:
    """Yield what a file says, in its order, ``End`` last. Raises what reading its chunks raises."""
    whole = _in_one if size <= ONE_PASS else _in_two
    fault: Unreadable | None = None
    try:
        async for piece in whole(file, schemas):
            yield piece
    except Unreadable as refused:
        # Its frames hold the last chunk and what will hold this fault: nothing would go until the
        # next collection.
        fault = refused.with_traceback(None)
    if fault is not None:
        yield Piece([End(1, fault)], 0)


async def _in_one(
    file: Callable[[], AsyncIterator[bytes]], schemas: Schemas
) -> AsyncIterator[Piece]:
    chunks = [chunk async for chunk in file()]
    with _Parser(partial(_Whole, schemas)) as parser:
        deposit = await parser.do(_Whole.read, chunks)
    items: list[Item] = [deposit.head, *deposit.records, End(len(deposit.records))]
    yield Piece(items, sum(map(len, chunks)))


async def _in_two(
    file: Callable[[], AsyncIterator[bytes]], schemas: Schemas
) -> AsyncIterator[Piece]:
    with _Parser(partial(Checker, schemas=schemas)) as checker:
        async for chunk in file():
            for part in _slices(chunk):
                await checker.do(Checker.feed, part)
        outline = await checker.do(Checker.close)
    # What the schema says was said by the first pass; once is enough.
    size = 0
    with _Parser(DepositReader) as reader:
        async for chunk in file():
            for part in _slices(chunk):
                size += len(part)
                found = await reader.do(DepositReader.feed, part)
                if found:
                    yield Piece([*found], size)
                    size = 0
        rest = await reader.do(DepositReader.close)
    yield Piece([*rest, End(outline.records)], size)


def _slices(chunk: bytes) -> Iterator[bytes]:
    return (chunk[at : at + SLICE] for at in range(0, len(chunk), SLICE))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A small file is read in one go."""

    schemas: Schemas

    def read(self, chunks: list[bytes]) -> Deposit:
        """Read it."""
        return read_deposit(chunks, schemas=self.schemas)


@dataclass(slots=True)
class _Parser:
    """A parser that lives in one thread, from its making to its end."""

    make: Callable[[], object]
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse")
    )
    _held: list[object] = field(default_factory=list)

    async def do(self, work: Callable[..., T], *args: object) -> T:
        """Return what a method of the parser returns; raises ``Unreadable``."""
        async with _turn:
            running = asyncio.get_running_loop().run_in_executor(
                self._thread, partial(self._told, work, *args)
            )
            done = await running
        if isinstance(done, Exception):
            raise done
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the parser, behind what may still be running with it, and let the thread end."""
        self._thread.submit(self._drop)
        self._thread.shutdown(wait=False)

    def _drop(self) -> None:
        large = any(not isinstance(one, _Whole) for one in self._held)
        self._held.clear()
        if large:
            gc.collect()  # a parser and its tree hold each other
            if _trim is not None:
                _trim(0)

    def _told(self, work: Callable[..., T], *args: object) -> T | Exception:
        """Do the work; a fault leaves the thread without its frames, which hold the parser."""
        try:
            if not self._held:
                self._held.append(self.make())
            return work(self._held[0], *args)
        except Exception as fault:  # noqa: BLE001  (raised where it is awaited)
            fault.__context__ = fault.__cause__ = None
            return fault.with_traceback(None)
