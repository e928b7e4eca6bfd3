"""Mechanisms switched off, and faults put where no signal hits them: patches of a forked service.

No production code has a switch for these. ``nursery.start(..., patches=[NO_GUARD])`` calls one in
the process before the service runs. A patch whose target is gone raises, so that no scenario goes
on with a mechanism that is still there.
"""

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

NO_GUARD: Final = "tests.fire.sabotage:no_guard"
NO_FENCE: Final = "tests.fire.sabotage:no_fence"
ALWAYS_FRESH: Final = "tests.fire.sabotage:always_fresh"
COMMIT_FIRST: Final = "tests.fire.sabotage:commit_first"
DIES_UNAPPLIED: Final = "tests.fire.sabotage:dies_unapplied"
FREEZES_UNSENT: Final = "tests.fire.sabotage:freezes_unsent"
JUMPING: Final = "tests.fire.sabotage:jumping"
# By the name of the mechanism, for SABOTAGE=<name> make soak: patches and the services they are of.
MECHANISMS: Final = {
    "guard": (NO_GUARD, ("distribution",)),
    "fence": (NO_FENCE, ("accounts", "deposits")),
    "watermark": (ALWAYS_FRESH, ("distribution",)),
    "commit-order": (COMMIT_FIRST, ("distribution",)),
}


def _replace(owner: Any, name: str, by: Callable[[Any], Any]) -> None:
    """Put ``by(what stands there)`` in place of something that must stand there."""
    setattr(owner, name, by(getattr(owner, name)))


# -- mechanisms ------------------------------------------------------------------------------------


def no_guard() -> None:
    """Projections are written whatever version is stored."""
    from shared.mongo import guarded  # noqa: PLC0415  (only where it is patched)

    _replace(guarded, "_guard", lambda _was: lambda write: {"_id": write.key})


def no_fence() -> None:
    """Each producer has a transactional id of its own: nobody is superseded."""
    from shared.kafka import produce  # noqa: PLC0415
    from shared.runtime.ids import new_id  # noqa: PLC0415

    def unfenced(made: Callable[..., Any]) -> Callable[..., Any]:
        def make(bootstrap: str, **more: Any) -> Any:
            if "transactional_id" in more:
                more["transactional_id"] += f".{new_id()}"
            return made(bootstrap, **more)

        return make

    _replace(produce, "_producer", unfenced)


def always_fresh() -> None:
    """Knowledge never grows stale: watermarks are not looked at."""
    from shared.kafka.knowledge import Knowledge  # noqa: PLC0415

    _replace(Knowledge, "fresh", lambda _was: lambda self, *_topics: self.caught_up)


def commit_first() -> None:
    """A consumer commits what it fetched, and applies it afterwards."""
    from shared.kafka.consume import Consumer  # noqa: PLC0415

    def committing(was: Callable[..., Any]) -> Callable[..., Any]:
        async def apply(self: Any, consumer: Any, parking: Any, batch: Any) -> None:
            ends = {where: records[-1].offset + 1 for where, records in batch.items()}
            await self._commit(consumer, ends)
            await was(self, consumer, parking, batch)

        return apply

    _replace(Consumer, "_apply", committing)


# -- faults ----------------------------------------------------------------------------------------


def dies_unapplied() -> None:
    """A consumer is killed with its first batch of works in hand, before it applies it."""
    from shared.kafka.consume import Consumer  # noqa: PLC0415

    def dying(was: Callable[..., Any]) -> Callable[..., Any]:
        async def apply(self: Any, consumer: Any, parking: Any, batch: Any) -> None:
            if any(where.topic.endswith("deposits.works.v1") for where in batch):
                os.kill(os.getpid(), signal.SIGKILL)
            await was(self, consumer, parking, batch)

        return apply

    _replace(Consumer, "_apply", dying)


def freezes_unsent() -> None:
    """A relay freezes, once, with works that it read and has not sent."""
    from shared.kafka.relay import Relay  # noqa: PLC0415

    left = [1]

    def freezing(was: Callable[..., Any]) -> Callable[..., Any]:
        async def publish(self: Any, pages: Any, sender: Any) -> Any:
            pending = [one for page in pages for one in page.pending]
            records = [record for one in pending for record in one.records]
            if left[0] and any(one.topic == "deposits.works.v1" for one in records):
                left[0] -= 1
                os.kill(os.getpid(), signal.SIGSTOP)
            return await was(self, pages, sender)

        return publish

    _replace(Relay, "_publish", freezing)


def jumping() -> None:
    """The wall clock is off by as many seconds as the file COLOPHON_TEST_CLOCK says, from then on.

    The monotonic clock goes on as it did.
    """
    from shared.runtime.clock import SystemClock  # noqa: PLC0415

    clock = _Jumping(Path(os.environ["COLOPHON_TEST_CLOCK"]))

    def shifted(was: Callable[[Any], datetime]) -> Callable[[Any], datetime]:
        return lambda self: was(self) + clock.offset()

    _replace(SystemClock, "now", shifted)


class _Jumping:
    """Looks at a file twenty times a second at most."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.looked = float("-inf")
        self.found = timedelta(0)

    def offset(self) -> timedelta:
        if time.monotonic() - self.looked > 0.05:
            self.looked = time.monotonic()
            try:
                self.found = timedelta(seconds=float(self.file.read_text() or 0))
            except FileNotFoundError:
                self.found = timedelta(0)
        return self.found
