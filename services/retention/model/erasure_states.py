"""What is kept of an erasure: never who it is about in clear, never a key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator

from shared.events.base import Instant, State, Version
from shared.events.orders import (
    Blocker,
    Digest,
    KeptUnits,
    LookedAt,
    OrderKind,
    Outcome,
    Uuid,
    Word,
)
from shared.events.personal import RetentionClass, Sealed
from shared.privacy.certificates.statement import Compaction, Scan

Step = Literal[
    "looking",
    "planned",
    "approved",
    "collected",
    "fenced",
    "destroying",
    "destroyed",
    "ordered",
    "evidenced",
    "compacted",
    "irrecoverable",
    "scanned",
    "certified",
    "closed",
    "refusing",
    "refused",
    "taking-back",
    "taken-back",
]
Waiting = Literal[
    "evidence",  # of these services
    "approval",
    "cooling-off",
    "blockers",  # such as journals that hang on an account
    "holds",  # these
    "other-erasure",  # that fenced some of the same keys before
    "effect",  # until nobody can have a key in hand
    "ledger",  # until the broker has the entry
    "compaction",  # of these topics
    "epochs",  # until what wrapped the keys is gone
    "scan",
    "asking-again",  # what these services hold or say that they hold is not what they proved
    "rooms",  # a part of this service that is not there
]
Reason = Literal[
    "legal-obligation", "legal-claims", "archiving-research", "public-interest", "expression"
]
Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:|-]{1,200}$")]


class Waits(State):
    """One thing that an erasure waits for: who or what, since when, and until when at best."""

    what: Waiting
    who: tuple[Named, ...] = ()
    since: Instant | None = None
    until: Instant | None = None


class Exempt(State):
    """A class of data that is kept although its person asked, why, and until it is asked again."""

    cls: RetentionClass
    reason: Reason
    review_at: Instant


class Counted(State):
    """What one service said that it holds, or did."""

    service: Word
    outcome: Outcome
    looked: tuple[LookedAt, ...]
    manifest: Digest
    looked_at: Instant


class Proven(State):
    """What one service erased and kept, over all rounds; ``digest`` is of its whole evidence.

    ``manifest`` is of the build that gave the last of it, none where it was not kept yet.
    """

    service: Word
    erased: int
    kept: int
    exempted: tuple[RetentionClass, ...]
    tombstones: int
    looked_at: Instant
    digest: Digest
    manifest: Digest | None = None


class Plan(State):
    """What an erasure will do: whom it asks, whose keys go, what is kept, who must be told."""

    erasure: Uuid
    services: tuple[Word, ...]
    records: tuple[KeptUnits, ...]
    exempt: tuple[Exempt, ...]
    found: tuple[Counted, ...]
    processors: tuple[Word, ...]
    policies: Mapping[str, str]


class Round(State):
    """One order that was given: a look, or to erase; rounds follow where more turned up.

    ``late`` ones follow the evidence and are written down before they are given, so that a process
    that goes on cannot decide otherwise. ``by_keys``: it names keys and nobody's blind indexes, for
    whoever registered anew since the evidence is not meant; ``more`` are keys that it names beside
    those of the erasure.
    """

    order: Uuid
    kind: OrderKind
    services: tuple[Word, ...]
    late: bool = False
    by_keys: bool = False
    more: tuple[KeptUnits, ...] = ()


class Listed(State):
    """A processor that was given something of the person, and what staff attest of it since.

    ``told_at`` and ``completed_at`` are when it happened; none where nobody attested it.
    """

    processor: Word
    listed_at: Instant
    told_at: Instant | None = None
    told_by: str | None = None
    completed_at: Instant | None = None
    completed_by: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_before(cls, said: Any) -> Any:
        """Read what was kept when being listed passed for being told."""
        if isinstance(said, Mapping) and "listed_at" not in said:
            return {"processor": said.get("processor"), "listed_at": said.get("told_at")}
        return said


class Ended(State):
    """Up to where a topic's partition held ciphertext of the person, or its tombstones."""

    topic: str
    partition: int
    before: int


class KeptErasure(State):
    """An erasure's document.

    ``keys`` are whose keys go, those that turned up after the plan too; ``cause_id`` is the request
    or the round of a clock. ``salt`` is of the certificate's commitment, for the person alone.
    ``turn`` is that of the process that saved it last: one that comes late is told from it.
    ``left_at`` is when a scan first found what should have been gone by then.
    """

    erasure: Uuid
    cause: Literal["request", "due-clock"]
    cause_id: str
    rule: str | None = None
    asked_by: str
    step: Step = "looking"
    subjects: Sealed | None = None
    asked_records: tuple[KeptUnits, ...] = ()
    exempt: tuple[Exempt, ...] = ()
    services: tuple[Word, ...]
    times: Mapping[Step, Instant]
    rounds: tuple[Round, ...] = ()
    plan: Plan | None = None
    plan_sha: Digest | None = None
    blockers: tuple[Blocker, ...] = ()
    keys: tuple[KeptUnits, ...] = ()
    approver: str | None = None
    rests_until: Instant | None = None
    overdue_at: Instant | None = None
    others: tuple[Uuid, ...] = ()
    listed: tuple[Listed, ...] = Field(default=(), validation_alias=AliasChoices("listed", "told"))
    evidence: tuple[Proven, ...] = ()
    unreadable_at: Instant | None = None
    ends: tuple[Ended, ...] = ()
    receipts: tuple[Compaction, ...] = ()
    irrecoverable_at: Instant | None = None
    left_at: Instant | None = None
    scan: Scan | None = None
    salt: str
    statement: Mapping[str, Any] | None = None
    certificate: str | None = None
    awaiting: tuple[Waits, ...] = ()
    ended_by: str | None = None
    refused_for: Word | None = None
    turn: int = 0
    version: Version = 1

    @property
    def whole_person(self) -> bool:
        """Whether everything of a person is meant, and not single records whose clock was due."""
        return self.cause == "request"
