"""Events of accounts about memberships and about contacts of organisations by role.

Pseudonyms and dated facts: what a contact is called and where mail reaches them travels encrypted
on accounts.personal.v1.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, OrganisationId, State, Version
from shared.events.people import Uuid, Word
from shared.events.personal import Pseudonym

ContactStanding = Literal["asked", "agreed", "vacant"]
ContactWhat = Literal["named", "corrected", "agreed", "opted-out", "replaced", "removed"]
MembershipStatus = Literal["inactive", "active", "refused", "withdrawn"]
ContactActor = Annotated[
    str, Field(description="self, operator, organisation:<id>, staff:<pseudonym>, retention.")
]


class ContactFact(State):
    """One dated fact of a role: what happened to which of its contacts, and by whom."""

    at: Instant
    what: ContactWhat
    contact: Pseudonym
    actor: ContactActor
    policy_version: str = Field(description="Version of the file of roles at that time.")


class ContactState(State):
    """A role of an organisation: who has it, and what they said to that."""

    seat: Annotated[
        str,
        Field(pattern=r"^[0-9]+\|[a-z][a-z0-9-]{0,40}$", description="<organisation>|<role>"),
    ]
    organisation: OrganisationId
    role: Word = Field(description="A row of contacts.toml.")
    standing: ContactStanding
    contact: Pseudonym | None = Field(default=None, description="Null: the role is vacant.")
    wanted_since: Instant | None = Field(
        default=None, description="Since when the organisation is asked for another contact."
    )
    facts: tuple[ContactFact, ...] = Field(
        default=(), max_length=500, description="Oldest first; the first one always stays."
    )
    version: Version


class ContactNamed(ContactState, Event, topic="accounts.contacts.v1", key="seat"):
    """Somebody was named for a role, in whosoever's place, and is asked whether they agree."""


class ContactCorrected(ContactState, Event, topic="accounts.contacts.v1", key="seat"):
    """A contact's name was mended; the person is the same."""


class ContactAgreed(ContactState, Event, topic="accounts.contacts.v1", key="seat"):
    """Whoever reads the mail of a contact's address agreed to the role (CRP-4g)."""


class ContactOptedOut(ContactState, Event, topic="accounts.contacts.v1", key="seat"):
    """A contact wants no more mail of the role; it is vacant, in force at once (CRP-4g)."""


class ContactRemoved(ContactState, Event, topic="accounts.contacts.v1", key="seat"):
    """The organisation, or staff, took a contact's role; it is vacant."""


class MembershipFact(State):
    """One dated fact: a step on record, or how the application ended."""

    at: Instant = Field(description="When it was recorded.")
    what: Word = Field(description="applied, active, refused, withdrawn, or a step.")
    on: date | None = Field(default=None, description="The day it happened, as an operator said.")
    actor: ContactActor


class MembershipState(State):
    """An application for membership, and the membership it became."""

    application: Uuid
    name: str = Field(description="The organisation's name.")
    location: str | None = None
    status: MembershipStatus
    organisation: OrganisationId | None = Field(
        default=None, description="The organisation's number, from when it is active."
    )
    facts: tuple[MembershipFact, ...] = Field(max_length=100)
    version: Version


class MembershipApplied(MembershipState, Event, topic="accounts.memberships.v1", key="application"):
    """An organisation applied; the membership is inactive (CRP-4a)."""


class MembershipStepRecorded(
    MembershipState, Event, topic="accounts.memberships.v1", key="application"
):
    """One of the things that make it active stands on record, and others are missing."""


class MembershipActivated(
    MembershipState, Event, topic="accounts.memberships.v1", key="application"
):
    """The last of them stands on record: the membership is active (CRP-4b)."""


class MembershipRefused(MembershipState, Event, topic="accounts.memberships.v1", key="application"):
    """The application was refused, and its contacts were let go."""


class MembershipWithdrawn(
    MembershipState, Event, topic="accounts.memberships.v1", key="application"
):
    """The applicant took the application back, and its contacts were let go."""
