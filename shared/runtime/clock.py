"""Time, as an argument: wall time in UTC and a monotonic count of seconds."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

# On Linux the monotonic clock stands still while the machine is suspended, and a lease must not.
_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What code that needs the time asks for."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since the machine started, those while it was suspended too."""
        return time.clock_gettime(_SINCE_BOOT)


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when told to; for tests and for judging a past moment again."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    elapsed: float = 0.0

    def now(self) -> datetime:
        """Return the wall time it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Return the seconds it was advanced by."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self.at += timedelta(seconds=seconds)
        self.elapsed += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a wrong time server would."""
        self.at += timedelta(seconds=seconds)


SYSTEM: Clock = SystemClock()


def rfc3339(at: datetime) -> str:
    """Write a UTC time as RFC 3339 with milliseconds and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time; raises ``ValueError`` where it names no offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC")
    return at.astimezone(UTC)
