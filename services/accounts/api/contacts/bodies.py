"""What comes in about contacts, memberships and mail to contacts. Unknown fields are refused."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from services.accounts.api.bodies import Address, Name, PersonName
from shared.events.base import OrganisationId
from shared.events.contacts import MembershipStatus
from shared.web import Body


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line is wanted")
    return text


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]
RoleName = Annotated[str, StringConstraints(max_length=64)]


class NewContact(Body):
    """Somebody to be a contact; nothing else is kept of them."""

    name: PersonName
    email: Address


class NewMembership(Body):
    """An application: the organisation, and its contacts by role (CRP-4c)."""

    organisation: Name
    location: Name | None = None
    contacts: Mapping[RoleName, NewContact] = Field(
        max_length=20, description="By role; the required ones must be among them."
    )


class StepDone(Body):
    """On which day a step happened."""

    on: date


class MembershipsQuery(Body):
    """Which applications, and where to begin; newest first."""

    status: MembershipStatus | None = None
    after: str | None = None
    rows: int = Field(default=100, ge=1, le=1000)


class NewRoleMail(Body):
    """A mail to the contacts of one role."""

    request: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(
        description="An id of the caller's own; asked again under it, nobody is mailed twice."
    )
    purpose: Annotated[str, StringConstraints(max_length=100)] = Field(
        description="A purpose that one role is reached by, such as `invoices`; of further roles "
        "with the role's name, such as `role-mail:production`."
    )
    subject: Line
    text: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    organisations: tuple[OrganisationId, ...] | None = Field(
        default=None, max_length=1000, description="Null: all that have a contact of the role."
    )
