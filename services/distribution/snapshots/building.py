"""Building a snapshot: list all works, then write them, owner by owner, in two variants each.

What has been done stands in the catalogue, so an interrupted build goes on with the next member.
Memory holds the works of one member, however many there are in all.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.distribution.changes.cursor import TOPICS as FEED
from services.distribution.gate import OWNERSHIP, Gate, Subject
from services.distribution.indexer import TOPICS
from services.distribution.rest.render import registered
from services.distribution.snapshots.catalogue import Catalogue, Entered, Listed
from services.distribution.snapshots.choosing import Piece
from services.distribution.snapshots.forms import FORMS, Form, Told
from services.distribution.snapshots.months import Month
from services.distribution.snapshots.references import remembered
from services.distribution.snapshots.shelf import Shelf, synced
from services.distribution.snapshots.tarring import member, packed
from services.distribution.store import Works
from shared.events import OwnershipState, Received, WorkState, from_record
from shared.kafka.ends import ends
from shared.kafka.follow import FOLLOW_FAULTS, Batch, Place, follow
from shared.mongo.client import Document
from shared.policy import VISIBLE, Withheld
from shared.runtime.clock import Clock, rfc3339
from shared.runtime.crashpoints import crashpoint
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

WORKS: Final = 2_000  # works a member: some ten megabytes before they are compressed
READ_AT_ONCE: Final = 1_000  # records of the log
ROUNDS: Final = 20  # looks for works that the store does not have yet
PAUSE_SECONDS: Final = 0.5
# In a file the setting of the day it is read decides, so none is named.
BARE: Final = Withheld("outlet-restricted", None)
VARIANTS: Final = ("full", "bare")

log = get_log(__name__)

Tell = Callable[[str, int, int], Awaitable[None]]


class Interrupted(Exception):
    """The build was told to stop, or is another process's now; it goes on where it is."""


class Nothing(Exception):
    """No work was registered by the month's end: there is nothing to make a snapshot of."""


@dataclass(slots=True)
class Build:
    """One build of a month's snapshot, in its folder; ``works``: at most so many a member."""

    shelf: Shelf
    month: Month
    gate: Gate
    store: Works
    bootstrap: str
    prefix: str
    clock: Clock
    tell: Tell
    stop: asyncio.Event
    works: int = WORKS
    catalogue: Catalogue = field(init=False)
    folder: Path = field(init=False)
    _total: int = 0
    _done: int = 0

    async def run(self) -> str:
        """Build, or go on; returns the snapshot's id.

        Raises ``Interrupted``, ``Nothing``, ``Transient``.
        """
        self.folder = self.shelf.begun(self.month)
        self.catalogue = Catalogue(self.folder)
        try:
            await self._list()
            if not await asyncio.to_thread(self.catalogue.count):
                shutil.rmtree(self.folder)
                raise Nothing
            await self._write()
            await asyncio.to_thread(self._finish)
        finally:
            self.catalogue.close()
        return self.folder.name

    # -- listing

    async def _list(self) -> None:
        """Read the log to where it ends now and list every work that is in it."""
        if self.catalogue.fact("listed"):
            return
        wanted = self._ends()
        if not wanted:
            now = self.clock.now()
            feed = await ends(self.bootstrap, FEED, prefix=self.prefix)
            found = {place: at for place, at in feed.items() if place[0] in TOPICS}
            self.catalogue.note(
                as_of=rfc3339(min(now, self.month.ends)),
                complete=now >= self.month.ends,
                ends=_written(found),
                feed=_written(feed),
                read=[],
            )
            wanted = found
        await self._alive()
        while not await self._read(wanted):
            await self._alive()
        self.catalogue.note(listed=True)

    def _ends(self) -> dict[Place, int]:
        return _places(self.catalogue.fact("ends") or [])

    async def _read(self, wanted: Mapping[Place, int]) -> bool:
        """List what follows; False where the broker was away and it is to be tried again."""
        start = _places(self.catalogue.fact("read"))
        total = sum(wanted.values())
        as_of = datetime.fromisoformat(self.catalogue.fact("as_of"))
        batches = follow(
            self.bootstrap,
            TOPICS,
            self.stop,
            prefix=self.prefix,
            start=start,
            most=READ_AT_ONCE,
        )
        try:
            async with contextlib.aclosing(batches):
                async for batch in batches:
                    works = await asyncio.to_thread(self._listed, batch, as_of)
                    read = _written(batch.positions)
                    await asyncio.to_thread(self.catalogue.enlist, works, read=read)
                    done = sum(min(at, wanted[p]) for p, at in batch.positions.items())
                    await self.tell("listing", done, total)
                    if all(batch.positions.get(p, 0) >= at for p, at in wanted.items()):
                        return True
        except FOLLOW_FAULTS as fault:
            log.warning("listing interrupted", reason=type(fault).__name__)
            await wait_any(self.stop, timeout=PAUSE_SECONDS)
        return False

    def _listed(self, batch: Batch, as_of: datetime) -> list[Listed]:
        listed: list[Listed] = []
        for _, record in batch.records:
            match from_record(record.key, record.value, record.headers):
                case Received(WorkState() as state):
                    if state.created > as_of:
                        continue
                    owner = self.gate.owner_prefix(Subject(state.doi, state.title)) or ""
                    listed.append(Listed(state.doi, owner, state.title or "", state.version))
        return listed

    # -- writing

    async def _write(self) -> None:
        """Write what is due; what the store does not have yet is looked for again, not for ever."""
        self._cut()
        self._total = await asyncio.to_thread(self.catalogue.count)
        self._done = self._total - await asyncio.to_thread(self.catalogue.due)
        for number in range(ROUNDS):
            for owner in await asyncio.to_thread(self.catalogue.owners_due):
                await self._write_owner(owner)
            left = await asyncio.to_thread(self.catalogue.due)
            if not left:
                return
            log.info("works the store does not have yet", works=left, round=number)
            await wait_any(self.stop, timeout=PAUSE_SECONDS)
            await self._alive()

    def _cut(self) -> None:
        """Take away what an interrupted build wrote and did not tell of."""
        for form in FORMS.values():
            for variant in VARIANTS:
                path = self.folder / form.stored(variant)
                path.touch()
                os.truncate(path, self.catalogue.size(form.name, variant))
        synced(self.folder)

    async def _write_owner(self, owner: str) -> None:
        after = ("", "")
        while True:
            await self._alive()
            page = await asyncio.to_thread(self.catalogue.page_due, owner, after, self.works)
            if not page:
                return
            after = (page[-1].title, page[-1].doi)
            held = await self.store.many([one.doi for one in page])
            await self._member(owner, page, held)
            await self.tell("writing", self._done, self._total)

    async def _member(
        self, owner: str, page: Sequence[Listed], held: Mapping[str, Document]
    ) -> None:
        """Write a member of those works of a page that are there and still this owner's."""
        there = [held[o.doi] for o in page if o.doi in held and held[o.doi]["v"] >= o.version]
        owners = {one["_id"]: self.gate.owner_prefix(Subject.of(one)) or "" for one in there}
        moved = [(doi, now) for doi, now in owners.items() if now != owner]
        if moved:
            await asyncio.to_thread(self.catalogue.regive, moved)
        stay = [one for one in there if owners[one["_id"]] == owner]
        if stay:
            await asyncio.to_thread(self._enter, owner, stay)
            self._done += len(stay)

    def _enter(self, owner: str, documents: Sequence[Document]) -> None:
        number = self.catalogue.next_number()
        marks = {one["_id"]: remembered(one["work"]) for one in documents}
        told = [
            Told(
                registered(one),
                self.gate.ownership(Subject.of(one)),
                one.get("cited_by", 0),
                bool(marks[one["_id"]]) or "reference" in one["work"],
            )
            for one in documents
        ]
        pieces = {}
        for form in FORMS.values():
            for variant, content in self._variants(form, told, known=bool(owner)).items():
                wrapped = member(form.entry(number), content, at=self._time())
                pieces[form.name, variant] = self._append(form, variant, wrapped)
        crashpoint("snapshots.written")
        entered = [
            Entered(
                one["_id"],
                owner,
                "" if self._overridden(one["_id"]) else one.get("title") or "",
                one["v"],
                marks[one["_id"]],
                number,
            )
            for one in documents
        ]
        self.catalogue.enter(number, owner, entered, pieces)

    def _variants(self, form: Form, told: Sequence[Told], *, known: bool) -> dict[str, bytes]:
        """Return the file of a member with references and without; of nobody known: never with."""
        policy = self.gate.policy
        bare = [form.write(one, BARE, policy) for one in told]
        without = packed(form.file_of(bare))
        if not known or not any(one.refers for one in told):
            return {"full": without, "bare": without}
        full = (
            form.write(one, VISIBLE, policy) if one.refers else written
            for one, written in zip(told, bare, strict=True)
        )
        return {"full": packed(form.file_of(full)), "bare": without}

    def _time(self) -> int:
        return int(datetime.fromisoformat(self.catalogue.fact("as_of")).timestamp())

    def _overridden(self, doi: str) -> bool:
        return isinstance(self.gate.knowledge.get(OWNERSHIP, doi), OwnershipState)

    def _append(self, form: Form, variant: str, content: bytes) -> Piece:
        path = self.folder / form.stored(variant)
        with path.open("ab") as file:
            at = file.tell()
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return Piece(at, len(content), hashlib.sha256(content).hexdigest())

    # -- finishing

    def _finish(self) -> None:
        facts = {name: self.catalogue.fact(name) for name in ("as_of", "complete", "ends", "feed")}
        left = self.catalogue.due()
        synced(self.folder)
        self.shelf.finish(
            self.folder,
            {
                "month": str(self.month),
                "as-of": facts["as_of"],
                "complete": facts["complete"],
                "built": rfc3339(self.clock.now()),
                "works": self.catalogue.count() - left,
                "not-stored-yet": left,
                "read": facts["ends"],
                "feed": facts["feed"],
                "members": self.catalogue.next_number(),
                "bytes": {
                    form.stored(v): self.catalogue.size(form.name, v)
                    for form in FORMS.values()
                    for v in VARIANTS
                },
            },
        )
        log.info("snapshot built", id=self.folder.name, works=self.catalogue.count() - left)

    async def _alive(self) -> None:
        """Wait until owners are known. Raises ``Interrupted``."""
        while not self.stop.is_set() and not self.gate.fresh():
            await wait_any(self.stop, timeout=PAUSE_SECONDS)
        if self.stop.is_set():
            raise Interrupted


def _written(positions: Mapping[Place, int]) -> list[Any]:
    return [[topic, partition, at] for (topic, partition), at in sorted(positions.items())]


def _places(written: Sequence[Any]) -> dict[Place, int]:
    return {(topic, partition): at for topic, partition, at in written}
