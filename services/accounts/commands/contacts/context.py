"""What every verb about contacts and memberships needs, beside what those about people do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.accounts.commands.contacts.gate import ContactsGate
from services.accounts.commands.context import Accounts
from services.accounts.commands.persons import People
from services.accounts.errors import Refusal
from services.accounts.model.contacts import ContactDetails, KeptSeat, seat_key
from services.accounts.model.prefixes import Said
from services.accounts.store import ContactStore
from shared.events.decisions import Refused
from shared.events.personal import Sealed
from shared.mail import Posting
from shared.policy.contacts import ContactsPolicy
from shared.privacy.suppression import suppressions
from shared.privacy.vault import Opened, reveal


@dataclass(frozen=True, slots=True)
class Contacting:
    """Contacts at work; ``key`` signs links and makes suppressions, ``public_url`` begins links."""

    store: ContactStore
    accounts: Accounts
    people: People
    policy: ContactsPolicy
    gate: ContactsGate
    key: bytes
    public_url: str

    @property
    def posting(self) -> Posting:
        """What lets mails wait, behind the gate that knows contacts."""
        return Posting(self.people.mails, self.gate)

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self.store.clock.now()

    def said(self, actor: str) -> Said:
        """Return who says something, now, under the policy in force."""
        return Said(actor, self.now(), self.policy.version)

    async def seat(self, organisation: int, role: str) -> KeptSeat | None:
        """Return a role's seat at an organisation."""
        return await self.store.seats.load(seat_key(organisation, role))

    def left_behind(self, seat: str, subjects: Sequence[str]) -> tuple[str, ...]:
        """Return what an address that opted out of a seat leaves there, the current one last."""
        return tuple(suppressions(self.key, f"contact:{seat}", subjects))

    async def details(self, sealed: Sequence[Sealed]) -> list[Opened[ContactDetails]]:
        """Return contacts in clear, in their order, or why they are not."""
        return await reveal(self.people.ring, ContactDetails, sealed)

    def indexes(self, email: str, place: str) -> tuple[str, ...] | Refused[Refusal]:
        """Return the blind indexes of an address; ``place`` is where it stands in the request."""
        found = self.people.indexes(email)
        # What is no line cannot stand in a mail's header.
        if isinstance(found, Refused) or not email.isprintable():
            return Refused(Refusal("address-invalid", places=(place,)))
        return found
