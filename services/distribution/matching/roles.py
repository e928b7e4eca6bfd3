"""The roles that match, on every host that has a search index."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from services.distribution.citedby import alerts_of
from services.distribution.host import Host, Outlet
from services.distribution.matching.kept import Matches
from services.distribution.matching.matcher import Matcher, Retries
from services.distribution.rebuild.pointer import ReadModels
from shared.kafka.consume import Consumer
from shared.mongo.leases import Lease
from shared.runtime.health import Health

GROUP: Final = "distribution.matching"
SOURCES: Final = ("deposits.works.v1",)
MOST: Final = 50  # works a batch


@dataclass(slots=True)
class Aside(Health):
    """The health of a part that readers do not wait for: it may stall, it is never unready."""

    of: Health = field(default_factory=Health)

    def promise(self, part: str, *, within: float) -> None:
        """Promise beats in the process's own health."""
        self.of.promise(part, within=within)

    def beat(self, part: str) -> None:
        """Beat in the process's own health."""
        self.of.beat(part)

    def retire(self, part: str) -> None:
        """Take the promise back."""
        self.of.retire(part)


def open_outlet(host: Host) -> Outlet:
    """Return the roles; they answer no reader."""
    roles = {"matching": partial(match, host), "matching-retries": partial(retry, host)}
    return Outlet((), (), roles)


async def match(host: Host, draining: asyncio.Event) -> None:
    """Match works as they are deposited; hosts share the partitions."""
    consumer = Consumer(
        GROUP,
        SOURCES,
        "distribution",
        _matcher(host).take,
        host.settings.kafka_bootstrap,
        host.settings.topic_prefix,
        most=MOST,
        health=Aside(of=host.health),
        member=host.settings.replica or None,
    )
    await consumer.run(draining)


async def retry(host: Host, draining: asyncio.Event) -> None:
    """Try again what waits; one host at a time."""
    lease = Lease(host.database["leases"], GROUP, host.settings.replica_name)
    await Retries(_matcher(host), host.works, lease, host.health).run(draining)


def _matcher(host: Host) -> Matcher:
    models = ReadModels(host.database)
    return Matcher(Matches(host.database), models, host.index, alerts_of(host))
