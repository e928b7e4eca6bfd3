"""The receipt of a preference: since when each outlet obeys it, by what its replicas reported.

An outlet obeys when the last of its live replicas does. A replica that started after the decision
read it before it served anybody, so it holds nothing back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.accounts.projections import APPLIED, REPLICAS, STARTS
from shared.events.signs import lives
from shared.mongo import Database, IndexModel, faults

FORGOTTEN_SECONDS: Final = 86_400  # a replica silent for a day is no longer listed
INDEXES: Final[Mapping[str, IndexModel]] = {
    REPLICAS: IndexModel([("at", 1)], name="at", expireAfterSeconds=FORGOTTEN_SECONDS),
    APPLIED: IndexModel([("prefix", 1)], name="prefix"),
}


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica as it reported itself: its outlets, its first and its newest sign of life."""

    name: str
    outlets: tuple[str, ...]
    first: datetime
    newest: datetime
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A replica began to obey a version at its outlets."""

    replica: str
    outlets: tuple[str, ...]
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Obeying:
    """One replica of an outlet; ``since`` is null while it has not said that it obeys."""

    replica: str
    live: bool
    since: datetime | None
    started_later: bool


@dataclass(frozen=True, slots=True)
class OutletReceipt:
    """One outlet; ``obeyed_since`` is null while a live replica does not obey."""

    outlet: str
    obeyed_since: datetime | None
    replicas: tuple[Obeying, ...]


def receipt(
    version: int,
    decided_at: datetime | None,
    *,
    replicas: Sequence[Replica],
    applied: Sequence[Applied],
    now: datetime,
) -> tuple[OutletReceipt, ...]:
    """Say since when each outlet obeys ``version`` of one prefix, whose reports ``applied`` are.

    A later version obeyed is this one obeyed too: nobody shows by it what this one withheld first.
    """
    since: dict[str, datetime] = {}
    for one in sorted(applied, key=lambda said: said.at, reverse=True):
        if one.version >= version:
            since[one.replica] = one.at
    known = {one.name: one for one in replicas}
    serving: dict[str, set[str]] = {}
    told = [(one.name, one.outlets) for one in replicas]
    told += [(one.replica, one.outlets) for one in applied]
    for name, outlets in told:
        for outlet in outlets:
            serving.setdefault(outlet, set()).add(name)
    return tuple(
        _outlet(
            outlet,
            [_obeying(name, known.get(name), since.get(name), decided_at, now) for name in names],
        )
        for outlet, names in sorted(serving.items())
    )


def _obeying(
    name: str,
    replica: Replica | None,
    since: datetime | None,
    decided_at: datetime | None,
    now: datetime,
) -> Obeying:
    if replica is None:
        return Obeying(name, live=False, since=since, started_later=False)
    # What it read before its first sign of life, it obeyed before it served anybody.
    later = (
        decided_at is not None
        and replica.first > decided_at
        and (since is None or since <= replica.first)
    )
    return Obeying(
        name,
        live=lives(replica, now),
        since=replica.first if later else since,
        started_later=later,
    )


def _outlet(outlet: str, replicas: list[Obeying]) -> OutletReceipt:
    there = [one for one in replicas if not one.started_later]
    if any(one.live and one.since is None for one in there):
        since = None
    else:
        # The live ones of that time decide; where none is left, those that are gone; where none
        # ever was, whoever came first.
        chosen = [one.since for one in there if one.live] or [one.since for one in there]
        later = [one.since for one in replicas if one.started_later]
        since = max(filter(None, chosen), default=min(filter(None, later), default=None))
    told = (one for one in replicas if one.live or (one.since and not one.started_later))
    return OutletReceipt(outlet, since, tuple(sorted(told, key=lambda one: one.replica)))


async def prepare(database: Database) -> None:
    """Create the indexes; safe to repeat."""
    for name, index in INDEXES.items():
        with faults():
            await database[name].create_indexes([index])


async def read(database: Database, prefix: str) -> tuple[list[Replica], list[Applied]]:
    """Read what replicas reported of themselves and of one prefix."""
    with faults():
        signs = await database[REPLICAS].find({}).to_list(None)
        starts = await (
            database[STARTS].find({"_id": {"$in": [one["_id"] for one in signs]}}).to_list(None)
        )
        said = await database[APPLIED].find({"prefix": prefix}).to_list(None)
    first = {one["_id"]: one["at"] for one in (*signs, *starts)}
    return [_replica(one, first[one["_id"]]) for one in signs], [
        Applied(one["replica"], tuple(one["outlets"]), one["prefix_version"], one["at"])
        for one in said
    ]


def _replica(document: dict[str, Any], first: datetime) -> Replica:
    return Replica(
        document["_id"], tuple(document["outlets"]), first, document["at"], document["stopping"]
    )
