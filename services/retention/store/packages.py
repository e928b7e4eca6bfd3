"""Access packages: their documents, and their sealed chunks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.retention.model.packages import KeptPackage
from services.retention.store.layout import keeping
from shared.events.orders import OrderState
from shared.mongo import Aggregates, Collection, Database, faults
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM, Clock

CHUNKS: Final = "package_chunks"


@dataclass(frozen=True, slots=True)
class PackageStore:
    """What is kept of packages."""

    packages: Aggregates[KeptPackage]
    orders: Aggregates[OrderState]
    chunks: Collection

    async def unsettled(self) -> list[str]:
        """Return the packages that are not gone."""
        with faults():
            found = await self.packages.collection.find({"settled": False}, {"_id": 1}).to_list(
                None
            )
        return sorted(one["_id"] for one in found)


def open_packages(
    database: Database, *, wake: Ring = unheard, clock: Clock = SYSTEM
) -> PackageStore:
    """Make the store; ``wake`` hurries the relay of this process."""
    return PackageStore(
        keeping(database, "packages", KeptPackage, _of_package, clock=clock),
        keeping(database, "orders", OrderState, wake=wake, clock=clock),
        database[CHUNKS],
    )


def _of_package(state: KeptPackage) -> Mapping[str, Any]:
    return {"settled": state.settled, "request": state.request}
