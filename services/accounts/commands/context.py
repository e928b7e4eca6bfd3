"""What every verb needs: the store, the policy, the time, and how long to wait for the broker."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.accounts.acks import Acks
from services.accounts.directory import Numbers
from services.accounts.errors import Refusal
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.prefixes import KeptPrefix, Said
from services.accounts.store import Store
from shared.mongo import Aggregates, Refused
from shared.policy import EffectiveSetting, ReferencesPolicy, effective_setting


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts at work; ``login_key`` hashes logins, ``ack_seconds`` bound waits for the broker."""

    store: Store
    policy: ReferencesPolicy
    login_key: bytes
    ack_seconds: float
    acks: Acks = field(default_factory=Acks)
    numbers: Numbers = field(default_factory=Numbers)

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self.store.clock.now()

    def said(self, actor: str) -> Said:
        """Return who chooses, now, under the policy in force."""
        return Said(actor, self.now(), self.policy.version)

    def in_force(self, prefix: KeptPrefix) -> EffectiveSetting:
        """Return the setting in force for a prefix."""
        return effective_setting(self.policy, prefix.setting, prefix.account_default, self.now())

    async def pending(self, aggregates: Aggregates[Any], keys: Sequence[Any]) -> frozenset[Any]:
        """Wait for the broker; return the keys of which it has not everything in time."""
        if not keys:
            return frozenset()
        return await self.acks.unpublished(
            aggregates, keys, within=self.ack_seconds, clock=self.store.clock
        )

    async def organisation(self, number: int) -> KeptOrganisation | Refused[Refusal]:
        """Return an organisation."""
        found = await self.store.organisations.load(number)
        return found or Refused(Refusal("organisation-unknown"))
