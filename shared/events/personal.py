"""Personal data on topics: encrypted records, one kind of event for each service that keeps any.

They travel on compacted ``<service>.personal.v1`` topics only, under ``person|class|record``, and
all of a person's lie in one partition. A tombstone follows where a record was erased; its fence is
the destroyed key.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from shared.events.base import Event, State, Version

Pseudonym = Annotated[
    str,
    Field(
        pattern=r"^p[0-9a-f]{32}$",
        description="A random name for one person, of one service; it says nothing of them.",
        examples=["p5d41402abc4b2a76b9719d911017c592"],
    ),
]
RetentionClass = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,40}$", examples=["account"])]
BlindIndexed = Annotated[
    str,
    Field(
        pattern=r"^bi[1-9][0-9]*\.[0-9a-f]{64}$",
        description="Keyed hash of an e-mail address, the same in every service.",
    ),
]
Envelope = Annotated[
    str,
    Field(
        pattern=r"^pe1\.[A-Za-z0-9_.:-]{1,200}\.[A-Za-z0-9_-]{38,}$",
        description="A value that only the person's key opens: pe1.<key id>.<base64url>.",
    ),
]


class Sealed(State):
    """Personal data of one person in one record, encrypted field by field."""

    schema_id: str = Field(
        pattern=r"^[a-z]+\.[a-z-]+\.v[0-9]+$", description="What the record is, and which version."
    )
    person: Pseudonym
    cls: RetentionClass
    unit: str = Field(
        pattern=r"^[a-z0-9-]{1,64}$", description="The record or period with one clock."
    )
    record: str = Field(
        pattern=r"^[a-z0-9-]{1,64}$", description="The record that the values belong to."
    )
    values: Mapping[str, Envelope] = Field(description="Envelopes by JSON pointer.")


class PersonalRecordState(State):
    """A personal record and whom it is found by."""

    record_key: str = Field(description="person|class|record")
    sealed: Sealed
    subjects: tuple[BlindIndexed, ...] = Field(
        default=(), description="Addresses that stand in it, so that their holders are found."
    )
    version: Version

    @model_validator(mode="after")
    def _named(self) -> Self:
        of = self.sealed
        if self.record_key != f"{of.person}|{of.cls}|{of.record}":
            raise ValueError("a personal record stands under person|class|record")
        return self


class AccountsRecordKept(
    PersonalRecordState, Event, topic="accounts.personal.v1", key="record_key"
):
    """Accounts keeps this of a person."""


class RecordGone(Event):
    """A personal record that is kept no longer.

    It travels as its key alone, without a value, so that compaction takes what stood under it. It
    is no event that anybody could read, so the registry does not hold it.
    """

    key_field: ClassVar[str] = "record_key"

    record_key: str
    version: Version


class AccountsRecordGone(RecordGone):
    """Accounts keeps this of a person no longer."""

    topic: ClassVar[str] = "accounts.personal.v1"
    type: ClassVar[str] = "accounts.record-gone.v1"


class ConsentRecordKept(PersonalRecordState, Event, topic="consent.personal.v1", key="record_key"):
    """Consent keeps this of a person."""


class RetentionRecordKept(
    PersonalRecordState, Event, topic="retention.personal.v1", key="record_key"
):
    """Retention keeps this of a person, who asked for something."""


class RetentionRecordGone(RecordGone):
    """Retention keeps this of a person no longer."""

    topic: ClassVar[str] = "retention.personal.v1"
    type: ClassVar[str] = "retention.record-gone.v1"


class ConsentRecordGone(RecordGone):
    """Consent keeps this of a person no longer."""

    topic: ClassVar[str] = "consent.personal.v1"
    type: ClassVar[str] = "consent.record-gone.v1"


def record_key(sealed: Sealed) -> str:
    """Return the key under which a sealed record travels."""
    return f"{sealed.person}|{sealed.cls}|{sealed.record}"
