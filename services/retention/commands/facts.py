"""Writing down what was heard: one batch of events, one compare-and-set for each record of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.retention.model.mapping import hear, record_of
from services.retention.model.records import KeptRecord
from shared.events import Received
from shared.events.decisions import Accepted
from shared.mongo import Aggregates
from shared.runtime.faults import Transient

TRIES: Final = 5
AT_ONCE: Final = 100  # records of one read


@dataclass(frozen=True, slots=True)
class Facts:
    """Keeps the fact table; ``volunteers`` are the roles that volunteers have."""

    records: Aggregates[KeptRecord]
    volunteers: Collection[str]

    async def hear(self, batch: Sequence[Received]) -> list[KeptRecord]:
        """Write down a batch, durable when it returns; return its records as they are now.

        Those that nothing new was said of too: what follows from them may have failed before.
        Raises ``Transient``.
        """
        said: dict[str, list[Received]] = {}
        for one in batch:
            name = record_of(one.event)
            if name is not None:
                said.setdefault(name, []).append(one)
        written: list[KeptRecord] = []
        for _ in range(TRIES):
            lost = await self._write(said, written)
            if not lost:
                return written
            said = {name: said[name] for name in lost}
        raise Transient("these records are changed by too many at once")

    async def _write(self, said: dict[str, list[Received]], written: list[KeptRecord]) -> list[str]:
        """Write records, and return those that somebody else wrote in between."""
        names = list(said)
        lost: list[str] = []
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            known = await self.records.load_many(part)
            decided = {
                name: changed
                for name in part
                if (changed := self._after(known.get(name), said[name])) is not None
            }
            written += [one for name, one in known.items() if name not in decided]
            if decided:
                saved = await self.records.save_many(decided)
                lost += [name for name, one in saved.items() if one is None]
                written += [one.state for one in saved.values() if one is not None]
        return lost

    def _after(
        self, known: KeptRecord | None, said: Sequence[Received]
    ) -> Accepted[KeptRecord] | None:
        """Return a record after all that was said of it, as one change; None where that is none."""
        record = known
        for one in said:
            at = datetime.fromisoformat(one.meta.time)
            record = hear(record, one.event, at, self.volunteers).state
        if record is None or record is known:
            return None
        version = known.version + 1 if known else 1
        return Accepted(record.model_copy(update={"version": version}), ())
