"""Works: aggregates whose documents also hold the verdicts that are not yet known to be durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.deposits.model import Registration, Verdict
from services.deposits.store.together import insert
from services.deposits.store.verdicts import copied, verdict_of
from shared.events import WorkState
from shared.mongo import Accepted, Aggregates, Collection
from shared.mongo.client import BulkWriteError, Document, UpdateOne, collided, faults

MOST_VERDICTS: Final = 8  # beyond, those whose diagnostics are durable are taken out
AT_ONCE: Final = 200  # keys in one look-up
_SHOWN: Final = {"state": 1, "version": 1, "verdicts": 1, "forgot": 1}


@dataclass(frozen=True, slots=True)
class Held:
    """A work's document: the work, and the verdicts that stand there by ``<submission>#<record>``.

    ``state`` is None where only refusals do. ``forgot`` says that verdicts were taken out.
    """

    state: WorkState | None
    verdicts: Mapping[str, Verdict]
    version: int
    forgot: bool = False


@dataclass(frozen=True, slots=True)
class Works:
    """The works, by lower-cased DOI."""

    aggregates: Aggregates[WorkState]
    collection: Collection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "collection", self.aggregates.collection)

    async def load(self, dois: Sequence[str]) -> dict[str, Held]:
        """Return what exists under ``dois``."""
        held: dict[str, Held] = {}
        for start in range(0, len(dois), AT_ONCE):
            asked = {"_id": {"$in": list(dois[start : start + AT_ONCE])}}
            with faults():
                found = await self.collection.find(asked, _SHOWN).to_list(None)
            held |= {document["_id"]: self._held(document) for document in found}
        return held

    def _held(self, document: Document) -> Held:
        state = document.get("state")
        return Held(
            self.aggregates.parse(state) if state else None,
            {one["record"]: verdict_of(one) for one in document.get("verdicts", ())},
            document["version"],
            document.get("forgot", False),
        )

    async def save(self, accepted: Mapping[str, Registration]) -> set[str]:
        """Write registrations, each with its verdict in the same write; return those that lost.

        A loser's work changed since it was loaded: nothing of it was written, judge it again.
        """
        if not accepted:
            return set()
        saved = await self.aggregates.save_many(
            {doi: Accepted(one.state, (one.event,)) for doi, one in accepted.items()},
            push={
                doi: {"verdicts": _entry(one.state.submission, one.verdict)}
                for doi, one in accepted.items()
            },
        )
        return {doi for doi, done in saved.items() if done is None}

    async def refuse(self, refused: Mapping[str, tuple[int, str, Verdict]]) -> set[str]:
        """Write refusals beside works, by DOI: version read, record, verdict; return who lost.

        The document's version moves on, so that whoever read it before writes nothing to it.
        """
        lost: set[str] = set()
        new = {
            doi: {"_id": doi, "version": 1, "verdicts": [_entry(name, verdict)]}
            for doi, (version, name, verdict) in refused.items()
            if version == 0
        }
        if new:
            written = await insert(self.collection, list(new.values()))
            lost |= {doi for doi, free in zip(new, written, strict=True) if not free}
        old = {doi: one for doi, one in refused.items() if one[0] > 0}
        operations = [
            # An upsert that finds another version meets the key that is there.
            UpdateOne(
                {"_id": doi, "version": version},
                {
                    "$set": {"version": version + 1},
                    "$push": {"verdicts": _entry(name, verdict)},
                },
                upsert=True,
            )
            for doi, (version, name, verdict) in old.items()
        ]
        if operations:
            keys = list(old)
            with faults():
                try:
                    await self.collection.bulk_write(operations, ordered=False)
                except BulkWriteError as fault:
                    lost |= {keys[index] for index in collided(fault)}
        return lost

    async def forget(self, verdicts: Mapping[str, Sequence[str]]) -> None:
        """Take verdicts out of works, by DOI; their diagnostics must be durable."""
        operations = [
            UpdateOne(
                {"_id": doi},
                {
                    "$pull": {"verdicts": {"record": {"$in": list(records)}}},
                    "$set": {"forgot": True},
                },
            )
            for doi, records in verdicts.items()
            if records
        ]
        if operations:
            with faults():
                await self.collection.bulk_write(operations, ordered=False)


def _entry(record: str, verdict: Verdict) -> dict[str, Any]:
    return {"record": record, **copied(verdict)}
