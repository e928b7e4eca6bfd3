"""Events of retention about what people asked for as to their own data (DOAJ-9): no names.

Who asked, in which words, and what was answered travel encrypted on retention.personal.v1, under a
pseudonym that stands for this request alone.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version
from shared.events.consent import NoticeRef
from shared.events.orders import Uuid, Word
from shared.events.personal import Pseudonym

RequestStatus = Literal[
    "received",
    "confirming",
    "confirmed",
    "assessed",
    "doing",
    "answered",
    "refused",
    "taken-back",
]
RequestChannel = Literal["web", "mail", "letter", "phone", "in-person"]
RequestWhat = Literal[
    "received",
    "code-mailed",
    "identity-shown",
    "authority-checked",
    "confirmed",
    "assigned",
    "assessed",
    "paused",
    "resumed",
    "extended",
    "reminded",
    "escalated",
    "done",
    "erasing",
    "erased",
    "erasure-ended",
    "answered",
    "refused",
    "taken-back",
]
Outcome = Literal["done", "nothing-to-do"]
Handler = Annotated[
    str,
    Field(
        pattern=r"^(p[0-9a-f]{32}|[a-z][a-z0-9-]{0,40})$",
        description="Who handles it: a role of requests.toml, or staff by their pseudonym.",
        examples=["privacy-officer"],
    ),
]


class RequestFact(State):
    """One dated fact of a request, as the kind `request` of the schedule names them, and more.

    A refusal is an answer too: it is told as both.
    """

    at: Instant
    what: RequestWhat
    actor: str = Field(description="self, operator, or clock.")
    about: Word | None = Field(default=None, description="A row of requests.toml, or a reason.")
    due: Instant | None = Field(default=None, description="The limit that a reminder is about.")


class RequestPause(State):
    """From when until when a request waited for the person."""

    reason: Word
    since: Instant
    until: Instant | None = None


class RequestTask(State):
    """What is done for a request, in a service, by staff; its evidence is sealed."""

    task: Word
    service: Word
    outcome: Outcome | None = None
    done_at: Instant | None = None


class RequestState(State):
    """A request of a person, as others may know it."""

    request: Uuid
    kinds: tuple[Word, ...] = Field(min_length=1, description="Rows of requests.toml.")
    channel: RequestChannel
    person: Pseudonym = Field(description="Who asked: a pseudonym for this request alone.")
    status: RequestStatus = "received"
    received_at: Instant = Field(description="When it reached us; its limits count from here.")
    registered_at: Instant
    confirmed_at: Instant | None = None
    ended_at: Instant | None = Field(default=None, description="Answered, refused or taken back.")
    identity: Word | None = Field(default=None, description="How the person showed who they are.")
    represented: bool = Field(default=False, description="Somebody asked on the person's behalf.")
    handler: Handler
    about_request: Uuid | None = Field(
        default=None, description="Of a complaint: the request that it is about."
    )
    notice: NoticeRef | None = Field(
        default=None, description="The version of the notice in force when it was received."
    )
    pauses: tuple[RequestPause, ...] = ()
    extended_at: Instant | None = None
    tasks: tuple[RequestTask, ...] = ()
    erasure: Uuid | None = Field(default=None, description="The erasure that was begun for it.")
    reason: Word | None = Field(default=None, description="Why it was refused.")
    policy: str = Field(description="Version of requests.toml by which it was judged last.")
    facts: tuple[RequestFact, ...]
    version: Version


class RequestReceived(RequestState, Event, topic="retention.requests.v1", key="request"):
    """Somebody asked, and staff or a mailed code put it on record."""


class RequestConfirming(RequestState, Event, topic="retention.requests.v1", key="request"):
    """The person is asked to show who they are, or did in part."""


class RequestConfirmed(RequestState, Event, topic="retention.requests.v1", key="request"):
    """It is known who asks, and that they may."""


class RequestAssigned(RequestState, Event, topic="retention.requests.v1", key="request"):
    """Somebody else handles it."""


class RequestAssessed(RequestState, Event, topic="retention.requests.v1", key="request"):
    """It was decided what is done."""


class RequestPaused(RequestState, Event, topic="retention.requests.v1", key="request"):
    """It waits for the person."""


class RequestResumed(RequestState, Event, topic="retention.requests.v1", key="request"):
    """It waits no more."""


class RequestExtended(RequestState, Event, topic="retention.requests.v1", key="request"):
    """The person hears that it takes longer, and why."""


class RequestReminded(RequestState, Event, topic="retention.requests.v1", key="request"):
    """Whoever handles it heard that its limit comes near, or has passed."""


class RequestAdvanced(RequestState, Event, topic="retention.requests.v1", key="request"):
    """Something of it was done, or became known."""


class RequestAnswered(RequestState, Event, topic="retention.requests.v1", key="request"):
    """The person was answered."""


class RequestDenied(RequestState, Event, topic="retention.requests.v1", key="request"):
    """The person was answered with a no, and why."""


class RequestTakenBack(RequestState, Event, topic="retention.requests.v1", key="request"):
    """The person wants it no more."""
