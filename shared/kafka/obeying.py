"""Reports of a process that decides by consents: that it lives, and since when it obeys what.

The owner of consents collects them. A withdrawal holds everywhere when the last live reader has
said that it denies by it; one that began later read it before it decided anything.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from shared.events import Event, Received
from shared.events.consent import ReaderReport, WithdrawalApplied
from shared.kafka.consents import TOPICS, KnownConsents, withdrawal_in
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.kafka.reporting import Pulse, report_forever
from shared.policy.uses import UsesPolicy
from shared.runtime.service import Role
from shared.runtime.settings import ServiceSettings

LOOK_SECONDS: Final = 0.5
ALIVE_SECONDS: Final = 3.0  # thrice within shared.events.signs.GONE_AFTER
MOST_TOLD: Final = 500  # withdrawals of one report


class Reports(Protocol):
    """The kind of report that a service writes: a ``ReaderReport`` on its own topic."""

    def __call__(
        self,
        *,
        replica: str,
        since: datetime,
        at: datetime,
        stopping: bool,
        applied: tuple[WithdrawalApplied, ...],
    ) -> Event:
        """Make a report."""
        ...


@dataclass(slots=True)
class Obeying:
    """What one replica reports of the consents it knows; each report says that it lives, too."""

    knowledge: Knowledge
    sender: Sender
    replica: str
    report: Reports
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _since: datetime | None = None
    _applied: list[WithdrawalApplied] = field(default_factory=list)
    _pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        """Hear every consent that counts from now on."""
        self._pulse = Pulse(self.knowledge.clock, ALIVE_SECONDS)
        self.knowledge.listeners.append(self.hear)

    def hear(self, received: Received) -> None:
        """Note since when a withdrawal counts here; not those that were read at the start."""
        fact = withdrawal_in(received)
        if fact is not None and fact.cause is not None and self.knowledge.caught_up:
            at = self.knowledge.clock.now()
            self._applied.append(
                WithdrawalApplied(withdrawal=fact.cause, decided_at=fact.at, at=at)
            )
            self.wake.set()

    async def run(self, draining: asyncio.Event) -> None:
        """Report until told to drain, then say good-bye."""
        await report_forever("consents", self, draining, look=LOOK_SECONDS)

    def say(self) -> Sequence[Event]:
        """Report withdrawals, or that it lives where that is due."""
        return [self._told(stopping=False)] if self._applied or self._pulse.due else ()

    def keep(self, unsent: Sequence[Event]) -> None:
        """Keep withdrawals for the next report; the next one that has none says that it lives."""
        self._pulse.beat()
        for report in unsent:
            if isinstance(report, ReaderReport):
                self._applied[:0] = report.applied

    def good_bye(self) -> Sequence[Event]:
        """Report that it stops."""
        return [self._told(stopping=True)]

    def _told(self, *, stopping: bool) -> Event:
        self._pulse.beat()
        now = self.knowledge.clock.now()
        self._since = self._since or now
        told, self._applied = self._applied[:MOST_TOLD], self._applied[MOST_TOLD:]
        return self.report(
            replica=self.replica,
            since=self._since,
            at=now,
            stopping=stopping,
            applied=tuple(told),
        )


def following(
    service: str,
    settings: ServiceSettings,
    policy: UsesPolicy,
    *,
    replica: str,
    report: Reports,
) -> tuple[KnownConsents, dict[str, Role]]:
    """Compose a service's copy of consents, and the roles that keep it and report what it obeys.

    Its freshness says nothing of whether this process can serve: without it only what rests on
    consent is denied.
    """
    knowledge = Knowledge(
        TOPICS, settings.kafka_bootstrap, policy.stale_after, settings.topic_prefix
    )
    known = KnownConsents(knowledge, policy, service)
    knowledge.listeners.append(known.hear)
    sender = Sender(settings.kafka_bootstrap, service, settings.topic_prefix)
    obeying = Obeying(knowledge, sender, replica, report)
    return known, {"consents": knowledge.run, "obeying": obeying.run}
