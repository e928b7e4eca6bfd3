"""Reports of a process that decides by consents: that it lives, and since when it obeys what.

The owner of consents collects them. A withdrawal holds everywhere when the last live reader has
said that it denies by it; one that began later read it before it decided anything.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from shared.events import Event, Meta, Received, to_record
from shared.events.consent import WithdrawalApplied
from shared.kafka.consents import TOPICS, KnownConsents, withdrawal_in
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.policy.uses import UsesPolicy
from shared.runtime.clock import rfc3339
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from shared.runtime.log import get_log
from shared.runtime.service import Role, wait_any
from shared.runtime.settings import ServiceSettings

RETRY_SECONDS: Final = 0.5
ALIVE_SECONDS: Final = 3.0  # a reader that said nothing for ten is taken for gone
MOST_TOLD: Final = 500  # withdrawals of one report

log = get_log(__name__)


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
    """What one replica reports of the consents it knows."""

    knowledge: Knowledge
    sender: Sender
    replica: str
    report: Reports
    _since: datetime | None = None
    _applied: list[WithdrawalApplied] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Hear every consent that counts from now on."""
        self.knowledge.listeners.append(self.hear)

    def hear(self, received: Received) -> None:
        """Note since when a withdrawal counts here; not those that were read at the start."""
        fact = withdrawal_in(received)
        if fact is not None and fact.cause is not None and self.knowledge.caught_up:
            at = self.knowledge.clock.now()
            self._applied.append(
                WithdrawalApplied(withdrawal=fact.cause, decided_at=fact.at, at=at)
            )
            self._wake.set()

    async def run(self, draining: asyncio.Event) -> None:
        """Report until told to drain, then say good-bye."""
        if not await self._start(draining):
            return
        clock, due = self.knowledge.clock, self.knowledge.clock.monotonic()
        while not draining.is_set():
            self._wake.clear()
            if self.knowledge.caught_up and (self._applied or clock.monotonic() >= due):
                await self._tell(stopping=False)
                due = clock.monotonic() + ALIVE_SECONDS
            await wait_any(self._wake, draining, timeout=RETRY_SECONDS)
        await self._tell(stopping=True)
        await self.sender.stop()

    async def _start(self, draining: asyncio.Event) -> bool:
        while not draining.is_set():
            try:
                await self.sender.start()
            except Transient as fault:
                log.warning("reports on consents wait for the broker", reason=str(fault))
                await wait_any(draining, timeout=RETRY_SECONDS)
            else:
                return True
        return False

    async def _tell(self, *, stopping: bool) -> None:
        """Send what there is to say, or keep it for the next time."""
        told, now = self._applied[:MOST_TOLD], self.knowledge.clock.now()
        self._since = self._since or now
        said = self.report(
            replica=self.replica,
            since=self._since,
            at=now,
            stopping=stopping,
            applied=tuple(told),
        )
        meta = Meta(new_id(), f"/services/{self.sender.service}", rfc3339(now))
        try:
            await self.sender.send([to_record(said, meta)])
        except Transient as fault:
            log.warning("report on consents not sent", reason=str(fault))
        else:
            del self._applied[: len(told)]


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
