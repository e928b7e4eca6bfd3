"""What comes in as to requests of people. Unknown fields are refused."""

from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
)

from shared.events.orders import Uuid
from shared.events.requests import Handler, Outcome, RequestChannel, RequestStatus
from shared.policy.requests import Reason
from shared.runtime.clock import parse_rfc3339
from shared.web import Body

TEXT = 20_000  # characters of a letter or an answer


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("a time is wanted, as 2026-11-22T12:00:00Z")  # noqa: TRY004
    return parse_rfc3339(value)


Moment = Annotated[AwareDatetime, BeforeValidator(_moment, json_schema_input_type=str)]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$", examples=["access"])]
Word = Kind
Kinds = Annotated[tuple[Kind, ...], Field(min_length=1, max_length=8)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT)]


class Who(Body):
    """Whoever asks: as much of it as the letter says; nothing is needed of anybody."""

    name: Name | None = None
    email: Email | None = None
    post: Long | None = Field(default=None, description="Where a letter reaches them.")
    on_file: tuple[Email, ...] = Field(
        default=(),
        max_length=10,
        description="Further addresses that data may be held under. They count "
        "once staff saw who asks, and wrote down what they saw; a code is for `email` alone.",
    )


class Behalf(Body):
    """Whoever asks on somebody's behalf, and what shows that they may (DOAJ-1a10)."""

    name: Name
    email: Email | None = None
    authority: Long = Field(description="What was shown: a power of attorney, a court's order.")


class NewRequest(Body):
    """A request that reached staff in whatever form (DOAJ-9b)."""

    kinds: Kinds
    channel: RequestChannel
    received_at: Moment = Field(description="When it reached us; limits count from here.")
    requester: Who
    text: Long | None = Field(default=None, description="The letter, or what was said.")
    representative: Behalf | None = None
    against: tuple[Handler, ...] = Field(
        default=(), max_length=10, description="Of a complaint: whom it is about (DOAJ-11)."
    )
    about_request: Uuid | None = None


class OwnRequest(Body):
    """A request of somebody by themselves."""

    email: Email
    kinds: Kinds
    name: Name | None = None
    text: Long | None = None


class ShownCode(Body):
    """The code that was mailed, and the confirmation that it belongs to."""

    confirmation: Uuid
    code: SecretStr = Field(max_length=100)


class Confirmation(Body):
    """How the person showed who they are: a code that is mailed now, or what staff saw."""

    by_code: bool = Field(
        default=False,
        description="Mail a code to the address in the request; "
        "it covers what is held under that one.",
    )
    identity: Word | None = Field(default=None, examples=["document", "known-address"])
    evidence: Long | None = Field(
        default=None, description="What was shown; sealed. Wanted where `on-file` names addresses."
    )
    authority: bool = Field(default=False, description="The representative's authority holds.")
    authority_evidence: Long | None = Field(default=None, description="How that was checked.")


class Exemption(Body):
    """A class of data that an erasure keeps, why, and until when (DOAJ-6a4)."""

    cls: Word = Field(alias="class")
    reason: Reason
    review_at: Moment


class Assessment(Body):
    """What is decided: that it is done. A no is a refusal."""

    exempt: tuple[Exemption, ...] = Field(default=(), max_length=20)


class Assignment(Body):
    """Who handles it from now on."""

    handler: Handler


class Pausing(Body):
    """What it waits for."""

    reason: Word = Field(examples=["identity", "clarification"])


class Extending(Body):
    """Why it takes longer: the reason, and what the person is told."""

    reason: Word = Field(examples=["complexity", "number"])
    text: Long
    by_letter: bool = Field(default=False, description="Staff told the person by post already.")


class Done(Body):
    """That a task was done, or that there was nothing to do, and what shows it."""

    outcome: Outcome = "done"
    evidence: Long = Field(description="What was done, or where that is written down; sealed.")


class Answering(Body):
    """The answer."""

    text: Long
    by_letter: bool = Field(default=False, description="Staff sent it by post already.")


class Refusing(Body):
    """A no, why, and what the person is told."""

    reason: Word = Field(examples=["no-match"], description="A [[refusal]] row of requests.toml.")
    text: Long
    by_letter: bool = False


class RequestsQuery(Body):
    """Which requests: newest first, or, with ``due-before``, open ones, the most urgent first."""

    kind: Kind | None = None
    state: RequestStatus | None = None
    due_before: Moment | None = None
    cursor: str | None = Field(default=None, max_length=60, description="From `next`.")
    rows: int = Field(default=20, ge=1, le=100)
