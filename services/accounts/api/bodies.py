"""What comes in: request bodies and queries. Unknown fields are refused."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from shared.events import Setting
from shared.events.base import OrganisationId, Prefix
from shared.privacy.passwords import PASSWORD_BYTES
from shared.runtime.clock import parse_rfc3339
from shared.web import Body

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Role = Literal["deposit", "admin"]
DAY_LENGTH = len("2018-01-01")


def _begins(value: Any) -> Any:
    return _moment(value, days=0)


def _ends(value: Any) -> Any:
    return _moment(value, days=1)


def _moment(value: Any, *, days: int) -> Any:
    """Read a date as its beginning, or as the beginning of the day after; a time as itself."""
    if not isinstance(value, str):
        raise ValueError("a date (2018-01-31) or a time (2018-01-31T12:00:00Z) is wanted")  # noqa: TRY004
    if len(value) == DAY_LENGTH:
        day = datetime.combine(date.fromisoformat(value), time(), UTC)
        return day + timedelta(days=days)
    return parse_rfc3339(value)


Beginning = Annotated[AwareDatetime, BeforeValidator(_begins, json_schema_input_type=str)]
End = Annotated[AwareDatetime, BeforeValidator(_ends, json_schema_input_type=str)]


class NewOrganisation(Body):
    """An organisation to be entered, under a number chosen by the operator."""

    id: OrganisationId
    name: Name
    names: tuple[Name, ...] = Field(default=(), max_length=50, description="Its other names.")
    location: Name | None = None


class OrganisationChanges(Body):
    """What to change of an organisation; what is left out stays."""

    name: Name | None = None
    names: tuple[Name, ...] | None = Field(default=None, max_length=50)
    location: Name | None = None

    @model_validator(mode="after")
    def _name_stays(self) -> Self:
        for field in ("name", "names"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class OrganisationsQuery(Body):
    """Which organisations, and where to begin."""

    name: Name | None = Field(default=None, description="One of its names, whatever the case.")
    after: int | None = Field(default=None, description="The last number of the page before.")
    rows: int = Field(default=100, ge=1, le=1000)


class NewPrefix(Body):
    """A prefix to be given to an organisation."""

    prefix: Prefix
    name: Name = Field(description="The publisher name shown on works of this prefix.")
    reference_visibility: Setting | None = Field(
        default=None, description="What was chosen for it already; what was open stays open."
    )
    since: date | None = Field(default=None, description="Since when that was chosen.")


class NewOwner(Body):
    """Who owns a prefix from now on."""

    organisation: OrganisationId
    name: Name | None = Field(
        default=None,
        description="The publisher name shown on its works; null: the organisation's.",
    )


class NewLogin(Body):
    """A login of an organisation's role."""

    login: Annotated[
        str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^:\x00-\x1f\x7f]+$")
    ]
    password: SecretStr = Field(min_length=1, max_length=PASSWORD_BYTES)
    scopes: tuple[Role, ...] = Field(min_length=1, max_length=2)

    @model_validator(mode="after")
    def _short(self) -> Self:
        _bounded(self.password)
        return self


class LoginChanges(Body):
    """What to change of a login; at least one of these."""

    password: SecretStr | None = Field(default=None, min_length=1, max_length=PASSWORD_BYTES)
    scopes: tuple[Role, ...] | None = Field(default=None, min_length=1, max_length=2)
    revoked: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.password is None and self.scopes is None and self.revoked is None:
            raise ValueError("give password, scopes or revoked")
        _bounded(self.password)
        return self


def _bounded(password: SecretStr | None) -> None:
    if password is not None and len(password.get_secret_value().encode()) > PASSWORD_BYTES:
        raise ValueError(f"a password has at most {PASSWORD_BYTES} bytes")


class NewAgreement(Body):
    """A signed Metadata Plus agreement; a day as end is its last day."""

    start: Beginning
    end: End


class AgreementEnd(Body):
    """When an agreement ends; ``now`` ends it at once."""

    end: Literal["now"] | End


class Preference(Body):
    """Who may see the references: one setting for a prefix or an account, null for the default."""

    reference_visibility: Setting | None


class PreferenceForm(Body):
    """The support desk's form; name and prefixes are needed (CRR-9)."""

    organisation: str = Field(default="", max_length=500, description="Its name.")
    prefixes: tuple[Annotated[str, StringConstraints(max_length=64)], ...] = Field(
        default=(), max_length=500
    )
    reference_visibility: Setting | None


class Nothing(Body):
    """A query without parameters."""


class PreferenceQuery(Body):
    """As of when; now where it is left out."""

    at: Beginning | None = None


class ReceiptQuery(Body):
    """Of which version; the newest where it is left out."""

    version: int | None = Field(default=None, ge=1)


class RequestsQuery(Body):
    """Where to begin; newest first."""

    after: str | None = None
    rows: int = Field(default=100, ge=1, le=1000)


Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
PersonRole = Annotated[str, StringConstraints(max_length=64)]


class NewPerson(Body):
    """An account to be made: address and, if wanted, a name; nothing else is kept (DOAJ-1a2)."""

    email: Address
    name: PersonName | None = None


class InvitedPerson(NewPerson):
    """An account that staff prepare for somebody, who is told by mail."""

    category: PersonRole
    roles: tuple[PersonRole, ...] = Field(default=(), max_length=20)


class AskedCode(Body):
    """Where to mail a code to sign in by."""

    email: Address


class SigningIn(Body):
    """A code that was mailed, or address and password."""

    code: SecretStr | None = Field(default=None, max_length=100)
    email: Address | None = None
    password: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=PASSWORD_BYTES,
        description="With an address, the password; with a code, the one to have from now on.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.code is None) == (self.email is None):
            raise ValueError("give a code, or email and password")
        if self.email is not None and self.password is None:
            raise ValueError("give the password, or ask for a code")
        _bounded(self.password)
        return self


class Details(Body):
    """A person's own details; what is left out of them is gone, but for the address."""

    name: PersonName | None = None
    email: Address | None = Field(default=None, description="Another one counts once confirmed.")


class NewPassword(Body):
    """The password to have from now on."""

    password: SecretStr = Field(min_length=1, max_length=PASSWORD_BYTES)

    @model_validator(mode="after")
    def _short(self) -> Self:
        _bounded(self.password)
        return self


class NewKey(Body):
    """An API key to be made."""

    scopes: tuple[PersonRole, ...] = Field(min_length=1, max_length=20)


class GivenRoles(Body):
    """All roles that a person is to have beside everybody's."""

    roles: tuple[PersonRole, ...] = Field(max_length=20)
