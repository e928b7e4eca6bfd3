"""Events of accounts about applications of volunteers: pseudonyms, dates and verdicts, no names.

Who applied, and the referees they named, travel encrypted on accounts.personal.v1: each under a
pseudonym that stands for this application alone.
"""

from typing import Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version
from shared.events.people import Uuid, Word
from shared.events.personal import Pseudonym

VolunteerStatus = Literal["open", "accepted", "rejected"]
VolunteerWhat = Literal["applied", "accepted", "rejected", "archived"]


class VolunteerFact(State):
    """One dated fact: what became of an application, and by whom."""

    at: Instant
    what: VolunteerWhat
    actor: str = Field(description="self, for who applied, or staff:<pseudonym>.")


class VolunteerState(State):
    """An application of a volunteer, as others may know it."""

    application: Uuid
    applicant: Pseudonym
    referees: tuple[Pseudonym, ...] = Field(default=(), max_length=20)
    status: VolunteerStatus = "open"
    category: Word | None = Field(
        default=None, description="What the account is for that came of it; rows of roles.toml."
    )
    applied_at: Instant
    decided_at: Instant | None = Field(
        default=None, description="When it was accepted or rejected: the end of its use."
    )
    archived_at: Instant | None = None
    facts: tuple[VolunteerFact, ...] = Field(default=(), max_length=20)
    version: Version


class VolunteerApplied(VolunteerState, Event, topic="accounts.volunteers.v1", key="application"):
    """Somebody applied to review as a volunteer."""


class VolunteerAccepted(VolunteerState, Event, topic="accounts.volunteers.v1", key="application"):
    """An application was accepted; its applicant is offered an account."""


class VolunteerRejected(VolunteerState, Event, topic="accounts.volunteers.v1", key="application"):
    """An application was rejected."""


class VolunteerArchived(VolunteerState, Event, topic="accounts.volunteers.v1", key="application"):
    """A decided application was archived; the team reads it no more."""
