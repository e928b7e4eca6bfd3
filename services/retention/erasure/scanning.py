"""The scan of the log: nothing is left of these keys, said by a search that found its controls.

Before each scan a control is planted in every codec, under a key that nobody has; a scan that
misses one has shown nothing. Whoever asks while one runs shares the next with all who wait.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from shared.events.orders import KeptUnits
from shared.kafka.cluster import brokers
from shared.kafka.controls import plant
from shared.kafka.residue import Key, Places, Sought, look_into_files, look_into_topics
from shared.kafka.segments import CODECS
from shared.mongo import Collection, faults
from shared.privacy.certificates.statement import Scan
from shared.privacy.receipts import canonical
from shared.runtime.clock import SYSTEM, Clock, rfc3339
from shared.runtime.faults import Transient
from shared.runtime.ids import new_pseudonym, random_bytes
from shared.runtime.log import get_log

CLASS: Final = "control"

log = get_log(__name__)


class Residue(Transient):
    """Envelopes of these keys are still in the log; a broker may not have removed a file yet."""


class VoidScan(Transient):
    """A planted control was not found: the search has shown nothing."""


@dataclass(frozen=True, slots=True)
class Searched:
    """One search and what it was to find; ``how`` is "segments" or "topics"."""

    places: Places
    controls: Mapping[str, Key]
    how: str
    at: datetime

    @property
    def seen(self) -> tuple[str, ...]:
        """The codecs whose control was found; in files, within a batch of that very codec."""
        found = {(key, codec) for key, _, codec in self.places.found}
        return tuple(
            codec for codec, key in self.controls.items() if {(key, codec), (key, "")} & found
        )

    def left(self, records: Sequence[KeptUnits]) -> int:
        """Return how many envelopes of these keys were found."""
        sought = Sought.of(records)
        return sum(count for (key, *_), count in self.places.found.items() if sought.means(key))

    def report(self, records: Sequence[KeptUnits]) -> dict[str, Any]:
        """Return what a certificate's digest stands for; it names nobody."""
        places = self.places
        return {
            "at": rfc3339(self.at),
            "how": self.how,
            "keys": len(records),
            "left": self.left(records),
            "controls": {codec: codec in self.seen for codec in self.controls},
            "places": {
                topic: {"records": places.records[topic], "octets": places.octets[topic]}
                for topic in sorted(places.records)
            },
        }


@dataclass(slots=True)
class _Round:
    """Everybody who waits for the same search."""

    records: list[KeptUnits] = field(default_factory=list)
    done: Searched | None = None


@dataclass(slots=True)
class Scanning:
    """Searches the log: files where ``files`` names the folder of every broker, else topics."""

    bootstrap: str
    prefix: str
    files: Mapping[int, Path]
    reports: Collection
    clock: Clock = SYSTEM
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: _Round = field(default_factory=_Round)

    async def scanned(self, records: Sequence[KeptUnits]) -> Scan:
        """Search for what is left of these keys; its report is kept under its digest.

        Raises ``Residue`` where anything is left, ``VoidScan`` where a control was missed,
        ``Transient``.
        """
        mine = self._next
        mine.records += records
        async with self._turn:
            if mine.done is None:
                if mine is self._next:
                    self._next = _Round()
                mine.done = await self._searched(mine.records)
        return await self._said(mine.done, records)

    async def _searched(self, records: Sequence[KeptUnits]) -> Searched:
        controls = {codec: Key(f"{new_pseudonym()}.{CLASS}", CLASS) for codec in CODECS}
        await plant(
            self.bootstrap,
            {codec: _envelope(key) for codec, key in controls.items()},
            at=rfc3339(self.clock.now()),
            prefix=self.prefix,
        )
        planted = [KeptUnits(keys_id=key.keys_id) for key in controls.values()]
        sought = Sought.of([*records, *planted])
        if self.files and await brokers(self.bootstrap) <= self.files.keys():
            how = "segments"
            places = await asyncio.to_thread(
                look_into_files, self.files.values(), sought, prefix=self.prefix
            )
        else:
            how = "topics"
            places = await look_into_topics(self.bootstrap, sought, prefix=self.prefix)
        return Searched(places, controls, how, self.clock.now())

    async def _said(self, done: Searched, records: Sequence[KeptUnits]) -> Scan:
        missed = [codec for codec in done.controls if codec not in done.seen]
        if missed:
            raise VoidScan(f"a scan of the log missed its controls: {', '.join(missed)}")
        left = done.left(records)
        if left:
            raise Residue(f"{left} envelopes are left in the log")
        report = canonical(done.report(records))
        digest = hashlib.sha256(report).hexdigest()
        with faults():
            await self.reports.update_one(
                {"_id": digest}, {"$set": {"report": report.decode()}}, upsert=True
            )
        return Scan(
            report=digest,
            records=sum(done.places.records.values()),
            octets=sum(done.places.octets.values()),
            residual=0,
            planted=len(done.controls),
            found=len(done.seen),
            at=done.at,
        )


def _envelope(key: Key) -> str:
    return f"pe1.{key.keys_id}.{key.unit}.{random_bytes(32).hex()}"
