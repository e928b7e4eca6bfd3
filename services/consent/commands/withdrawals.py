"""Who obeys which withdrawal since when: what readers reported, and how long it took them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model.withdrawals import (
    Applied,
    Figures,
    Reader,
    ServiceReceipt,
    figures,
    receipt,
)
from services.consent.projections import APPLIED, READERS, TABLE, TOPICS
from shared.events import ReaderReport, Received
from shared.kafka.topics import declared
from shared.mongo import Database, IndexModel, Refused, faults, projecting
from shared.runtime.metrics import WITHDRAWAL_QUANTILES

RECENT: Final = timedelta(hours=1)  # what the figures are of
MOST_COUNTED: Final = 1_000
QUANTILES: Final = (("0.5", "p50"), ("0.99", "p99"), ("1", "greatest"))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A no, when it was taken, and who obeys it since when."""

    withdrawal: str
    purpose: str
    decided_at: datetime
    services: tuple[ServiceReceipt, ...]


def forgotten_after() -> int:
    """Return after how many seconds reports are forgotten: when their topics have none left."""
    kept = (declared()[topic].kept for topic in TOPICS)
    return int(max(one for one in kept if one is not None).total_seconds())


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    forget = IndexModel([("at", 1)], name="at", expireAfterSeconds=forgotten_after())
    with faults():
        await database[READERS].create_indexes([forget])
        await database[APPLIED].create_indexes(
            [forget, IndexModel([("withdrawal", 1)], name="withdrawal")]
        )


def collecting(database: Database) -> Callable[[Sequence[Received]], Awaitable[None]]:
    """Return the handler of reports: kept first, then measured."""
    keep = projecting(database, TABLE)

    async def handle(batch: Sequence[Received]) -> None:
        await keep(batch)
        told = [report for one in batch if (report := _report(one)) and report.applied]
        if told:
            _measure(await newest(database, since=max(one.at for one in told) - RECENT))

    return handle


def _report(received: Received) -> ReaderReport | None:
    match received.event:
        case ReaderReport() as report:
            return report
    return None


def _measure(applied: Sequence[Applied]) -> None:
    for one in figures(applied):
        for quantile, name in QUANTILES:
            WITHDRAWAL_QUANTILES.labels(one.service, quantile).set(getattr(one, name))


async def newest(database: Database, *, since: datetime) -> list[Applied]:
    """Return what was reported since then, 1,000 at most."""
    with faults():
        found = await (
            database[APPLIED].find({"at": {"$gte": since}}).limit(MOST_COUNTED).to_list(None)
        )
    return [_applied(one) for one in found]


async def measured(consenting: Consenting) -> tuple[Figures, ...]:
    """Return how long withdrawals took of late to count at each service."""
    database = consenting.store.database
    return figures(await newest(database, since=consenting.now() - RECENT))


async def look_up(consenting: Consenting, withdrawal: str) -> Withdrawal | Refused[Refusal]:
    """Return who obeys a withdrawal. Here the consent's own document is asked, so at once."""
    found = await consenting.store.consents.where(noes=withdrawal)
    if not found:
        return Refused(Refusal("withdrawal-unknown"))
    state = found[0]
    decided_at = next(fact.at for fact in state.facts if fact.cause == withdrawal)
    database = consenting.store.database
    with faults():
        said = await database[APPLIED].find({"withdrawal": withdrawal}).to_list(None)
        alive = await database[READERS].find({}).to_list(None)
    services = receipt(
        decided_at,
        readers=[_reader(one) for one in alive],
        applied=[_applied(one) for one in said],
        now=consenting.now(),
    )
    return Withdrawal(withdrawal, state.purpose, decided_at, services)


def _applied(document: dict[str, Any]) -> Applied:
    return Applied(document["service"], document["replica"], document["decided_at"], document["at"])


def _reader(document: dict[str, Any]) -> Reader:
    return Reader(
        document["service"],
        document["replica"],
        document["since"],
        document["at"],
        document["stopping"],
    )
