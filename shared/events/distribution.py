"""What distribution says: works for indexers, and which replica obeys what since when."""

from typing import Any

from pydantic import Field

from shared.events.base import (
    Doi,
    Event,
    Instant,
    OrganisationId,
    Prefix,
    Setting,
    State,
    Version,
)


class Standing(State):
    """Whose a work was, and which setting it was under, when it was published."""

    prefix: Prefix | None = Field(description="The owning prefix; null: it was not known.")
    member: OrganisationId | None = Field(default=None, description="The owning organisation.")
    name: str | None = Field(default=None, description="The name that organisation goes by.")
    setting: Setting | None = Field(
        default=None, description="The reference setting in force; null: not known, none shown."
    )
    policy_version: str = Field(description="Version of the policy file it was judged under.")


class OfferedWork(State):
    """A work as the audience of one topic may see it.

    The newest record of a key is what counts: the order of a key is its offset, since a work is
    published again when its owner or that owner's setting changes, too.
    """

    doi: Doi
    work: dict[str, Any] = Field(
        description="The Crossref work object; `references-withheld` says why a list is not there. "
        "How often it is cited is not in it: that changes without the work."
    )
    work_version: Version = Field(description="The version of the work that this shows.")
    title: str | None = Field(
        default=None, description="Subject of the title it stands in; null: it stands in none."
    )
    standing: Standing


class OpenWorkPublished(OfferedWork, Event, topic="distribution.open.v1", key="doi"):
    """A work as everyone may see it (CRR-7)."""


class PlusWorkPublished(OfferedWork, Event, topic="distribution.plus.v1", key="doi"):
    """A work as holders of a Metadata Plus agreement may see it (CRR-6)."""


class ReplicaAlive(Event, topic="distribution.applied.v1", key="replica"):
    """A replica that serves readers is alive; receipts wait for every live one."""

    replica: str = Field(min_length=1)
    outlets: tuple[str, ...] = Field(description="Names of the interfaces it serves.")
    at: Instant
    stopping: bool = Field(default=False, description="True once, when it stops on purpose.")


class PreferenceApplied(Event, topic="distribution.applied.v1", key="replica"):
    """A replica began to obey a version of a prefix's reference preference."""

    replica: str = Field(min_length=1)
    outlets: tuple[str, ...]
    prefix: Prefix
    prefix_version: Version
    cause: str = Field(description="Id of the event it obeys.")
    at: Instant
