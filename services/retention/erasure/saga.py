"""What every step of an erasure is given, and what it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from services.retention.model.erasure_states import KeptErasure, Waiting, Waits
from services.retention.model.erasures import Verb
from services.retention.model.expecting import Bounds
from services.retention.store.erasures import ErasureStore
from services.retention.wiring import House, Rooms
from shared.kafka.nudge import compacted_within
from shared.kafka.topics import declared
from shared.policy.erasure import ErasurePolicy
from shared.privacy.certificates.statement import PolicyInForce

LATER: Final = 5.0  # seconds until something is asked again that nobody tells of
AT_ONCE: Final = 0.0


@dataclass(frozen=True, slots=True)
class Saga:
    """The rooms that erasures go through, and the rows they go by.

    ``patience``: seconds in which a step waits in its place for what nearly always comes at once.
    ``entering`` is held by whoever takes the next number of the ledger.
    """

    house: House
    rooms: Rooms
    policy: ErasurePolicy
    store: ErasureStore
    patience: float = 1.0
    entering: asyncio.Lock = field(default_factory=asyncio.Lock)

    def now(self) -> datetime:
        """Return the time."""
        return self.house.clock.now()

    @property
    def after(self) -> timedelta:
        """How long after a fence stands nobody has a key in hand any more."""
        return self.house.keys.after

    @property
    def bounds(self) -> Bounds:
        """How long the parts of an erasure take, by policies and by the profiles of topics."""
        house, personal = self.house, [one for one in declared().values() if one.by_person]
        return Bounds(
            cooling_off=self.policy.file.cooling_off.lasts,
            effect=self.after,
            compaction=timedelta(
                seconds=max(compacted_within(one, one.nudge or 0.0) for one in personal)
            ),
            epochs=house.personal.file.epochs.backup_bound,
        )

    def added_services(self, erasure: KeptErasure) -> tuple[str, ...]:
        """Return the services that hold personal data by now and were not asked yet.

        A clock's record is one service's; nobody else is ever asked for it.
        """
        if not erasure.whole_person:
            return ()
        return tuple(name for name in self.policy.services if name not in erasure.services)

    def policies(self) -> tuple[PolicyInForce, ...]:
        """Return the policy files that erasures are decided by."""
        house = self.house
        return (
            PolicyInForce(policy="erasure", version=self.policy.version, digest=self.policy.sha),
            PolicyInForce(
                policy="personal", version=house.personal.version, digest=house.personal.sha
            ),
            PolicyInForce(
                policy="retention", version=house.schedule.version, digest=house.schedule.sha
            ),
        )


@dataclass(frozen=True, slots=True)
class Go:
    """The step was taken, all that it does outside is done: this verb, with these changes."""

    verb: Verb
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stay:
    """The step cannot be taken yet: what it waits for, and when to look again at the latest.

    ``changes`` is what was come by and must not be asked for twice.
    """

    waits: tuple[Waits, ...] = ()
    seconds: float = LATER
    changes: Mapping[str, Any] = field(default_factory=dict)


Taken: TypeAlias = Go | Stay
TakeStep: TypeAlias = Callable[[Saga, KeptErasure], Awaitable[Taken]]


def waiting(
    what: Waiting,
    *who: str,
    until: datetime | None = None,
    seconds: float = LATER,
    now: datetime,
) -> Stay:
    """Wait for one thing; where it is known until when, it is looked at then."""
    if until is not None:
        seconds = max(0.01, (until - now).total_seconds())
    return Stay((Waits(what=what, who=tuple(sorted(set(who))), since=now, until=until),), seconds)
