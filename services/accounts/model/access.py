"""What ends a person's access before its time: ended sign-ins, and voided API keys.

One record for each person holds the sign-ins that were ended, for as long as their tokens would
have lasted: so a reader that holds all of them in memory holds few.
"""

from datetime import datetime
from typing import Final

from services.accounts.errors import Refusal
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.people import (
    EndedSignIn,
    PersonAccessState,
    PersonKeyIssued,
    PersonKeyRevoked,
    PersonKeyState,
    SignInEnded,
    SigningKeyPublished,
    SigningKeyState,
    SignInsEnded,
)

MOST_ENDED: Final = 100  # ended one by one within their time; one more ends them all


class KeptAccess(PersonAccessState):
    """The document of a person's ended sign-ins."""


class KeptKey(PersonKeyState):
    """An API key's document."""


class KeptSigningKey(SigningKeyState):
    """A published key's document."""


AccessDecided = Accepted[KeptAccess] | Unchanged[KeptAccess] | Refused[Refusal]
KeyDecided = Accepted[KeptKey] | Unchanged[KeptKey] | Refused[Refusal]
UNKNOWN_KEY: Final[Refused[Refusal]] = Refused(Refusal("key-unknown"))


def credential_of(person: str) -> str:
    """Return the key of a person's access record."""
    return f"person:{person}"


def sign_out(
    known: KeptAccess | None, person: str, sid: str, *, until: datetime, now: datetime
) -> AccessDecided:
    """End one sign-in, whose last token runs out at ``until``."""
    held = known.ended if known else ()
    if any(one.sid == sid for one in held):
        assert known is not None
        return Unchanged(known)
    living = tuple(one for one in held if one.until > now)
    if len(living) >= MOST_ENDED:
        return sign_out_everywhere(known, person, now=now)
    state = KeptAccess(
        credential=credential_of(person),
        tokens_since=known.tokens_since if known else None,
        ended=(*living, EndedSignIn(sid=sid, until=until)),
        version=known.version + 1 if known else 1,
    )
    return Accepted(state, (saying(SignInEnded, state),))


def sign_out_everywhere(known: KeptAccess | None, person: str, *, now: datetime) -> AccessDecided:
    """End all sign-ins of a person."""
    state = KeptAccess(
        credential=credential_of(person),
        tokens_since=now,
        version=known.version + 1 if known else 1,
    )
    return Accepted(state, (saying(SignInsEnded, state),))


def issue_key(
    known: KeptKey | None,
    credential: str,
    person: str,
    scopes: tuple[str, ...],
    *,
    replaces: str | None,
    now: datetime,
) -> KeyDecided:
    """Issue an API key, given by its hash."""
    if known is not None:
        return Unchanged(known)
    state = KeptKey(
        credential=credential,
        person=person,
        scopes=scopes,
        issued_at=now,
        replaces=replaces,
        version=1,
    )
    return Accepted(state, (saying(PersonKeyIssued, state),))


def revoke_key(known: KeptKey | None, person: str, *, actor: str, now: datetime) -> KeyDecided:
    """Void an API key for good."""
    if known is None or known.person != person:
        return UNKNOWN_KEY
    if known.revoked:
        return Unchanged(known)
    changes = {"revoked": True, "revoked_at": now, "revoked_by": actor}
    state = known.model_copy(update={**changes, "version": known.version + 1})
    return Accepted(state, (saying(PersonKeyRevoked, state),))


def publish_signing_key(
    known: KeptSigningKey | None, credential: str, public: str
) -> Accepted[KeptSigningKey] | Unchanged[KeptSigningKey] | Refused[Refusal]:
    """Tell everybody of a public key; once."""
    if known is not None:
        return Unchanged(known)
    state = KeptSigningKey(credential=credential, public=public, version=1)
    return Accepted(state, (saying(SigningKeyPublished, state),))
