"""Events of deposits: submissions, works and who owns a work."""

from typing import Any, Literal

from pydantic import Field

from shared.events.base import Doi, Event, Instant, OrganisationId, Prefix, State, Version


class WorkState(State):
    """A registered work, whole: what its newest accepted deposit says, references included."""

    doi: Doi
    prefix: Prefix = Field(description="The DOI's own prefix; it never changes.")
    timestamp: str = Field(
        pattern=r"^[0-9]{1,32}$",
        description="The depositor's version number, compared as a plain number.",
    )
    created: Instant = Field(description="When the DOI was first registered.")
    deposited: Instant = Field(description="When this state was accepted.")
    submission: str = Field(description="<submission>#<record>: the record that said this.")
    work: dict[str, Any] = Field(
        description="The Crossref work object as far as a deposit says it."
    )
    title: str | None = Field(
        default=None, description="Subject of the title it stands in; null: it stands in none."
    )
    version: Version


class WorkRegistered(WorkState, Event, topic="deposits.works.v1", key="doi"):
    """A DOI was registered for the first time (CRR-1)."""


class WorkUpdated(WorkState, Event, topic="deposits.works.v1", key="doi"):
    """A redeposit with a greater timestamp replaced the work's metadata."""


class OwnershipState(State):
    """An override of who owns a work; without one the DOI's prefix decides."""

    subject: Doi
    owner_prefix: Prefix
    version: Version


class WorkOwnerAssigned(OwnershipState, Event, topic="deposits.ownership.v1", key="subject"):
    """A single work was given to the owner of another prefix; its setting does not move along."""


class TitleState(State):
    """A journal, book or conference series as registered: what identifies it, and its owner.

    Works that stand in it belong to the owner of ``owner_prefix``, save for those that have an
    owner of their own.
    """

    subject: str = Field(
        pattern=r"^(journal|book|conference):.+$",
        description="<kind>:<the identifier it was first registered by>.",
    )
    name: str = Field(description="As its first deposit wrote it.")
    names: tuple[str, ...] = Field(default=(), description="Other names it may be deposited by.")
    issns: tuple[str, ...] = ()
    isbns: tuple[str, ...] = ()
    doi: Doi | None = None
    owner_prefix: Prefix
    version: Version


class TitleRegistered(TitleState, Event, topic="deposits.ownership.v1", key="subject"):
    """A title was deposited under for the first time; its first depositor's prefix owns it."""


class TitleChanged(TitleState, Event, topic="deposits.ownership.v1", key="subject"):
    """A title got another name or a further identifier."""


class TitleTransferred(TitleState, Event, topic="deposits.ownership.v1", key="subject"):
    """A title was given to the owner of another prefix; the setting does not move along."""


class SubmissionState(State):
    """A deposit file on its way; free of personal data."""

    submission: str = Field(min_length=1)
    organisation: OrganisationId
    status: Literal["queued", "completed"]
    received_at: Instant
    completed_at: Instant | None = None
    record_count: int = 0
    success_count: int = 0
    warning_count: int = 0
    failure_count: int = 0
    version: Version


class SubmissionReceived(SubmissionState, Event, topic="deposits.submissions.v1", key="submission"):
    """A deposit file is durable; the caller was told so."""


class SubmissionCompleted(
    SubmissionState, Event, topic="deposits.submissions.v1", key="submission"
):
    """Every record of a submission has its diagnostic."""
