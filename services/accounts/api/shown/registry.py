"""Organisations, prefixes, credentials and agreements as they are shown."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.accounts.api.shown.status import Status
from services.accounts.model.agreements import KeptAgreement
from services.accounts.model.credentials import KeptCredential
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.prefixes import KeptPrefix
from shared.events import Scope, Setting
from shared.web import Answer


class Organisation(Answer):
    """An organisation."""

    id: int
    name: str
    names: tuple[str, ...]
    location: str | None
    reference_visibility: Setting | None = Field(description="Its account default.")
    registered_at: datetime
    version: int

    @classmethod
    def of(cls, state: KeptOrganisation) -> "Organisation":
        """Show an organisation."""
        return cls(
            id=state.organisation,
            name=state.name,
            names=state.names,
            location=state.location,
            reference_visibility=state.account_default,
            registered_at=state.registered_at,
            version=state.version,
        )


class Organisations(Answer):
    """A page of organisations."""

    organisations: tuple[Organisation, ...]
    next: str | None = Field(description="Address of the next page, null on the last.")


class Prefix(Answer):
    """A prefix and its owner."""

    prefix: str
    organisation: int
    name: str
    assigned_at: datetime
    version: int

    @classmethod
    def of(cls, state: KeptPrefix) -> "Prefix":
        """Show a prefix."""
        return cls(
            prefix=state.prefix,
            organisation=state.owner,
            name=state.owner_name,
            assigned_at=state.assigned_at,
            version=state.version,
        )


class Prefixes(Answer):
    """The prefixes of an organisation."""

    prefixes: tuple[Prefix, ...]


class Credential(Answer):
    """A credential: what it is good for, never what proves it."""

    credential: str
    kind: Literal["login", "token"]
    scopes: tuple[Scope, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    revoked: bool
    agreement: str | None
    version: int
    status: Status | None = None

    @classmethod
    def of(cls, state: KeptCredential, said: Status | None = None) -> "Credential":
        """Show a credential."""
        return cls(
            credential=state.credential,
            kind="token" if state.agreement else "login",
            scopes=state.scopes,
            valid_from=state.valid_from,
            valid_until=state.valid_until,
            revoked=state.revoked,
            agreement=state.agreement,
            version=state.version,
            status=said,
        )


class Credentials(Answer):
    """The credentials of an organisation."""

    credentials: tuple[Credential, ...]


class Agreement(Answer):
    """A Metadata Plus agreement; ``end`` is the first moment it no longer runs."""

    agreement: str
    organisation: int
    start: datetime
    end: datetime
    tokens: tuple[str, ...] = Field(description="Credential ids of its tokens.")
    status: Status | None = None

    @classmethod
    def of(cls, state: KeptAgreement, said: Status | None = None) -> "Agreement":
        """Show an agreement."""
        return cls(
            agreement=state.agreement,
            organisation=state.organisation,
            start=state.start,
            end=state.end,
            tokens=state.tokens,
            status=said,
        )


class Agreements(Answer):
    """The Plus agreements of an organisation."""

    agreements: tuple[Agreement, ...]


class IssuedToken(Agreement):
    """An agreement and a token of it, shown this once."""

    credential: str
    token: str
