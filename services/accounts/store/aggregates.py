"""How every store keeps its aggregates, and lists them from the newest on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from services.accounts.store.layout import SOURCE
from shared.mongo import Aggregates, Database, faults
from shared.mongo.aggregates import Versioned
from shared.runtime.bell import Ring
from shared.runtime.clock import Clock

S = TypeVar("S", bound=Versioned)
Fields = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeps aggregates in a database; ``wake`` hurries the relay of this process."""

    database: Database
    wake: Ring
    clock: Clock

    def of(
        self, name: str, kind: type[BaseModel], fields: Fields = lambda _state: {}
    ) -> Aggregates[Any]:
        """Return the aggregates of a kind, in the collection of this name."""
        return Aggregates(
            self.database[name], kind.model_validate_json, SOURCE, fields, self.clock, self.wake
        )


async def newest(
    aggregates: Aggregates[S], equal: Mapping[str, Any], *, before: str | None, most: int
) -> list[S]:
    """Return states, those with the greatest ids first, from behind ``before`` on.

    Their shown fields equal ``equal``; what is None there is not asked about. Sorted in the store:
    these are lists that people read, of thousands and not of tens of thousands.
    """
    asked = {name: value for name, value in equal.items() if value is not None}
    if before is not None:
        asked["_id"] = {"$lt": before}
    with faults():
        found = await (
            aggregates.collection.find(asked, {"state": 1})
            .sort("_id", -1)
            .limit(most)
            .to_list(most)
        )
    return [aggregates.parse(document["state"]) for document in found]
