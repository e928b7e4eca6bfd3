"""Logins of roles, Plus agreements and their tokens."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.accounts.commands.context import Accounts
from services.accounts.commands.settling import settle_agreement
from services.accounts.errors import Refusal
from services.accounts.model import agreements, credentials
from services.accounts.model.agreements import KeptAgreement
from services.accounts.model.credentials import Changes, KeptCredential, Login, in_order
from shared.events import Scope
from shared.mongo import Refused, Saved
from shared.privacy.passwords import hash_password, login_key, token_key, verify_password
from shared.runtime.ids import new_id, new_token


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential after a change; ``pending`` while services have not been told."""

    credential: KeptCredential
    new: bool
    pending: bool


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreement after a change; ``token`` is shown this once, never kept and never logged."""

    agreement: KeptAgreement
    pending: bool
    token: str | None = None
    credential: str | None = None

    def __repr__(self) -> str:
        """Show no token."""
        return f"Agreed({self.agreement.agreement})"


async def issue_login(
    accounts: Accounts,
    organisation: int,
    *,
    login: str,
    password: str,
    scopes: tuple[Scope, ...],
    correlation: str,
) -> Issued | Refused[Refusal]:
    """Issue a login of an organisation's role; what is kept are two hashes."""
    owner = await accounts.organisation(organisation)
    if isinstance(owner, Refused):
        return owner
    key = login_key(accounts.login_key, login)
    known = await accounts.store.credentials.load(key)
    kept = known.password_hash if known else None
    fits = kept is not None and await asyncio.to_thread(verify_password, kept, password)
    matches = kept if fits else None
    made = None if matches else await asyncio.to_thread(hash_password, password)
    asked = Login(
        credential=key,
        organisation=organisation,
        scopes=in_order(scopes),
        password_hash=matches or made or "",
        matches=matches,
    )
    saved = await accounts.store.credentials.update(
        key, lambda state: credentials.issue_login(state, asked), correlation=correlation
    )
    return await _issued(accounts, saved)


async def change_login(
    accounts: Accounts,
    organisation: int,
    credential: str,
    *,
    password: str | None,
    scopes: tuple[Scope, ...] | None,
    revoked: bool | None,
    correlation: str,
) -> Issued | Refused[Refusal]:
    """Change a login's password or scopes, revoke it or take that back."""
    changes = Changes(
        password_hash=await asyncio.to_thread(hash_password, password) if password else None,
        scopes=in_order(scopes) if scopes else None,
        revoked=revoked,
    )
    saved = await accounts.store.credentials.update(
        credential,
        lambda known: credentials.change_login(known, organisation, changes),
        correlation=correlation,
    )
    return await _issued(accounts, saved)


async def _issued(
    accounts: Accounts, saved: Saved[KeptCredential] | Refused[Refusal]
) -> Issued | Refused[Refusal]:
    if isinstance(saved, Refused):
        return saved
    key = saved.state.credential
    pending = await accounts.pending(accounts.store.credentials, [key])
    return Issued(saved.state, new=bool(saved.event_ids), pending=bool(pending))


async def sign_agreement(
    accounts: Accounts, organisation: int, *, start: datetime, end: datetime, correlation: str
) -> Agreed | Refused[Refusal]:
    """Enter a Plus agreement and its first token."""
    owner = await accounts.organisation(organisation)
    if isinstance(owner, Refused):
        return owner
    number, token = new_id(), new_token()
    key = token_key(token)
    judged = agreements.sign(number, organisation, start=start, end=end, token=key)
    return await _agreed(accounts, number, lambda _known: judged, correlation, token=token)


async def end_agreement(
    accounts: Accounts, organisation: int, agreement: str, *, end: datetime, correlation: str
) -> Agreed | Refused[Refusal]:
    """Move an agreement's end, for all of its tokens."""
    return await _agreed(
        accounts,
        agreement,
        lambda known: agreements.end_at(known, organisation, end),
        correlation,
    )


async def add_token(
    accounts: Accounts, organisation: int, agreement: str, *, correlation: str
) -> Agreed | Refused[Refusal]:
    """Issue a further token of an agreement."""
    token = new_token()
    key = token_key(token)
    return await _agreed(
        accounts,
        agreement,
        lambda known: agreements.add_token(known, organisation, key),
        correlation,
        token=token,
    )


async def _agreed(
    accounts: Accounts,
    agreement: str,
    decide: Callable[[KeptAgreement | None], agreements.Decided],
    correlation: str,
    *,
    token: str | None = None,
) -> Agreed | Refused[Refusal]:
    saved = await accounts.store.agreements.update(agreement, decide)
    if isinstance(saved, Refused):
        return saved
    await settle_agreement(accounts, agreement, correlation=correlation)
    pending = await accounts.pending(accounts.store.credentials, saved.state.tokens)
    key = token_key(token) if token else None
    return Agreed(saved.state, bool(pending), token, key)


async def revoke_token(
    accounts: Accounts, organisation: int, agreement: str, credential: str, *, correlation: str
) -> Issued | Refused[Refusal]:
    """Revoke one token for good."""
    saved = await accounts.store.credentials.update(
        credential,
        lambda known: credentials.revoke_token(known, organisation, agreement),
        correlation=correlation,
    )
    return await _issued(accounts, saved)
