"""Events of retention: what has become of the keys that personal data is encrypted under."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version

Fence = Literal["active", "restricted", "fenced", "destroyed"]

KeysId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]{8,64}\.[a-z][a-z-]{0,40}$",
        description="Whose keys of which retention class: a service's pseudonym, a dot, the class.",
        examples=["p5d41402abc4b2a76b9719d911017c592.account"],
    ),
]


class FencedUnit(State):
    """One record's or period's key that is on its way out, or gone."""

    unit: str
    fenced_at: Instant
    destroyed_at: Instant | None = None


class KeysState(State):
    """The keys of one person in one retention class: their fence and what is gone; never a key."""

    keys_id: KeysId
    fence: Fence = Field(description="What may be done under these keys; `destroyed` is for ever.")
    holds: tuple[str, ...] = Field(default=(), description="Holds that restrict who may read.")
    fenced_at: Instant | None = None
    destroyed_at: Instant | None = None
    cause: str | None = Field(
        default=None, description="The request or due clock that the fence goes back to."
    )
    gone: tuple[FencedUnit, ...] = Field(
        default=(), description="Units that were fenced one by one, oldest first."
    )
    version: Version


class KeysRestricted(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """A hold was placed: only those who handle it may read."""


class KeysReleased(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """The last hold was lifted, or a fence was taken back before anything was destroyed."""


class KeysFenced(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """Nothing may be encrypted or read under these keys any more."""


class KeysDestroyed(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """The keys are gone, for ever: nothing under them can be read again."""


class KeyUnitFenced(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """The key of one record is on its way out; the person's others are untouched."""


class KeyUnitDestroyed(KeysState, Event, topic="retention.keys.v1", key="keys_id"):
    """The key of one record is gone, for ever."""
