"""Longer and longer waits after failed tries, for each thing that a try names."""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.runtime.clock import Clock

KEPT: Final = 10_000  # things remembered; the one longest untouched goes first


@dataclass(frozen=True, slots=True)
class Patience:
    """``free`` failures cost nothing; each further one doubles a wait of 1 s up to ``cap`` s."""

    free: int
    cap: float
    forgotten_after: float = 900.0  # seconds without a failure


@dataclass(slots=True)
class _Failed:
    count: int
    at: float


class Backoff:
    """Counts failures in memory of this process; addresses and logins go no further."""

    __slots__ = ("_clock", "_failed")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, ...], _Failed] = OrderedDict()

    def wait(self, things: Iterable[tuple[tuple[str, ...], Patience]]) -> float:
        """Return how many seconds a new try must wait, 0 where it may be made now."""
        now = self._clock.monotonic()
        return max((self._wait(key, patience, now) for key, patience in things), default=0.0)

    def failed(self, keys: Iterable[tuple[str, ...]]) -> None:
        """Count a failed try against each of its things."""
        now = self._clock.monotonic()
        for key in keys:
            known = self._failed.pop(key, None)
            self._failed[key] = _Failed(known.count + 1 if known else 1, now)
        while len(self._failed) > KEPT:
            self._failed.popitem(last=False)

    def succeeded(self, keys: Iterable[tuple[str, ...]]) -> None:
        """Forget the failures of these things."""
        for key in keys:
            self._failed.pop(key, None)

    def _wait(self, key: tuple[str, ...], patience: Patience, now: float) -> float:
        known = self._failed.get(key)
        if known is None or known.count < patience.free:
            return 0.0
        if now - known.at >= patience.forgotten_after:
            del self._failed[key]
            return 0.0
        delay = min(patience.cap, 2.0 ** min(known.count - patience.free, 30))
        return max(0.0, known.at + delay - now)


def network(address: str) -> str:
    """Return what one caller can hardly leave: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 4:  # noqa: PLR2004  (the protocol's own number)
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))
