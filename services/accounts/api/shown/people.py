"""Accounts of people as they are shown: to their holder, or to staff with a reason."""

from datetime import datetime

from pydantic import Field

from services.accounts.api.shown.status import Status
from services.accounts.commands.api_keys import Made
from services.accounts.commands.people import Shown
from services.accounts.commands.signing_in import SignedIn
from services.accounts.model.access import KeptKey
from services.accounts.model.looks import KeptLook
from services.accounts.model.people import KeptPerson
from shared.web import Answer


class Fact(Answer):
    """What happened to an account, when, by whom."""

    at: datetime
    what: str
    actor: str


class Roles(Answer):
    """What a person is here, without details."""

    person: str
    category: str
    roles: tuple[str, ...]
    version: int

    @classmethod
    def of(cls, state: KeptPerson) -> "Roles":
        """Show a person's roles."""
        return cls(
            person=state.person,
            category=state.category,
            roles=state.roles,
            version=state.version,
        )


class Account(Roles):
    """A person's account with its details."""

    name: str | None
    email: str
    email_pending: bool = Field(
        default=False, description="Another address was mailed a code; it counts once confirmed."
    )
    has_password: bool
    registered_at: datetime
    facts: tuple[Fact, ...]

    @classmethod
    def shown(cls, found: Shown) -> "Account":
        """Show an account."""
        state = found.state
        return cls(
            **Roles.of(state).model_dump(),
            name=found.details.name,
            email=found.details.email,
            email_pending=found.address_pending,
            has_password=state.password_hash is not None,
            registered_at=state.registered_at,
            facts=tuple(Fact(at=one.at, what=one.what, actor=one.actor) for one in state.facts),
        )


class Session(Answer):
    """A sign-in and its signed token, to be shown as ``Authorization: Bearer``."""

    token: str
    person: str
    expires: datetime = Field(description="When the token counts no more; renew it before.")
    ends: datetime = Field(description="When signing in again is needed.")

    @classmethod
    def of(cls, done: SignedIn) -> "Session":
        """Show a sign-in."""
        return cls(token=done.token, person=done.person, expires=done.expires, ends=done.ends)


class Mailed(Answer):
    """What is answered to whoever asked for mail, whatever came of it."""

    status: str = "mailed-if-it-can-be"


class Key(Answer):
    """An API key by its id, never what proves it."""

    key: str
    scopes: tuple[str, ...]
    issued_at: datetime
    replaces: str | None
    revoked: bool
    revoked_at: datetime | None
    revoked_by: str | None
    status: Status | None = None

    @classmethod
    def of(cls, state: KeptKey, said: Status | None = None) -> "Key":
        """Show a key."""
        return cls(
            key=state.credential,
            scopes=state.scopes,
            issued_at=state.issued_at,
            replaces=state.replaces,
            revoked=state.revoked,
            revoked_at=state.revoked_at,
            revoked_by=state.revoked_by,
            status=said,
        )


class Keys(Answer):
    """The API keys of a person."""

    keys: tuple[Key, ...]


class IssuedKey(Key):
    """An API key and its secret, shown this once."""

    secret: str

    @classmethod
    def made(cls, done: Made, said: Status) -> "IssuedKey":
        """Show a new key."""
        return cls(**Key.of(done.key, said).model_dump(), secret=done.secret or "")


class Access(Answer):
    """A look of staff at an account."""

    access: str
    at: datetime
    actor: str
    action: str
    reason: str
    ticket: str | None

    @classmethod
    def of(cls, state: KeptLook) -> "Access":
        """Show a look."""
        return cls(
            access=state.access,
            at=state.at,
            actor=state.actor,
            action=state.action,
            reason=state.reason,
            ticket=state.ticket,
        )


class Accesses(Answer):
    """Who of the staff looked at an account, newest first."""

    accesses: tuple[Access, ...]


class KeySet(Answer):
    """Public keys of signed tokens (RFC 7517)."""

    keys: tuple[dict[str, str], ...]
