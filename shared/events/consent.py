"""Events of consent: notices and their versions, what people consented to, and processors.

Nobody is named: a consent stands under the blind index of an address and a purpose, so that every
service finds it by the address it knows itself.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version
from shared.events.personal import BlindIndexed, Pseudonym

Change = Literal["material", "editorial"]
Happened = Literal["requested", "given", "refused", "withdrawn", "expired", "reconfirmed"]
By = Literal["person", "operator", "system"]
Channel = Literal["link", "one-click", "letter", "e-mail", "telephone", "account", "clock"]

NoticeId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$", examples=["index-users"])]
ConsentPurpose = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z-]{0,40}(:[a-z][a-z0-9-]{0,40})?$",
        description="A purpose of the policy; of a list, or of a contact's role, with its name.",
        examples=["marketing", "list:news"],
    ),
]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the text, hex.")]


class Controller(State):
    """Who answers for what is done with personal data (DOAJ-0a)."""

    name: str
    address: str
    jurisdiction: str
    scope: str = Field(description="What the notice covers.")


class Officer(State):
    """Who is asked about privacy: a role, reached by e-mail and by post (DOAJ-0d)."""

    role: str
    name: str
    email: str
    post: str


class NoticeVersion(State):
    """One version of a notice; ``effective_at`` is never before it was posted, save the first's."""

    number: int = Field(ge=1)
    label: str
    sha: Sha
    language: str
    change: Change
    purposes: tuple[str, ...] = Field(
        default=(), description="Purposes that a material change touches; none named: all."
    )
    reviewed: str = Field(description="What the text says of its own review.")
    controller: Controller
    officer: Officer
    feedback: str = Field(description="Where to write about privacy (CRP-1b).")
    published_at: Instant
    effective_at: Instant


class NoticeState(State):
    """A notice with all its versions, oldest first."""

    notice: NoticeId
    title: str
    versions: tuple[NoticeVersion, ...]
    version: Version


class NoticePublished(NoticeState, Event, topic="consent.notices.v1", key="notice"):
    """A version of a notice was posted."""


class NoticeRef(State):
    """Which version of which notice was shown."""

    notice: NoticeId
    number: int = Field(ge=1)
    label: str
    sha: Sha


class ConsentFact(State):
    """One thing that happened to a consent; facts are added and never changed."""

    at: Instant = Field(description="When it took effect.")
    what: Happened
    by: By
    channel: Channel
    said_at: Instant | None = Field(
        default=None, description="When the person said so, where that was before it was entered."
    )
    notice: NoticeRef | None = None
    cause: str | None = Field(
        default=None, description="Id of the request that it carries out; of a no, its own."
    )
    evidence: str | None = Field(
        default=None, description="Id of the sealed record of how it was said, if one is kept."
    )


class ConsentState(State):
    """What one person said to one purpose; absent, expired or stale is no (DOAJ-10b)."""

    consent: str = Field(description="<blind index>|<purpose>")
    subject: BlindIndexed
    purpose: ConsentPurpose
    person: Pseudonym
    standing: Literal["requested", "given", "refused", "withdrawn", "expired", "erased"]
    notice: NoticeRef | None = Field(
        default=None, description="The version that the newest giving rests on."
    )
    valid_until: Instant | None = Field(default=None, description="First moment it is too old.")
    facts: tuple[ConsentFact, ...]
    version: Version


class ConsentRequested(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """Somebody was asked; nothing is allowed by it."""


class ConsentGiven(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """The person said yes."""


class ConsentRefused(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """The person said no before ever saying yes."""


class ConsentWithdrawn(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """The person took a yes back; in force at once (DOAJ-10a)."""


class ConsentExpired(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """A yes became too old."""


class ConsentReconfirmed(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """The person said yes again, to the notice as it is now."""


class ConsentErased(ConsentState, Event, topic="consent.decisions.v1", key="consent"):
    """The person was erased: nothing of what was said is left here, and it is no yes.

    Its key and its version stay, so that no earlier yes is ever read as the newest again.
    """


class WithdrawalApplied(State):
    """Since when a reader of consents denies by a withdrawal."""

    withdrawal: str = Field(description="Id of the withdrawal, the cause of its fact.")
    decided_at: Instant
    at: Instant


class ReaderReport(State):
    """What a process that decides by consents says of itself: that it lives, and what it obeys."""

    replica: str = Field(min_length=1)
    since: Instant = Field(description="From when on it knows all that was decided before.")
    at: Instant
    stopping: bool = Field(default=False, description="True once, when it stops on purpose.")
    applied: tuple[WithdrawalApplied, ...] = Field(
        default=(), description="What it began to obey since its last report."
    )


class AccountsObeys(ReaderReport, Event, topic="accounts.applied.v1", key="replica"):
    """A process of accounts lives, and denies by these withdrawals of consent."""


class ProcessorState(State):
    """Who handles personal data for us: what for, which fields, where, and why it is trusted."""

    processor: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    name: str
    kind: str
    purposes: tuple[str, ...]
    fields: tuple[str, ...] = Field(description="The only fields it may be given.")
    transfer: str = Field(description="Where the data goes, and on which ground.")
    policy_link: str | None
    open_source: bool
    trust: str | None = Field(description="Why it is trusted; without it there is no use (CRP-1a).")
    active: bool
    version: Version


class ProcessorRegistered(ProcessorState, Event, topic="consent.processors.v1", key="processor"):
    """A processor was entered in the register."""


class ProcessorChanged(ProcessorState, Event, topic="consent.processors.v1", key="processor"):
    """What the register says of a processor changed."""


class ProcessorRetired(ProcessorState, Event, topic="consent.processors.v1", key="processor"):
    """A processor is used no more."""
