"""Indexers' rights at the broker follow agreements: the role ``access``.

An indexer that an administrator made (`python -m shared.kafka users add`) may always read the
public product; the product of Metadata Plus it may read while its organisation's agreement runs, as
accounts.credentials.v1 says. The broker asks for the right at every request, so that an open
connection ends with it.

Knowledge that is not whole changes nothing. Knowledge that is stale gives no right and still takes
away what it knows to have ended; products pause on it, so that nothing new is read meanwhile. A
token that cannot be read proves nothing.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.distribution.settings import Settings
from shared import policy
from shared.events import CredentialState, Received
from shared.kafka import rights
from shared.kafka.admin import Administrator, NotAllowed, Unsecured, administrator
from shared.kafka.knowledge import Knowledge
from shared.kafka.rights import Right
from shared.kafka.topics import Audience
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import Role, wait_any

CREDENTIALS: Final = "accounts.credentials.v1"
SUBSCRIBED: Final[frozenset[Audience]] = rights.STANDING | {"plus"}
TICK_SECONDS: Final = 1.0  # how soon an end is seen that no event tells, whatever clocks do
LOOK_SECONDS: Final = 10.0  # how soon what others changed at the broker is put right
RETRY_SECONDS: Final = 0.5
STALLED_SECONDS: Final = 60.0

log = get_log(__name__)


def following(settings: Settings, health: Health) -> dict[str, Role]:
    """Compose the role; there is none where no setting names the broker's administrator."""
    if not settings.kafka_admin_bootstrap:
        log.info("access inactive", reason="KAFKA_ADMIN_BOOTSTRAP is not set")
        return {}
    rules = policy.load(settings.policies_dir / "references.toml")
    knowledge = Knowledge(
        (CREDENTIALS,),
        settings.kafka_bootstrap,
        rules.stale_after,
        settings.topic_prefix,
        health=Health(),  # the process has one for its gate; what is stale here, access says
    )
    access = Access(knowledge, settings.kafka_admin_bootstrap, settings.topic_prefix, health)
    return {"agreements": knowledge.run, "access": access.run}


def due(there: Collection[Right], running: Collection[int], prefix: str) -> frozenset[Right]:
    """Return what indexers that are known by ``there`` may do while these agreements run. Pure.

    An indexer is known by the right to its groups; whoever has not that one has none.
    """
    organisations = {rights.organisation_of(one.user) for one in there} - {None}
    return frozenset(
        right
        for organisation in organisations
        if organisation is not None and rights.groups_of(organisation, prefix) in there
        for right in rights.of_indexer(
            organisation,
            prefix,
            audiences=SUBSCRIBED if organisation in running else rights.STANDING,
        )
    )


@dataclass(slots=True)
class Agreements:
    """Whose agreements run, as the tokens say that gate knowledge holds."""

    knowledge: Knowledge
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tokens: dict[str, CredentialState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hear every token."""
        self.knowledge.listeners.append(self._learn)

    def _learn(self, received: Received) -> None:
        state = received.event
        if isinstance(state, CredentialState) and (
            "plus" in state.scopes or state.credential in self._tokens
        ):
            self._tokens[state.credential] = state
            self.changed.set()

    def running(self, now: datetime) -> frozenset[int]:
        """Return the organisations of which a token is good at ``now``."""
        return frozenset(
            token.organisation
            for token in self._tokens.values()
            if "plus" in token.scopes
            and not token.revoked
            and (token.valid_from is None or token.valid_from <= now)
            and (token.valid_until is None or now < token.valid_until)
            and not self.knowledge.denied(CREDENTIALS, token.credential)
        )

    def until_change(self, now: datetime) -> float:
        """Return the seconds until the next agreement begins or ends, endless where none will."""
        times = (
            at for token in self._tokens.values() for at in (token.valid_from, token.valid_until)
        )
        return min(
            ((at - now).total_seconds() for at in times if at is not None and at > now),
            default=float("inf"),
        )


@dataclass(slots=True)
class Access:
    """Keeps the rights of indexers as agreements say at this moment."""

    knowledge: Knowledge
    address: str = field(repr=False)
    prefix: str
    health: Health
    clock: Clock = SYSTEM
    agreements: Agreements = field(init=False)

    def __post_init__(self) -> None:
        """Hear of agreements."""
        self.agreements = Agreements(self.knowledge)

    async def run(self, draining: asyncio.Event) -> None:
        """Keep rights until told to drain; a broker that is away is waited for."""
        self.health.promise("access", within=STALLED_SECONDS)
        self.health.unready("access", "has not read the agreements to their end yet")
        while not draining.is_set():
            try:
                async with administrator(self.address) as admin:
                    await self._keep(admin, draining)
            except (Transient, NotAllowed, Unsecured) as fault:
                log.warning("access interrupted", reason=str(fault))
                self.health.unready("access", str(fault))
                self.health.beat("access")
                await wait_any(draining, timeout=RETRY_SECONDS)
        self.health.retire("access")

    async def _keep(self, admin: Administrator, draining: asyncio.Event) -> None:
        done: tuple[frozenset[int], bool] | None = None
        looked = float("-inf")
        while not draining.is_set():
            self.agreements.changed.clear()
            now = self.clock.now()
            if self.knowledge.caught_up:
                says = (self.agreements.running(now), self.knowledge.fresh(CREDENTIALS))
                if says != done or self.clock.monotonic() - looked >= LOOK_SECONDS:
                    await self._put_right(admin, says[0], fresh=says[1])
                    done, looked = says, self.clock.monotonic()
                self._report(fresh=says[1])
            self.health.beat("access")
            pause = min(TICK_SECONDS, self.agreements.until_change(now))
            await wait_any(self.agreements.changed, draining, timeout=pause)

    async def _put_right(
        self, admin: Administrator, running: frozenset[int], *, fresh: bool
    ) -> None:
        """Make the difference between what indexers may do and what they should."""
        there = {
            one
            for one in await admin.rights()
            if rights.organisation_of(one.user) is not None and one.name.startswith(self.prefix)
        }
        wanted = due(there, running, self.prefix)
        taken = there - wanted
        given = wanted - there if fresh else frozenset[Right]()
        await admin.withdraw(taken)
        await admin.grant(given)
        if taken or given:
            log.info(
                "rights follow agreements",
                given_to=sorted({one.user for one in given}),
                taken_from=sorted({one.user for one in taken}),
            )

    def _report(self, *, fresh: bool) -> None:
        if fresh:
            self.health.ready("access")
        else:
            self.health.unready("access", "knowledge of agreements is stale: no right is given")
