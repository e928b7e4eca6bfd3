"""Works: aggregates whose documents also hold the verdicts that are not yet known to be durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.deposits.model import Registration, Verdict
from shared.events import WorkState
from shared.mongo import Accepted, Aggregates, Collection
from shared.mongo.client import UpdateOne, faults

MOST_VERDICTS: Final = 8  # beyond, those whose diagnostics are durable are taken out


@dataclass(frozen=True, slots=True)
class Held:
    """A work and the verdicts its document holds, by ``<submission>#<record>``."""

    state: WorkState
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class Works:
    """The works, by lower-cased DOI."""

    aggregates: Aggregates[WorkState]
    collection: Collection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "collection", self.aggregates.collection)

    async def load(self, dois: Sequence[str]) -> dict[str, Held]:
        """Return the works that exist under ``dois``."""
        if not dois:
            return {}
        with faults():
            found = await self.collection.find(
                {"_id": {"$in": list(dois)}}, {"state": 1, "verdicts": 1}
            ).to_list(None)
        return {
            document["_id"]: Held(
                self.aggregates.parse(document["state"]),
                {
                    entry["record"]: Verdict("Success", entry["doi"], entry["msg"])
                    for entry in document.get("verdicts", ())
                },
            )
            for document in found
        }

    async def save(self, accepted: Mapping[str, Registration]) -> set[str]:
        """Write registrations, each with its verdict in the same write; return those that lost.

        A loser's work changed since it was loaded: nothing of it was written, judge it again.
        """
        if not accepted:
            return set()
        saved = await self.aggregates.save_many(
            {doi: Accepted(one.state, (one.event,)) for doi, one in accepted.items()},
            push={
                doi: {
                    "verdicts": {
                        "record": one.state.submission,
                        "doi": one.verdict.doi,
                        "msg": one.verdict.msg,
                    }
                }
                for doi, one in accepted.items()
            },
        )
        return {doi for doi, done in saved.items() if done is None}

    async def forget(self, verdicts: Mapping[str, Sequence[str]]) -> None:
        """Take verdicts out of works, by DOI; their diagnostics must be durable."""
        operations = [
            UpdateOne({"_id": doi}, {"$pull": {"verdicts": {"record": {"$in": list(records)}}}})
            for doi, records in verdicts.items()
            if records
        ]
        if operations:
            with faults():
                await self.collection.bulk_write(operations, ordered=False)
