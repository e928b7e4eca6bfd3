"""The time by which what is due is acted upon: this machine's, as long as it is right.

A clock that is ahead makes things due early, and what is deleted does not come back (law P6). So
nothing is acted upon while the wall clock is ahead of what others say, the store and the broker, or
went ahead of the time that passed since it agreed with them. Whatever waits for it is acted upon
once the clock is right; where it was wrong before and was put right, after a restart.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.runtime.log import get_log

PART: Final = "time"
Reading = Callable[[], Awaitable[datetime | None]]

log = get_log(__name__)


@dataclass(slots=True)
class Timing:
    """Compares the clock of this machine; ``skew`` is how far ahead it may be.

    ``outside`` are the clocks of others as they stand now; None is said by who knows nothing yet.
    """

    clock: Clock
    health: Health
    outside: Sequence[Reading]
    skew: timedelta
    _known: list[datetime] = field(default_factory=list)  # what others said, when nothing passed
    _began: datetime | None = None  # the wall clock when nothing had passed
    _right: bool | None = None

    async def ask(self) -> datetime | None:
        """Ask the others, and return the time; None while it may be wrong. Raises ``Transient``."""
        said = [(await read(), self.clock.monotonic()) for read in self.outside]
        self._known = [at - timedelta(seconds=passed) for at, passed in said if at is not None]
        return self.now()

    def now(self) -> datetime | None:
        """Return the time, by what the others said last; None while it may be wrong."""
        now, passed = self.clock.now(), timedelta(seconds=self.clock.monotonic())
        known = self._known if self._began is None else [*self._known, self._began]
        ahead = max((now - (one + passed) for one in known), default=timedelta(0))
        right = ahead <= self.skew
        if right and self._began is None:
            self._began = now - passed
        if right is not self._right:
            self._say(right=right, ahead=ahead)
        return now if right else None

    def _say(self, *, right: bool, ahead: timedelta) -> None:
        """Say once that the clock is wrong, and that it is right again."""
        seconds = ahead.total_seconds()
        if right:
            self.health.ready(PART)
            if self._right is not None:
                log.info("the clock is right again; what is due is acted upon")
        else:
            why = f"the clock is {seconds:.0f} s ahead; nothing due is acted upon"
            self.health.unready(PART, why)
            log.error("the clock is ahead; nothing due is acted upon", seconds=round(seconds))
        self._right = right
