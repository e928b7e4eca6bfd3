"""What comes in: request bodies and queries. Unknown fields are refused."""

from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.policy.uses import Act, Kind
from shared.privacy.blind import LONGEST

Email = Annotated[str, StringConstraints(min_length=3, max_length=LONGEST + 40)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]


def kebab(name: str) -> str:
    """Return a field's name as the wire spells it."""
    return name.replace("_", "-")


class Body(BaseModel):
    """A body whose fields are spelled with hyphens; others than those named are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=kebab,
        validate_by_name=True,
        hide_input_in_errors=True,
    )


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


class NoticeQuery(Body):
    """As of when; now where it is left out."""

    at: AwareDatetime | None = None


class Nothing(Body):
    """A query without parameters."""
