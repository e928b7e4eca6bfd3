"""Who is calling: logins, Metadata Plus tokens, people and operators (design section 2).

Each process verifies against its own copy of the credentials; an agreement's time is looked at on
every request. What a caller said to prove itself stands in no error and no log.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol

from aiohttp import web

from shared.events import CredentialState, Scope
from shared.policy import Reader
from shared.privacy.passwords import login_key, same_secret, token_key
from shared.runtime.clock import SYSTEM, Clock
from shared.web.logins import Limits, Logins
from shared.web.people import People, Person
from shared.web.presented import Login, Token, presented, unauthorised
from shared.web.problems import Problem

STALE_SECONDS: Final = 2  # until to ask again: a watermark comes each second
_PLUS_ONLY: Final[frozenset[Scope]] = frozenset({"plus"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request proved to come from.

    ``lapsed`` tells a token whose agreement does not run at the moment from no token at all; the
    caller is anonymous either way.
    """

    kind: Literal["anonymous", "role", "plus", "operator", "person"] = "anonymous"
    organisation: int | None = None
    scopes: frozenset[Scope] = frozenset()
    credential: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    lapsed: bool = False
    person: Person | None = None

    @property
    def pool(self) -> str:
        """The value of ``x-api-pool``."""
        return "plus" if "plus" in self.scopes else "public"

    @property
    def actor(self) -> str:
        """Who to name in a recorded fact; never a person or a credential."""
        return self.kind if self.organisation is None else f"organisation:{self.organisation}"

    def runs(self, now: datetime) -> bool:
        """Say whether the credential is within its time at ``now``."""
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until)

    def reader(self, now: datetime) -> Reader:
        """Return what the references policy asks about this caller, at ``now``.

        A credential that is good for Metadata Plus alone proves a subscription, not the right of
        an owner: tokens are given to software and to contractors.
        """
        running = self.runs(now)
        acts = running and bool(self.scopes - _PLUS_ONLY)
        return Reader(
            organisation=self.organisation if acts else None,
            plus=running and "plus" in self.scopes,
            operator=self.kind == "operator",
        )

    def may(self, scope: Scope, organisation: int) -> bool:
        """Say whether the caller may act for ``organisation`` in this way; operators may."""
        if self.kind == "operator":
            return True
        return self.organisation == organisation and scope in self.scopes


ANONYMOUS: Final = Caller()
LAPSED: Final = Caller(lapsed=True)
OPERATOR: Final = Caller(kind="operator")


class Credentials(Protocol):
    """This process's copy of the credentials."""

    def lookup(self, credential: str) -> CredentialState | None:
        """Return the newest state of ``login:<hex>`` or ``token:<hex>``; None where unknown."""
        ...

    def fresh(self) -> bool:
        """Say whether the copy is young enough to decide by."""
        ...


class Callers:
    """Finds out who is calling, for one process."""

    __slots__ = ("_clock", "_credentials", "_hmac_key", "_logins", "_operator", "_people")

    def __init__(
        self,
        credentials: Credentials,
        *,
        login_hmac_key: bytes,
        operator_token_file: Path | None,
        clock: Clock = SYSTEM,
        limits: Limits | None = None,
        people: People | None = None,
    ) -> None:
        self._credentials = credentials
        self._people = people
        self._hmac_key = login_hmac_key
        self._operator = OperatorToken(operator_token_file)
        self._clock = clock
        self._logins = Logins(clock=clock, limits=limits or Limits())

    async def of(self, request: web.Request, *, in_query: bool = False) -> Caller:
        """Return the caller of a request, from its headers and, where said so, its query.

        Raises ``Problem``: 400 for two different credentials, 401 for one that is wrong or
        revoked, 429 for too many tries, 503 where the copy of the credentials is too old.
        """
        said = presented(request, in_query=in_query)
        if said is None:
            return ANONYMOUS
        if isinstance(said, Login):
            address = request.remote or "unknown"
            return await self.of_login(said.login, said.password, address=address)
        return self._of_token(said)

    async def of_login(self, login: str, password: str, *, address: str) -> Caller:
        """Return whose login this is; ``login`` is a role's name or ``<e-mail>/<role>``, whole.

        For handlers that read a form themselves. Raises as ``of`` does.
        """
        self._require_fresh()
        key = login_key(self._hmac_key, login)
        state = self._credentials.lookup(key)
        right = await self._logins.right(
            state, key=key, login=login, password=password, address=address
        )
        if not right or state is None:
            raise unauthorised("The login or the password is wrong.")
        caller = _caller("role", state)
        if not caller.runs(self._clock.now()):
            raise unauthorised("This login is not valid at the moment.")
        return caller

    @property
    def passwords_checked(self) -> int:
        """How many passwords this process has hashed to check them."""
        return self._logins.checked

    def close(self) -> None:
        """Let the threads that check passwords go."""
        self._logins.close()

    def _of_token(self, said: Token) -> Caller:
        if said.bearer and self._operator.is_it(said.token):
            return OPERATOR
        self._require_fresh()
        person = self._people.of(said.token) if self._people and said.bearer else None
        if person is not None:
            return Caller(kind="person", person=person)
        state = self._credentials.lookup(token_key(said.token))
        if state is None or state.revoked:
            raise unauthorised("The token is not one that works here.")
        only_plus = _PLUS_ONLY.issuperset(state.scopes)
        caller = _caller("plus" if only_plus else "role", state)
        if caller.runs(self._clock.now()):
            return caller
        if only_plus:
            # CRR-6: outside its agreement a subscriber is one of the public, not an intruder.
            return LAPSED
        raise unauthorised("This token is not valid at the moment.")

    def _require_fresh(self) -> None:
        if not self._credentials.fresh():
            raise Problem(
                503,
                "credentials-stale",
                "Credentials cannot be checked at the moment",
                "Ask again shortly, or without a credential.",
                headers={"Retry-After": str(STALE_SECONDS)},
            )


class OperatorToken:
    """The operators' bearer token, in a file; a changed file counts at once."""

    __slots__ = ("_changed", "_path", "_token")

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._changed = 0
        self._token = ""

    def is_it(self, said: str) -> bool:
        """Say whether this is the token; without a file, or with an empty one, nothing is."""
        if self._path is None:
            return False
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._token = self._path.read_text(encoding="ascii").strip()
                self._changed = changed
        except (OSError, UnicodeDecodeError):
            return False
        return bool(self._token) and same_secret(said, self._token)


def _caller(kind: Literal["role", "plus"], state: CredentialState) -> Caller:
    return Caller(
        kind=kind,
        organisation=state.organisation,
        scopes=frozenset(state.scopes),
        credential=state.credential,
        valid_from=state.valid_from,
        valid_until=state.valid_until,
    )
