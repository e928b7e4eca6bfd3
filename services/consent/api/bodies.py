"""What comes in: request bodies and queries. Unknown fields are refused."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    Field,
    StringConstraints,
    model_validator,
)

from shared.policy.uses import Act, Kind
from shared.privacy.blind import LONGEST
from shared.web import Body

Email = Annotated[str, StringConstraints(min_length=3, max_length=LONGEST + 40)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]


class Subscription(Body):
    """Who asks for a list: an e-mail address and nothing else (CRP-3a)."""

    email: Email


class NewIssue(Body):
    """One issue of a list; of one name there is one, however often it is posted."""

    issue: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class WhoIsIt(Body):
    """An address, in a body because it must not stand in a URL."""

    email: Email


class Choice(Body):
    """What somebody chooses on their own page; ``seen`` is the version shown, 0 for none."""

    consent: Literal["given", "refused"]
    seen: int = Field(default=0, ge=0)


class Entered(Body):
    """What somebody said to staff; ``said-at`` is the day of the letter."""

    email: Email
    consent: Literal["given", "refused"]
    channel: Literal["letter", "e-mail", "telephone"]
    said_at: AwareDatetime | None = None
    evidence: Annotated[str, StringConstraints(max_length=2000)] | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.consent == "given" and self.said_at is None:
            # Without it nobody could tell a letter that is entered twice from a new one.
            raise ValueError("a yes needs said-at, the day on which it was said")
        return self


class AskedRecipient(Body):
    """Who would get the data."""

    kind: Kind = "person"
    name: str = Field(default="", max_length=60)


class AskedUse(Body):
    """What is about to be done with somebody's data."""

    act: Act
    purpose: Word
    category: Word
    recipient: AskedRecipient = AskedRecipient()
    email: Email | None = None
    name: str = Field(default="", max_length=60, description="Of the list or the further role.")
    roles: tuple[Word, ...] = ()
    fields: tuple[str, ...] = ()
    opt_out_link: bool = False
    signed_up: bool = False
    reason: str = Field(default="", max_length=60)


class ExportRecipient(Body):
    """Who would get an export; only a registered processor can."""

    kind: Literal["processor", "supplier", "industry", "outside"] = "processor"
    name: str = Field(max_length=60)


class NewExport(Body):
    """What is to be exported to whom; ``requester`` is whoever asks, as staff call each other."""

    act: Literal["export", "sell", "rent"] = "export"
    recipient: ExportRecipient
    purpose: Word
    list: Annotated[str, Field(max_length=60, description="Name of the list, of list mail.")] = ""
    category: Word = "subscriber"
    fields: tuple[str, ...]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    requester: Word


class Approval(Body):
    """Who approves; not whoever asked."""

    approver: Word


class Deleted(Body):
    """Rows that a processor said it deleted."""

    rows: Annotated[tuple[str, ...], Field(min_length=1, max_length=10_000)]


class SeenPage(Body):
    """A page view: four dimensions and nobody (CRP-2a); ``country`` as the caller's edge knows."""

    page: Annotated[str, StringConstraints(pattern=r"^/[^\s?#@]*$", max_length=200)]
    referrer: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{1,253}$")] | None = Field(
        default=None, description="The host that led there, and nothing else of its address."
    )
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    exit: bool = Field(default=False, description="Whether the visit ended on it.")


class DaysQuery(Body):
    """Which days, the last one included; the last thirty where none is named."""

    begin: date | None = Field(default=None, alias="from")
    until: date | None = None
    dimension: Word | None = None


class NoticeQuery(Body):
    """As of when; now where it is left out."""

    at: AwareDatetime | None = None


class Nothing(Body):
    """A query without parameters."""
