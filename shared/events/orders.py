"""Orders of retention to all services, what they answer, and the ledger of what was erased.

Nothing here is personal: people stand as pseudonyms of the service that knows them, or as blind
indexes sealed under a key of the request's own.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version
from shared.events.personal import Envelope, RetentionClass, Sealed
from shared.events.retention import KeysId

OrderKind = Literal["look", "erase"]
Outcome = Literal["found", "erased", "nothing-found", "exempt", "could-not-look"]
Uuid = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KeptUnits(State):
    """Keys of one person in one class: all of them, or those of some units."""

    keys_id: KeysId
    units: tuple[str, ...] = Field(default=(), description="Records or periods; none: all.")


class OrderState(State):
    """What every service is to look for or to erase."""

    order: Uuid
    erasure: Uuid = Field(description="The erasure that it is a step of.")
    kind: OrderKind
    services: tuple[Word, ...] = Field(min_length=1, description="Who has to answer.")
    subjects: Sealed | None = Field(
        default=None, description="Blind indexes of the person; none where a clock was due."
    )
    records: tuple[KeptUnits, ...] = Field(
        default=(), description="Whose keys are meant, as far as that is known already."
    )
    classes: tuple[RetentionClass, ...] = Field(
        default=(), description="What is to go; none: every class."
    )
    exempt: tuple[RetentionClass, ...] = Field(default=(), description="What is kept of it.")
    tells: bool = Field(
        default=False,
        description="Whether an answer tells what stands in no topic: for an access package.",
    )
    given_at: Instant
    ended_at: Instant | None = None
    version: Version


class LookOrdered(OrderState, Event, topic="retention.orders.v1", key="order"):
    """Every service is to say what it holds, and to erase nothing: the plan of an erasure."""


class ErasureOrdered(OrderState, Event, topic="retention.orders.v1", key="order"):
    """Every service is to erase what it holds, and to answer with evidence."""


class OrderEnded(OrderState, Event, topic="retention.orders.v1", key="order"):
    """All answers are there, or the order was taken back: nobody need do anything any more."""


class LookedAt(State):
    """What became of one collection's records, by a second look after the writes."""

    collection: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    matched: int = Field(ge=0)
    erased: int = Field(default=0, ge=0)
    kept: int = Field(default=0, ge=0, description="Exempt.")
    remaining: int = Field(default=0, ge=0, description="Neither erased nor exempt.")


class Tombstoned(State):
    """How many records of a person were told to be gone, on which topic."""

    topic: str
    partition: int = Field(ge=0)
    count: int = Field(ge=1)


class Blocker(State):
    """What has to be done first, such as journals that hang on an account (DOAJ-8a1)."""

    what: Word
    count: int = Field(ge=1)


class EvidenceState(State):
    """What one service found and did for an order. "Nothing found" says when it looked."""

    order: Uuid
    erasure: Uuid
    kind: OrderKind
    service: Word
    outcome: Outcome
    looked: tuple[LookedAt, ...] = ()
    keys_found: tuple[KeptUnits, ...] = Field(
        default=(), description="Whose keys what was found is encrypted under."
    )
    exempted: tuple[RetentionClass, ...] = Field(
        default=(), description="Classes of which something was kept."
    )
    blockers: tuple[Blocker, ...] = ()
    processors: tuple[Word, ...] = Field(
        default=(), description="Who was given some of it and must be told."
    )
    tombstones: tuple[Tombstoned, ...] = ()
    told: Sealed | None = Field(
        default=None,
        description="What stands in no topic, under the key of the order's blind indexes.",
    )
    manifest: Digest = Field(description="SHA-256 of what this build says that it holds.")
    reason: Word | None = Field(default=None, description="Why it could not look.")
    looked_at: Instant
    version: Version


class AccountsEvidenceGiven(EvidenceState, Event, topic="accounts.erasures.v1", key="order"):
    """Accounts answered."""


class ConsentEvidenceGiven(EvidenceState, Event, topic="consent.erasures.v1", key="order"):
    """Consent answered."""


class DepositsEvidenceGiven(EvidenceState, Event, topic="deposits.erasures.v1", key="order"):
    """Deposits answered."""


class RetentionEvidenceGiven(EvidenceState, Event, topic="retention.erasures.v1", key="order"):
    """Retention answered, for it holds requests of people itself."""


class LedgerState(State):
    """One erasure in the ledger: whose keys are gone for ever, and how far it went.

    Written when the fence is set, before anything is destroyed, and never removed. A service whose
    store is behind the ledger erases again by these pseudonyms before it serves (design, law P2).
    """

    entry: Uuid = Field(description="The erasure.")
    seq: int = Field(ge=1, description="Its place in the ledger; no two have the same.")
    records: tuple[KeptUnits, ...]
    fenced_at: Instant
    unreadable_at: Instant | None = None
    certified_at: Instant | None = None
    version: Version


class LedgerEntryWritten(LedgerState, Event, topic="retention.ledger.v1", key="entry"):
    """An erasure went as far as this."""


class ControlPlanted(Event, topic="retention.controls.v1", key="control"):
    """A scan of the log has to find this, in a batch of this codec, or it has shown nothing.

    Its envelope is under a key that nobody ever had.
    """

    control: Word = Field(description="The codec.")
    envelope: Envelope
    room: str = Field(description="Blanks: a client compresses only what gets smaller.")
    version: Version
