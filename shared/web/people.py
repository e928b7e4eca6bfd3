"""People who call: by a signed token, or by an API key of theirs; both in the Authorization header.

A token is checked against the published keys and the person's ended sign-ins, a key against its
record; all are this process's own copy of what accounts says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.events.people import PersonAccessState, PersonKeyState
from shared.privacy.passwords import token_key
from shared.privacy.tokens import Claims, looks_signed, verified


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a request proved to come from, by pseudonym.

    ``claims`` are those of a signed token; an API key has none, and no roles: it is good for its
    ``scopes`` alone.
    """

    person: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    claims: Claims | None = None


class PeopleCredentials(Protocol):
    """This process's copy of people's credentials."""

    def access(self, person: str) -> PersonAccessState | None:
        """Return which of a person's tokens count no more; None where all do."""
        ...

    def denied(self, person: str) -> bool:
        """Whether the newest record of a person's ended sign-ins cannot be read."""
        ...

    def key(self, credential: str) -> PersonKeyState | None:
        """Return the newest state of an API key, by its hash."""
        ...

    def public(self, kid: str) -> str | None:
        """Return a published signing key by its id."""
        ...


@dataclass(frozen=True, slots=True)
class People:
    """Recognises people, for one process."""

    credentials: PeopleCredentials
    now: Callable[[], datetime]

    def of(self, token: str) -> Person | None:
        """Return whose token or key this is, None where it is nobody's or counts no more."""
        if looks_signed(token):
            claims = verified(token, self.credentials.public, now=self.now())
            return None if claims is None or self._ended(claims) else _by_token(claims)
        key = self.credentials.key(token_key(token))
        if key is None or key.revoked:
            return None
        return Person(key.person, scopes=frozenset(key.scopes))

    def _ended(self, claims: Claims) -> bool:
        if self.credentials.denied(claims.sub):
            return True
        state = self.credentials.access(claims.sub)
        if state is None:
            return False
        if state.tokens_since is not None and claims.auth_time < state.tokens_since:
            return True
        return any(one.sid == claims.sid for one in state.ended)


def _by_token(claims: Claims) -> Person:
    return Person(claims.sub, frozenset(claims.roles), frozenset(claims.scopes), claims)
