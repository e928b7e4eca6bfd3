"""Whether ciphertext and epochs are gone from disks: what retention's parts ask (wiring.Physical).

What a store wrote over it keeps for a while, in files that nothing can clean: only ciphertext is
there, and its keys are gone with their epochs. Of the log it can be shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.retention.erasure.rotation import Rotation
from services.retention.erasure.scanning import Scanning
from shared.events.orders import KeptUnits
from shared.kafka import compaction
from shared.privacy.certificates.statement import Compaction, Scan
from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class Disks:
    """Brokers and key epochs; ``files`` are log folders by broker."""

    bootstrap: str
    prefix: str
    files: Mapping[int, Path]
    rotation: Rotation
    scanning: Scanning
    clock: Clock = SYSTEM

    async def ends(self, topic: str, partition: int) -> int:
        """Return the offset behind the last record: what was written before is below it."""
        return await compaction.log_end(self.bootstrap, topic, partition, prefix=self.prefix)

    async def cleaned(self, topic: str, partition: int, before: int) -> Sequence[Compaction]:
        """Return receipts of the replicas that can be seen once they are cleaned, else nothing.

        ``before`` is what ``ends`` said after the tombstones were written. Raises ``Transient``.
        """
        if before == 0:
            return ()
        given = await compaction.receipts(
            self.bootstrap, topic, partition, before, files=self.files, prefix=self.prefix
        )
        now = self.clock.now()
        return tuple(
            Compaction(
                topic=topic,
                partition=partition,
                broker=one.broker,
                tombstone=before - 1,
                cleaned=one.cleaned,
                how=one.how,
                at=now,
                replicas=one.replicas,
            )
            for one in given
        )

    async def epochs_gone(self, since: datetime) -> datetime | None:
        """Return when every epoch that stood at ``since`` was gone, None while one stands."""
        return await self.rotation.gone(since)

    async def scanned(self, records: Sequence[KeptUnits]) -> Scan:
        """Search the log for envelopes of these keys; raises where anything is left."""
        return await self.scanning.scanned(records)
