"""What every verb about people needs: their store, keys, policies, mails and the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.accounts.acks import Acks
from services.accounts.errors import Refusal
from services.accounts.mails.people import Pages
from services.accounts.model.people import PersonDetails
from services.accounts.store import PeopleStore
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.mail import Mails, Posting
from shared.mongo import Aggregates
from shared.mongo.deliveries import New
from shared.policy.roles import RolesPolicy
from shared.policy.signing_in import Limit, SigningInPolicy
from shared.privacy.blind import AddressError, BlindIndex
from shared.privacy.keyring import KeyRing
from shared.privacy.tokens import SigningKeys
from shared.privacy.vault import reveal
from shared.runtime.locks import Locks
from shared.web.logins import Logins
from shared.web.quotas import Quotas


@dataclass(frozen=True, slots=True)
class People:
    """Accounts of people at work."""

    store: PeopleStore
    ring: KeyRing
    index: BlindIndex
    roles: RolesPolicy
    signing_in: SigningInPolicy
    signing: SigningKeys
    logins: Logins
    posting: Posting
    quotas: Quotas[Limit]
    acks: Acks
    ack_seconds: float
    pages: Pages
    locks: Locks = field(default_factory=Locks)

    @property
    def mails(self) -> Mails:
        """The queue that asks and mails wait in."""
        return self.posting.mails

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self.store.clock.now()

    def indexes(self, address: str) -> tuple[str, ...] | Refused[Refusal]:
        """Return the blind indexes of an address, the current one last."""
        try:
            return self.index.all(address)
        except AddressError:
            return Refused(Refusal("address-invalid", places=("/email",)))

    async def holder(self, indexes: tuple[str, ...]) -> str | None:
        """Return the person whose document has an address, by any version of its index."""
        for index in reversed(indexes):
            found = await self.store.people.where(subjects=index)
            for one in found:
                if one.status != "closed":
                    return one.person
        return None

    async def details(self, sealed: Sealed | None) -> PersonDetails | Refused[Refusal]:
        """Return a person's details in clear; refused where they are held, gone or were erased."""
        if sealed is None:
            return Refused(Refusal("details-gone"))
        opened = (await reveal(self.ring, PersonDetails, [sealed]))[0]
        if opened.data is None:
            held = opened.withheld == "restricted"
            return Refused(Refusal("details-restricted" if held else "details-gone"))
        return opened.data

    async def ask(self, one: str, kind: str, payload: Mapping[str, Any]) -> None:
        """Leave something to the queue, so that the answer is the same whatever comes of it."""
        await self.mails.queue.enqueue([New(one, kind, payload, kind)])
        self.mails.wake.set()

    async def pending(self, aggregates: Aggregates[Any], key: str) -> bool:
        """Wait for the broker; say whether it does not have everything in time."""
        left = await self.acks.unpublished(
            aggregates, [key], within=self.ack_seconds, clock=self.store.clock
        )
        return bool(left)
