"""Memberships, and mail to contacts, as operators see them: no name and no address of anybody."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field

from services.accounts.model.memberships import KeptMembership
from services.accounts.model.role_mails import KeptRoleMail
from shared.events.contacts import MembershipStatus
from shared.web import Answer


class Applied(Answer):
    """What whoever applies is told."""

    application: str
    status: MembershipStatus

    @classmethod
    def told(cls, state: KeptMembership) -> "Applied":
        """Tell that an application is kept."""
        return cls(application=state.application, status=state.status)


class MembershipFact(Answer):
    """What happened to a membership, when, by whom."""

    at: datetime
    what: str
    on: date | None
    actor: str


class Membership(Applied):
    """An application for membership."""

    name: str
    location: str | None
    steps: Mapping[str, date] = Field(description="Steps on record, with their days.")
    organisation: int | None = Field(description="Its number, from when it is active.")
    facts: tuple[MembershipFact, ...]
    version: int

    @classmethod
    def of(cls, state: KeptMembership) -> "Membership":
        """Show an application."""
        return cls(
            application=state.application,
            status=state.status,
            name=state.name,
            location=state.location,
            steps=state.steps,
            organisation=state.organisation,
            facts=tuple(
                MembershipFact(at=one.at, what=one.what, on=one.on, actor=one.actor)
                for one in state.facts
            ),
            version=state.version,
        )


class Memberships(Answer):
    """A page of applications, newest first."""

    memberships: tuple[Membership, ...]
    next: str | None = Field(description="Address of the next page, null on the last.")


class RoleMail(Answer):
    """A request to mail contacts, and how many it reached; never whom (CRP-5b)."""

    request: str
    purpose: str
    role: str
    at: datetime
    allowed: int = Field(description="Contacts for whom it waits, or to whom it went.")
    refused: Mapping[str, int] = Field(description="Contacts who do not get it, by reason.")

    @classmethod
    def of(cls, state: KeptRoleMail) -> "RoleMail":
        """Show a request."""
        return cls(
            request=state.request,
            purpose=state.purpose,
            role=state.role,
            at=state.at,
            allowed=state.allowed,
            refused=state.refused,
        )
