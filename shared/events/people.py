"""Events of accounts about people: pseudonyms and facts, never a name, an address or a hash.

What a person is called and where mail reaches them travels encrypted on accounts.personal.v1. What
other services must know to recognise a person stands on accounts.credentials.v1 beside the
credentials of organisations: they belong to one organisation each and people to none, so these are
kinds of their own under keys of their own (ADR 32).
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, State, Version
from shared.events.personal import BlindIndexed, Pseudonym

PersonStatus = Literal["active", "closing", "closed"]
PersonWhat = Literal[
    "registered",
    "invited",
    "name-changed",
    "address-changed",
    "password-set",
    "password-reset",
    "roles-set",
    "closing",
    "reopened",
    "replacement-accepted",
    "closed",
]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]


class PersonFact(State):
    """One dated fact: what happened to an account, and by whom."""

    at: Instant
    what: PersonWhat
    actor: str = Field(
        description="self, operator, staff:<pseudonym>, person:<pseudonym>, retention."
    )


class Closing(State):
    """A deletion that was asked for: the account goes once no journal hangs on it (DOAJ-8a2)."""

    attempt: Version = Field(description="Version of the person that asked; answers name it.")
    since: Instant
    actor: str = Field(description="self, operator or staff:<pseudonym>.")
    replacement: Pseudonym | None = Field(
        default=None, description="Who accepted to take the journals over."
    )


class PersonState(State):
    """A person who has an account, as others may know them."""

    person: Pseudonym
    category: Word = Field(description="What the account is for; rows of roles.toml.")
    roles: tuple[Word, ...] = Field(default=(), description="Roles beside everybody's.")
    status: PersonStatus = "active"
    registered_at: Instant
    facts: tuple[PersonFact, ...] = Field(
        default=(), max_length=500, description="Oldest first; the first one always stays."
    )
    closing: Closing | None = Field(
        default=None, description="The deletion that waits, or that was carried out."
    )
    subjects: tuple[BlindIndexed, ...] = Field(
        default=(), description="Blind index of the address; none once the account was deleted."
    )
    version: Version


class PersonRegistered(PersonState, Event, topic="accounts.people.v1", key="person"):
    """Somebody confirmed an address and has an account."""


class PersonDetailsCorrected(PersonState, Event, topic="accounts.people.v1", key="person"):
    """A person's name changed, or an address that was confirmed took the former's place."""


class PersonPasswordChanged(PersonState, Event, topic="accounts.people.v1", key="person"):
    """A person chose a password, or staff voided it."""


class PersonRolesSet(PersonState, Event, topic="accounts.people.v1", key="person"):
    """A person was given other roles."""


class PersonClosing(PersonState, Event, topic="accounts.people.v1", key="person"):
    """The deletion of an account was asked for; no journal may come to it from now on."""


class PersonReopened(PersonState, Event, topic="accounts.people.v1", key="person"):
    """The deletion was taken back before it was carried out."""


class PersonReplaced(PersonState, Event, topic="accounts.people.v1", key="person"):
    """Somebody accepted to take the journals of an account over, so that it can go."""


class PersonClosed(PersonState, Event, topic="accounts.people.v1", key="person"):
    """An account was deleted: nobody signs in to it, and nothing of its holder is shown again."""


class EndedSignIn(State):
    """A sign-in that was ended; ``until`` is when its last token has run out anyway."""

    sid: Uuid = Field(description="The sign-in, as its tokens name it.")
    until: Instant


class PersonAccessState(State):
    """Which of a person's signed tokens count no more; without a record all do, for their time."""

    credential: Annotated[
        str, Field(pattern=r"^person:p[0-9a-f]{32}$", description="person:<pseudonym>")
    ]
    tokens_since: Instant | None = Field(
        default=None, description="Tokens issued before this count no more."
    )
    ended: tuple[EndedSignIn, ...] = Field(default=(), max_length=100)
    version: Version


class SignInEnded(PersonAccessState, Event, topic="accounts.credentials.v1", key="credential"):
    """A person signed out."""


class SignInsEnded(PersonAccessState, Event, topic="accounts.credentials.v1", key="credential"):
    """All sign-ins of a person were ended: by the person, or because roles or password changed."""


class PersonKeyState(State):
    """An API key of a person, by its hash."""

    credential: Annotated[
        str, Field(pattern=r"^token:[0-9a-f]{64}$", description="token:<SHA-256 of the key>, hex.")
    ]
    person: Pseudonym
    scopes: tuple[Word, ...] = Field(description="What it is good for; rows of signing-in.toml.")
    issued_at: Instant
    replaces: str | None = Field(default=None, description="The key whose place it took.")
    revoked: bool = False
    revoked_at: Instant | None = None
    revoked_by: str | None = Field(
        default=None, description="self, staff:<pseudonym> or retention."
    )
    version: Version


class PersonKeyIssued(PersonKeyState, Event, topic="accounts.credentials.v1", key="credential"):
    """A person made an API key."""


class PersonKeyRevoked(PersonKeyState, Event, topic="accounts.credentials.v1", key="credential"):
    """An API key was voided, for good."""


class SigningKeyState(State):
    """A public key that people's tokens are signed under."""

    credential: Annotated[
        str, Field(pattern=r"^signing:[A-Za-z0-9_-]{43}$", description="signing:<key id>")
    ]
    public: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", description="Ed25519, base64url (x of RFC 8037)."
    )
    version: Version


class SigningKeyPublished(
    SigningKeyState, Event, topic="accounts.credentials.v1", key="credential"
):
    """Tokens may be signed under this key from now on."""


class AccessState(State):
    """Somebody of the staff looked at, or changed, a person's details (DOAJ-4c2).

    The person has an account, is a contact of an organisation, or stands in an application of a
    volunteer: the action says which.
    """

    access: Uuid
    at: Instant
    actor: str = Field(description="staff:<pseudonym>")
    person: Pseudonym
    action: Word
    reason: Word
    ticket: str | None = Field(default=None, pattern=r"^[A-Za-z0-9#._-]{1,64}$")
    policy_version: str
    version: Version


class AccountAccessed(AccessState, Event, topic="accounts.audit.v1", key="access"):
    """Recorded before anything was shown."""
