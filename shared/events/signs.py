"""Signs of life that replicas report of themselves, and for how long one counts.

Who reports gives several of them in that time; who collects reports waits for nobody longer.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol

GONE_AFTER: Final = timedelta(seconds=10)  # without a sign of life for longer, a replica is gone


class Sign(Protocol):
    """When a replica was heard of last, and whether it said then that it stops."""

    @property
    def newest(self) -> datetime:
        """The time of its newest sign of life."""
        ...

    @property
    def stopping(self) -> bool:
        """Whether that was its good-bye."""
        ...


def lives(replica: Sign, now: datetime) -> bool:
    """Say whether a replica is at work, as far as can be known."""
    return not replica.stopping and now - replica.newest <= GONE_AFTER
