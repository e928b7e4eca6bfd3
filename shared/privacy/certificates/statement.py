"""What a certificate says of an erasure, and what it must not say unless it is so.

A statement that contradicts itself cannot be made: a level before the one that it follows from, a
service that was asked and gave no evidence, a look that found something still there, a scan that
missed one of its planted controls.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.privacy.certificates.shapes import (
    Count,
    Digest,
    Id,
    Impersonal,
    Instant,
    Period,
    Since,
    Word,
)

SALT_BYTES: Final = 16  # the least that keeps a pseudonym from being guessed

Replicas = Annotated[int, Field(ge=1, description="How many replicas the partition has.")]
Result = Literal["erased", "nothing-found", "exempt"]
Reason = Literal[
    "legal-obligation", "legal-claims", "archiving-research", "public-interest", "expression"
]


class Levels(Impersonal):
    """How far the erasure went, and when it got there."""

    fenced: Instant = Field(description="Nothing may be encrypted or read any more.")
    unreadable: Instant = Field(description="The keys are gone from the live system.")
    irrecoverable: Instant = Field(description="What wrapped them is gone: no backup revives them.")
    gone: Instant = Field(
        description="The ciphertext left the log, on every replica that could be seen."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.fenced <= self.unreadable <= min(self.irrecoverable, self.gone):
            raise ValueError("fenced comes first, unreadable next, the others after it")
        return self


class Manifest(Impersonal):
    """Who had to be asked: the plan as it was approved, and the services in it or added since."""

    plan: Digest
    services: tuple[Word, ...] = Field(min_length=1)


class Evidence(Impersonal):
    """What one service found, erased and kept, by a second look after its writes."""

    service: Word
    result: Result
    matched: Count
    erased: Count
    kept: Count = Field(description="Exempt; the exemptions say why.")
    remaining: Literal[0] = Field(description="Neither erased nor exempt.")
    tombstones: Count
    looked_at: Instant
    digest: Digest = Field(description="SHA-256 of the whole evidence, canonical JSON.")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        result = "erased" if self.erased else "exempt" if self.kept else "nothing-found"
        if self.matched != self.erased + self.kept or self.result != result:
            raise ValueError("what a service matched it erased or kept, and its result says which")
        return self


class Compaction(Impersonal):
    """One replica's log holds nothing before a tombstone any more.

    A partition may have more ``replicas`` than it has receipts: of the others nothing is shown.
    """

    topic: Word
    partition: Count
    broker: Count
    tombstone: Count = Field(description="Offset of the last tombstone.")
    cleaned: Count = Field(description="First offset that was not cleaned.")
    how: Literal["cleaner-checkpoint", "full-read"]
    at: Instant
    replicas: Since[Replicas] = None

    @model_validator(mode="after")
    def _beyond(self) -> Self:
        if self.cleaned <= self.tombstone:
            raise ValueError("a log is cleaned beyond the tombstone, or it is no receipt")
        return self


class Scan(Impersonal):
    """A search of the log for what should be gone, with planted controls that it must find."""

    report: Digest
    records: Count
    octets: Count
    residual: Literal[0]
    planted: int = Field(ge=1)
    found: Count
    at: Instant

    @model_validator(mode="after")
    def _sees(self) -> Self:
        if self.found != self.planted:
            raise ValueError("a scan that missed a control has shown nothing")
        return self


class Exemption(Impersonal):
    """A class of data that is kept, by which rule, and when that is looked at again."""

    cls: Word
    reason: Reason
    rule: Word
    review_at: Instant


class Processor(Impersonal):
    """Somebody who was given data: listed, told, and done, as far as anybody says so.

    ``attested``: staff say that it confirmed; ``completed``: its own receipt does. ``awaited``
    stands in certificates from when being listed passed for being told: ``told_at`` is when it was
    listed there, and whether it was told nobody said.
    """

    processor: Word
    listed_at: Since[Instant] = None
    told_at: Instant | None = Field(default=None, description="None: nobody says that it was.")
    state: Literal["listed", "told", "attested", "completed", "awaited"]
    completed_at: Instant | None = None
    receipt: Digest | None = None

    @model_validator(mode="after")
    def _when(self) -> Self:
        if (self.completed_at is None) == (self.state in {"attested", "completed"}):
            raise ValueError("what is completed has a time, what is not has none")
        if (self.listed_at is None) != (self.state == "awaited"):
            raise ValueError("a processor is listed before it is told")
        if self.told_at is None and self.state in {"told", "awaited"}:
            raise ValueError("what was told has a time")
        if self.told_at is not None and self.state == "listed":
            raise ValueError("who was told is not only listed")
        return self


class PolicyInForce(Impersonal):
    """A policy file that the erasure was decided by."""

    policy: Word
    version: Word
    digest: Digest


class Guarantees(Impersonal):
    """What the key store promises.

    Of a key in a file nobody can show that no copy was made: it is overwritten and unlinked, and
    ``epochs_end`` says so. A key service says itself that it destroyed an epoch.
    """

    key_provider: Literal["file", "key-service"]
    epochs_end: Literal["unlinked", "attested"]
    replicas: int = Field(
        ge=1, description="How many replicas of each partition were seen, at the least."
    )
    backup_bound: Period = Field(description="How long a backup of the key store could be of use.")

    @model_validator(mode="after")
    def _no_more_than_true(self) -> Self:
        if (self.key_provider == "file") != (self.epochs_end == "unlinked"):
            raise ValueError("files are unlinked, and only a key service attests")
        return self


class Statement(Impersonal):
    """All that is certified: a record of the tree, in canonical JSON."""

    type: Literal["ErasureCertificate/1"] = "ErasureCertificate/1"
    certificate: Id
    request: Id
    cause: Literal["request", "due-clock"]
    rule: Word | None = Field(default=None, description="The rule whose clock was due.")
    subject: Digest = Field(description="Salted commitment; the salt is given to the person only.")
    levels: Levels
    manifest: Manifest
    evidence: tuple[Evidence, ...]
    compaction: tuple[Compaction, ...] = ()
    scan: Scan
    exemptions: tuple[Exemption, ...] = ()
    processors: tuple[Processor, ...] = ()
    policies: tuple[PolicyInForce, ...] = Field(min_length=1)
    guarantees: Guarantees

    @model_validator(mode="after")
    def _whole(self) -> Self:
        answered = sorted(one.service for one in self.evidence)
        if answered != sorted(self.manifest.services):
            raise ValueError("each service of the manifest gives evidence, once, and no other")
        if any(one.kept for one in self.evidence) != bool(self.exemptions):
            raise ValueError("what is kept has an exemption, and nothing else has")
        if any(one.replicas and one.replicas < one.seen for one in seen_of(self.compaction)):
            raise ValueError("no more replicas are seen than there are")
        if any(one.tombstones for one in self.evidence) and not self.compaction:
            raise ValueError("where tombstones were written, replicas show that they were obeyed")
        if (self.cause == "due-clock") != (self.rule is not None):
            raise ValueError("a due clock has a rule, a request has none")
        return self


@dataclass(frozen=True, slots=True)
class Seen:
    """How many replicas of a partition were seen, of how many; none where nobody wrote that."""

    topic: str
    partition: int
    seen: int
    replicas: int | None


def seen_of(compaction: Iterable[Compaction]) -> tuple[Seen, ...]:
    """Return how many replicas of each partition gave a receipt, and how many there are."""
    found: dict[tuple[str, int], list[Compaction]] = {}
    for one in compaction:
        found.setdefault((one.topic, one.partition), []).append(one)
    return tuple(
        Seen(
            topic,
            partition,
            len({one.broker for one in given}),
            max((one.replicas for one in given if one.replicas), default=None),
        )
        for (topic, partition), given in sorted(found.items())
    )


def commitment(salt: bytes, pseudonyms: Iterable[str]) -> str:
    """Return what a certificate calls a person: it tells nothing without the salt.

    SHA-256 of the salt and the person's pseudonyms, sorted, a line feed after each.
    """
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a salt has at least {SALT_BYTES} bytes")
    return sha256(salt + "".join(f"{one}\n" for one in sorted(pseudonyms)).encode()).hexdigest()
