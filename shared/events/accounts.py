"""Events of accounts: organisations, their prefixes and preferences, credentials."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event, Instant, OrganisationId, Prefix, Setting, State, Version

Scope = Literal["deposit", "admin", "plus"]


class OrganisationState(State):
    """An organisation: a member that registers content, a subscriber, or both."""

    organisation: OrganisationId
    name: str = Field(description="The primary name.")
    names: tuple[str, ...] = Field(default=(), description="All names, the primary one first.")
    location: str | None = None
    account_default: Setting | None = Field(
        default=None, description="Reference setting of its prefixes that have none of their own."
    )
    registered_at: Instant
    version: Version


class OrganisationRegistered(
    OrganisationState, Event, topic="accounts.organisations.v1", key="organisation"
):
    """An operator entered an organisation in the registry."""


class OrganisationChanged(
    OrganisationState, Event, topic="accounts.organisations.v1", key="organisation"
):
    """An organisation's names, location or account default changed."""


class PreferenceFact(State):
    """One dated fact of a prefix: from ``at`` on this was the choice, and who made it."""

    at: Instant
    setting: Setting | None = Field(description="The prefix's own choice; null: none of its own.")
    account_default: Setting | None = Field(default=None, description="The account's choice.")
    actor: str = Field(description="operator, organisation:<id>, support-request:<id>; no person.")
    policy_version: str = Field(description="Version of the policy file it was judged under.")
    version: Version | None = Field(
        default=None, description="The prefix's version that this fact came with."
    )


class PrefixState(State):
    """A DOI prefix: who owns it and what its owner chose for its references."""

    prefix: Prefix
    owner: OrganisationId
    owner_name: str = Field(description="The publisher name shown on works of this prefix.")
    setting: Setting | None = Field(default=None, description="The owner's own choice, if any.")
    account_default: Setting | None = Field(
        default=None, description="The account's choice for prefixes without one of their own."
    )
    facts: tuple[PreferenceFact, ...] = Field(default=(), max_length=1000)
    assigned_at: Instant
    version: Version


class PrefixAssigned(PrefixState, Event, topic="accounts.prefixes.v1", key="prefix"):
    """A prefix was given to an organisation."""


class PrefixTransferred(PrefixState, Event, topic="accounts.prefixes.v1", key="prefix"):
    """A prefix was given to another organisation; the setting does not move along."""


class ReferencePreferenceSet(PrefixState, Event, topic="accounts.prefixes.v1", key="prefix"):
    """The owner of a prefix chose who may see its references (CRR-4, CRR-9)."""


class AccountDefaultSet(PrefixState, Event, topic="accounts.prefixes.v1", key="prefix"):
    """The owner's account default reached this prefix (CRR-4)."""


class CredentialState(State):
    """What a service must know to recognise a caller: never the secret, only its hash."""

    credential: Annotated[
        str,
        Field(
            description="login:<keyed hash of the login> or token:<SHA-256 of the token>, hex.",
            pattern=r"^(login|token):[0-9a-f]{64}$",
        ),
    ]
    organisation: OrganisationId
    scopes: tuple[Scope, ...]
    password_hash: str | None = Field(
        default=None, description="argon2id, PHC string; logins only."
    )
    valid_from: Instant | None = Field(default=None, description="Null: from the beginning.")
    valid_until: Instant | None = Field(
        default=None, description="First moment it no longer works."
    )
    revoked: bool = False
    version: Version


class CredentialIssued(CredentialState, Event, topic="accounts.credentials.v1", key="credential"):
    """A role credential or a Metadata Plus token was issued."""


class CredentialChanged(CredentialState, Event, topic="accounts.credentials.v1", key="credential"):
    """A credential's password, scopes, validity or revocation changed."""
