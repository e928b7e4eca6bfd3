"""Serving: the snapshots of this host's shelf, each watched, and the bytes of one on their way.

The gate is asked for each member when the answer begins, which decides length and tag, and again
before each piece that is sent: where a member's references may not be sent any more the connection
is cut, and who resumes is told by another tag to begin anew.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.distribution.gate import Gate
from services.distribution.indexer import CAUGHT_UP, TOPICS
from services.distribution.snapshots.choosing import Member, Served, Slice
from services.distribution.snapshots.forms import FORMS, Form
from services.distribution.snapshots.months import Month
from services.distribution.snapshots.shelf import Ready, Shelf
from services.distribution.snapshots.watching import Watched
from shared.events import Received, WorkState, from_record
from shared.kafka.follow import FOLLOW_FAULTS, Batch, Place, follow
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.log import get_log
from shared.runtime.metrics import SNAPSHOT_UNSOUND
from shared.runtime.service import wait_any

LOOK_SECONDS: Final = 1.0  # how often the shelf is looked at
RETRY_SECONDS: Final = 0.5
KEEP_SECONDS: Final = 10.0  # how often it is noted how far that is
READ_AT_ONCE: Final = 2_000  # records of the log
PIECE: Final = 262_144  # bytes between two questions to the gate

log = get_log(__name__)


@dataclass(slots=True)
class Serving:
    """What this host can serve; a snapshot counts when all is known of what became of it."""

    shelf: Shelf
    gate: Gate
    bootstrap: str
    prefix: str
    notes: Path
    _watched: dict[str, Watched] = field(default_factory=dict)
    _known: frozenset[str] = frozenset()  # those whose works were followed to the end
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Clock = SYSTEM
    _kept: float = float("-inf")

    def months(self) -> list[Ready]:
        """Return what is on the shelf, the latest month first."""
        found = [one.ready for one in self._watched.values()]
        return sorted(found, key=lambda one: one.month, reverse=True)

    def of(self, month: Month | None) -> Watched | None:
        """Return a month's snapshot, by default that of the latest; None where there is none."""
        ready = next((one for one in self.months() if month in {None, one.month}), None)
        return self._watched[ready.id] if ready else None

    def known(self, watched: Watched) -> bool:
        """Say whether all is known of what became of a snapshot's works."""
        return watched.ready.id in self._known

    async def run(self, draining: asyncio.Event) -> None:
        """Watch what is on the shelf until told to drain."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look(draining))
            group.create_task(self._follow(draining))

    async def _look(self, draining: asyncio.Event) -> None:
        """See which snapshots come and go."""
        while not self.gate.knowledge.caught_up and not draining.is_set():
            await wait_any(draining, timeout=LOOK_SECONDS / 4)
        while not draining.is_set():
            there = {one.id: one for one in await asyncio.to_thread(self.shelf.ready)}
            for gone in set(self._watched) - set(there):
                watched = self._watched.pop(gone)
                watched.end()
                watched.forget()
                self._changed.set()
            for fresh in set(there) - set(self._watched):
                watched = await asyncio.to_thread(Watched, there[fresh], self.gate, self.notes)
                watched.begin()
                self._watched[fresh] = watched
                self._changed.set()
            SNAPSHOT_UNSOUND.set(sum(one.unsound for one in self._watched.values()))
            await wait_any(draining, timeout=LOOK_SECONDS)
        for watched in self._watched.values():
            watched.end()

    async def _follow(self, draining: asyncio.Event) -> None:
        """Follow the works from where the oldest build began; begin anew for each fresh one."""
        while not draining.is_set():
            self._changed.clear()
            about = list(self._watched.values())
            if not about:
                await wait_any(self._changed, draining)
                continue
            batches = follow(
                self.bootstrap,
                TOPICS,
                draining,
                prefix=self.prefix,
                start=earliest([one.positions for one in about]),
                most=READ_AT_ONCE,
            )
            try:
                async with contextlib.aclosing(batches):
                    async for batch in batches:
                        await self._take(about, batch)
                        if self._changed.is_set():
                            break
                await self._keep(about)
            except FOLLOW_FAULTS as fault:
                log.warning("following works interrupted", reason=type(fault).__name__)
                await wait_any(draining, timeout=RETRY_SECONDS)

    async def _take(self, about: Sequence[Watched], batch: Batch) -> None:
        for watched, found in await asyncio.to_thread(_judged, about, batch):
            watched.note(found)
        for watched in about:
            watched.positions = batch.positions
        if batch.behind <= CAUGHT_UP:
            self._known = frozenset(one.ready.id for one in about)
            if self.clock.monotonic() - self._kept > KEEP_SECONDS:
                await self._keep(about)

    async def _keep(self, about: Sequence[Watched]) -> None:
        """Note how far works were followed, so that a start need not read all of it again."""
        self._kept = self.clock.monotonic()
        for watched in about:
            if watched.ready.id in self._watched:
                await asyncio.to_thread(watched.keep, watched.noted())


def earliest(positions: Sequence[Mapping[Place, int]]) -> dict[Place, int]:
    """Return of each place the lowest offset that any names."""
    return {
        place: min(one.get(place, 0) for one in positions)
        for place in {place for one in positions for place in one}
    }


def _judged(
    about: Sequence[Watched], batch: Batch
) -> list[tuple[Watched, list[tuple[int, str, bool]]]]:
    states: list[WorkState] = []
    for _, record in batch.records:
        match from_record(record.key, record.value, record.headers):
            case Received(WorkState() as state):
                states.append(state)
    return [(watched, watched.judge(states)) for watched in about] if states else []


class Opened:
    """The files of a snapshot's form, open while it is sent, removed meanwhile or not."""

    def __init__(self, watched: Watched, form: Form) -> None:
        with ExitStack() as stack:
            self._files = {
                variant: stack.enter_context(
                    (watched.ready.folder / form.stored(variant)).open("rb")
                )
                for variant in ("full", "bare")
            }
            self._stack = stack.pop_all()

    def read(self, where: Slice) -> bytes:
        """Read a slice whole. Blocks."""
        content = os.pread(self._files[where.variant].fileno(), where.length, where.at)
        if len(content) != where.length:
            raise OSError("a snapshot's file is shorter than its catalogue says")
        return content

    def close(self) -> None:
        """Close the files."""
        self._stack.close()


async def pieces(
    opened: Opened, served: Served, start: int, end: int
) -> AsyncIterator[tuple[Member, bool, bytes]]:
    """Yield the bytes ``start`` to before ``end``, each next piece read while one is sent.

    With each comes whose member it is of, and whether with references.
    """
    following: asyncio.Future[bytes] | None = None
    loop, before = asyncio.get_running_loop(), None
    try:
        for one in _cut(served, start, end):
            reading = loop.run_in_executor(None, opened.read, one)
            if before is not None and following is not None:
                content, following = await following, reading
                yield before.member, before.variant == "full", content
            following, before = reading, one
        if before is not None and following is not None:
            yield before.member, before.variant == "full", await following
    finally:
        if following is not None:
            await asyncio.wait([following])


def _cut(served: Served, start: int, end: int) -> Sequence[Slice]:
    """Cut what is to be sent into pieces of which none has two members."""
    return [
        Slice(one.member, one.variant, at, min(PIECE, one.at + one.length - at))
        for one in served.slices(start, end)
        for at in range(one.at, one.at + one.length, PIECE)
    ]


def form_of(name: str) -> Form | None:
    """Return the form whose archive has a name, None where none has."""
    return next((form for form in FORMS.values() if form.file == name), None)
