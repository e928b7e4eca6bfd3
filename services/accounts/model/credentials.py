"""Credentials: logins of an organisation's roles, and tokens of its Plus agreements."""

from dataclasses import dataclass, field
from typing import Final

from services.accounts.errors import Refusal
from services.accounts.model.agreements import KeptAgreement
from shared.events import CredentialChanged, CredentialIssued, CredentialState, Scope
from shared.events.decisions import Accepted, Refused, Unchanged, saying

ROLE_SCOPES: Final[tuple[Scope, ...]] = ("deposit", "admin")


class KeptCredential(CredentialState):
    """A credential's document; a token names its agreement and the version it copies."""

    agreement: str | None = None
    agreement_version: int = 0


Decided = Accepted[KeptCredential] | Unchanged[KeptCredential] | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Login:
    """A login as an operator asks for it; ``matches`` is a known hash its password fits."""

    credential: str
    organisation: int
    scopes: tuple[Scope, ...]
    password_hash: str = field(repr=False)
    matches: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of a login; null leaves it."""

    password_hash: str | None = field(default=None, repr=False)
    scopes: tuple[Scope, ...] | None = None
    revoked: bool | None = None


def in_order(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Return scopes once each, in the order the documents use."""
    return tuple(scope for scope in ROLE_SCOPES if scope in scopes)


def issue_login(known: KeptCredential | None, asked: Login) -> Decided:
    """Issue a login; asked for again with the same password and scopes it is no change."""
    if known is None:
        state = KeptCredential(
            credential=asked.credential,
            organisation=asked.organisation,
            scopes=asked.scopes,
            password_hash=asked.password_hash,
            version=1,
        )
        return Accepted(state, (saying(CredentialIssued, state),))
    if known.organisation != asked.organisation:
        return Refused(Refusal("login-taken", places=("/login",)))
    same = (
        known.scopes == asked.scopes and known.password_hash == asked.matches and not known.revoked
    )
    return Unchanged(known) if same else Refused(Refusal("credential-differs"))


def change_login(known: KeptCredential | None, organisation: int, changes: Changes) -> Decided:
    """Change a login's password or scopes, revoke it or take that back."""
    if known is None or known.organisation != organisation or known.agreement is not None:
        return Refused(Refusal("credential-unknown"))
    wanted = {
        "password_hash": changes.password_hash,
        "scopes": changes.scopes,
        "revoked": changes.revoked,
    }
    return _changed(known, {name: value for name, value in wanted.items() if value is not None})


def carry_agreement(
    known: KeptCredential | None, credential: str, agreement: KeptAgreement
) -> Decided:
    """Copy an agreement's times into one of its tokens, unless newer ones are there already."""
    if known is None:
        state = KeptCredential(
            credential=credential,
            organisation=agreement.organisation,
            scopes=("plus",),
            valid_from=agreement.start,
            valid_until=agreement.end,
            version=1,
            agreement=agreement.agreement,
            agreement_version=agreement.version,
        )
        return Accepted(state, (saying(CredentialIssued, state),))
    if known.agreement_version >= agreement.version:
        return Unchanged(known)
    times = {"valid_from": agreement.start, "valid_until": agreement.end}
    return _changed(known, {**times, "agreement_version": agreement.version})


def revoke_token(known: KeptCredential | None, organisation: int, agreement: str) -> Decided:
    """Revoke one token for good; its agreement runs on."""
    if known is None or (known.organisation, known.agreement) != (organisation, agreement):
        return Refused(Refusal("token-unknown"))
    return _changed(known, {"revoked": True})


def _changed(known: KeptCredential, fields: dict[str, object]) -> Decided:
    if all(getattr(known, name) == value for name, value in fields.items()):
        return Unchanged(known)
    state = known.model_copy(update={**fields, "version": known.version + 1})
    return Accepted(state, (saying(CredentialChanged, state),))
