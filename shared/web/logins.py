"""Whether a password is right: argon2 in two threads, bounded, asked once for equal questions.

A right password is remembered for a minute under a keyed hash that holds the credential's version,
so a new version is asked anew. Passwords and logins are kept nowhere in clear.
"""

import asyncio
import math
from collections import Counter, OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from shared.privacy.passwords import hash_password, remembering_key, verify_password
from shared.runtime.clock import Clock
from shared.runtime.ids import new_token, random_bytes
from shared.web.backoff import Backoff, Patience, network
from shared.web.problems import Problem

PER_PAIR: Final = Patience(free=5, cap=60.0)  # one address that guesses one login
PER_ADDRESS: Final = Patience(free=20, cap=60.0)  # one address that tries many
PER_LOGIN: Final = Patience(free=50, cap=5.0)  # many that guess one; its owner must get in


class Secret(Protocol):
    """What a password is checked against: a role's credential, or a person's."""

    @property
    def password_hash(self) -> str | None:
        """The argon2id hash; None where no password is right."""
        ...

    @property
    def revoked(self) -> bool:
        """Whether it counts no more."""
        ...

    @property
    def version(self) -> int:
        """Grows with each change."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on checking passwords, which costs 50 ms of a processor each (design section 2)."""

    threads: int = 2
    waiting: int = 32  # checks waiting or running in the process: less than a second of work
    per_login: int = 4
    per_address: int = 8
    remember_seconds: float = 60.0
    remembered: int = 10_000
    pair: Patience = PER_PAIR
    address: Patience = PER_ADDRESS
    login: Patience = PER_LOGIN


class Logins:
    """Checks passwords for one process."""

    __slots__ = (
        "_backoff",
        "_busy",
        "_clock",
        "_key",
        "_limits",
        "_nobody",
        "_pool",
        "_right",
        "_running",
        "checked",
    )

    def __init__(self, *, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="argon2")
        self._key = random_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._running: dict[bytes, asyncio.Future[bool]] = {}
        self._busy: Counter[tuple[str, ...]] = Counter()
        self._backoff = Backoff(clock)
        self._nobody = ""
        self.checked = 0  # passwords hashed so far, right or wrong

    async def right(
        self, state: Secret | None, *, key: str, login: str, password: str, address: str
    ) -> bool:
        """Say whether ``password`` is right for the credential ``state`` of this ``key``.

        Unknown and revoked credentials take as long as wrong passwords. Raises ``Problem`` 429
        where too many are being checked or too many tries failed.
        """
        known = state is not None and not state.revoked and state.password_hash is not None
        asked = remembering_key(self._key, login, password, state.version if state else 0)
        if known and self._remembers(asked):
            return True
        running = self._running.get(asked)
        if running is None:
            running = self._start(asked, key, network(address), state if known else None, password)
        # The check belongs to all who ask the same; one of them leaving does not stop it.
        return await asyncio.shield(running) and known

    def close(self) -> None:
        """Let the threads go; what still waits is not checked any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _remembers(self, asked: bytes) -> bool:
        until = self._right.get(asked)
        if until is None:
            return False
        if self._clock.monotonic() < until:
            return True
        del self._right[asked]
        return False

    def _start(
        self, asked: bytes, key: str, address: str, state: Secret | None, password: str
    ) -> asyncio.Future[bool]:
        limits = self._limits
        pair, by_address, by_login = ("pair", key, address), ("address", address), ("login", key)
        wait = self._backoff.wait(
            ((pair, limits.pair), (by_address, limits.address), (by_login, limits.login))
        )
        if wait > 0:
            raise _too_many(wait)
        if (
            len(self._running) >= limits.waiting
            or self._busy[by_login] >= limits.per_login
            or self._busy[by_address] >= limits.per_address
        ):
            raise _too_many(1.0)
        self.checked += 1
        self._busy.update((by_login, by_address))
        check = partial(self._check, state.password_hash if state else None, password)
        running = asyncio.get_running_loop().run_in_executor(self._pool, check)
        self._running[asked] = running
        running.add_done_callback(partial(self._done, asked, (pair, by_address, by_login)))
        return running

    def _check(self, password_hash: str | None, password: str) -> bool:
        if password_hash is not None:
            return verify_password(password_hash, password)
        # Two threads may both make it once; either is as good.
        self._nobody = self._nobody or hash_password(new_token())
        verify_password(self._nobody, password)
        return False

    def _done(
        self,
        asked: bytes,
        things: tuple[tuple[str, ...], ...],
        running: asyncio.Future[bool],
    ) -> None:
        pair, by_address, by_login = things
        del self._running[asked]
        for thing in (by_address, by_login):
            self._busy[thing] -= 1
            if self._busy[thing] <= 0:
                del self._busy[thing]
        if running.cancelled() or running.exception() is not None:
            return
        if running.result():
            self._backoff.succeeded((pair,))
            self._right[asked] = self._clock.monotonic() + self._limits.remember_seconds
            while len(self._right) > self._limits.remembered:
                self._right.popitem(last=False)
        else:
            self._backoff.failed(things)


def _too_many(seconds: float) -> Problem:
    return Problem(
        429,
        "too-many-tries",
        "Too many tries to log in",
        "Try again later, with the right password.",
        headers={"Retry-After": str(math.ceil(seconds))},
    )
