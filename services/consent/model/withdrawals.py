"""The receipt of a withdrawal: since when each service denies by it, as its processes reported.

A service obeys when the last of its live processes does. One that began after the withdrawal read
it before it decided anything, so it holds nothing back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil

from shared.events.signs import lives


@dataclass(frozen=True, slots=True)
class Reader:
    """A process that decides by consents, as it reported itself; ``since`` it knows all of them."""

    service: str
    replica: str
    since: datetime
    newest: datetime
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A process began to deny by a withdrawal."""

    service: str
    replica: str
    decided_at: datetime
    at: datetime

    @property
    def took(self) -> float:
        """Seconds from the withdrawal until then; clocks of two machines may make it negative."""
        return max((self.at - self.decided_at).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Obeying:
    """One process of a service; ``since`` is null while it has not said that it obeys."""

    replica: str
    live: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceReceipt:
    """One service; ``obeyed_since`` is null while a live process of it does not obey."""

    service: str
    obeyed_since: datetime | None
    replicas: tuple[Obeying, ...]


def receipt(
    decided_at: datetime, *, readers: Sequence[Reader], applied: Sequence[Applied], now: datetime
) -> tuple[ServiceReceipt, ...]:
    """Say since when each service obeys one withdrawal, whose reports ``applied`` are."""
    said = {(one.service, one.replica): one.at for one in applied}
    known = {(one.service, one.replica): one for one in readers}
    names = sorted(said.keys() | known.keys())
    told = []
    for service, them in groupby(names, key=lambda name: name[0]):
        each = [_obeying(name, known.get(name), said.get(name), decided_at, now) for name in them]
        # Of those that are gone and never said anything nothing is to be told.
        listed = tuple(one for one in each if one.live or one.since is not None)
        waited_for = [one for one in listed if one.live] or listed
        times = [one.since for one in waited_for if one.since is not None]
        whole = bool(times) and len(times) == len(waited_for)
        if listed:
            told.append(ServiceReceipt(service, max(times) if whole else None, listed))
    return tuple(told)


@dataclass(frozen=True, slots=True)
class Figures:
    """How long withdrawals took to count, in seconds, over the newest reports."""

    service: str
    reports: int
    p50: float
    p99: float
    greatest: float


def figures(applied: Sequence[Applied]) -> tuple[Figures, ...]:
    """Return the figures of each service, by rank: no number that nobody measured."""
    ranked = sorted(applied, key=lambda one: one.service)
    return tuple(
        _figures(service, sorted(one.took for one in them))
        for service, them in groupby(ranked, key=lambda one: one.service)
    )


def _figures(service: str, took: list[float]) -> Figures:
    def at(share: float) -> float:
        return took[max(ceil(share * len(took)) - 1, 0)]

    return Figures(service, len(took), at(0.5), at(0.99), took[-1])


def _obeying(
    name: tuple[str, str],
    reader: Reader | None,
    said: datetime | None,
    decided_at: datetime,
    now: datetime,
) -> Obeying:
    later = reader is not None and reader.since > decided_at
    since = said or (reader.since if reader is not None and later else None)
    return Obeying(name[1], live=reader is not None and lives(reader, now), since=since)
