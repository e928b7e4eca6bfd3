"""How often one client may ask: counted in this process, in windows that begin with the first."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Generic, Protocol, TypeVar

from shared.runtime.clock import SYSTEM, Clock

KEPT: Final = 100_000  # clients remembered; the oldest is forgotten first
L = TypeVar("L", bound=str)
Named_contra = TypeVar("Named_contra", bound=str, contravariant=True)


class Row(Protocol):
    """How many within how long."""

    @property
    def most(self) -> int:
        """How many."""
        ...

    @property
    def within(self) -> timedelta:
        """Within how long."""
        ...


class Limiting(Protocol[Named_contra]):
    """A policy that has such rows by name."""

    def limit(self, name: Named_contra, /) -> Row:
        """Return a row."""
        ...


@dataclass(slots=True)
class _Window:
    since: float
    count: int


@dataclass(slots=True)
class Quotas(Generic[L]):
    """Counts of clients, by network address. What an address gets is counted in the store."""

    policy: Limiting[L]
    clock: Clock = SYSTEM
    _windows: OrderedDict[tuple[L, str], _Window] = field(default_factory=OrderedDict)

    def wait(self, limit: L, client: str) -> float:
        """Return for how many seconds a client has had its share; 0 where it may go on."""
        window = self._windows.get((limit, client))
        row = self.policy.limit(limit)
        if window is None or window.count < row.most:
            return 0.0
        left = window.since + row.within.total_seconds() - self.clock.monotonic()
        if left <= 0:
            del self._windows[limit, client]
        return max(0.0, left)

    def count(self, limit: L, client: str) -> None:
        """Count one more."""
        now = self.clock.monotonic()
        window = self._windows.get((limit, client))
        within = self.policy.limit(limit).within.total_seconds()
        if window is None or now - window.since >= within:
            self._windows.pop((limit, client), None)
            window = self._windows[limit, client] = _Window(now, 0)
        window.count += 1
        while len(self._windows) > KEPT:
            self._windows.popitem(last=False)
