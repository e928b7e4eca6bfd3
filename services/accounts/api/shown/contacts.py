"""Contacts as they are shown; name and address to the organisation, and to staff for a reason."""

from datetime import datetime

from pydantic import Field

from services.accounts.commands.contacts.seats import Shown
from services.accounts.model.contacts import KeptSeat
from shared.events.contacts import ContactStanding
from shared.privacy.vault import Withheld
from shared.web import Answer


class ContactFact(Answer):
    """What happened to a role, when, by whom."""

    at: datetime
    what: str
    contact: str
    actor: str


class Contact(Answer):
    """A role of an organisation and who has it."""

    role: str
    standing: ContactStanding = Field(
        description="asked: named, and not agreed yet; agreed; vacant: nobody has it."
    )
    contact: str | None
    name: str | None = None
    email: str | None = None
    withheld: Withheld | None = Field(
        default=None,
        description="Why name and address are null: restricted by a hold, or gone.",
    )
    wanted_since: datetime | None = Field(
        description="Since when the organisation is asked to name another contact."
    )
    facts: tuple[ContactFact, ...]
    version: int

    @classmethod
    def of(cls, found: Shown) -> "Contact":
        """Show a role."""
        state, opened = found.state, found.opened
        details = opened.data if opened else None
        return cls(
            role=state.role,
            standing=state.standing,
            contact=state.contact,
            name=details.name if details else None,
            email=details.email if details else None,
            withheld=opened.withheld if opened else None,
            wanted_since=state.wanted_since,
            facts=tuple(
                ContactFact(at=one.at, what=one.what, contact=one.contact, actor=one.actor)
                for one in state.facts
            ),
            version=state.version,
        )


class Contacts(Answer):
    """The roles of an organisation that ever had a contact."""

    contacts: tuple[Contact, ...]


class Standing(Answer):
    """What a contact is shown of themselves: the role, and what stands of it."""

    role: str
    standing: str

    @classmethod
    def of(cls, state: KeptSeat, contact: str) -> "Standing":
        """Show the role to whom a link was mailed; to whoever has it no more, that alone."""
        held = state.contact == contact
        return cls(role=state.role, standing=state.standing if held else "left")
