"""Observations of distribution: which replica obeys what, since when."""

from pydantic import Field

from shared.events.base import Event, Instant, Prefix, Version


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
