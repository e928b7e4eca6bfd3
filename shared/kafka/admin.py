"""The broker's administrator: users, and what each may do.

Only what the rights and users of Colophon need. The broker answers for each right and user of a
request; the first no is raised, and asking again for what is done already changes nothing.
"""

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeAclsRequest

from shared.kafka import wire
from shared.kafka.connection import client
from shared.kafka.rights import Right
from shared.runtime.faults import Transient
from shared.runtime.ids import random_bytes

ITERATIONS: Final = 4096  # Kafka's least; passwords made here need no stretching
SALT_BYTES: Final = 32
TIMEOUT_MS: Final = 10_000
USER: Final = "User:"

NOT_ALLOWED: Final = (29, 30, 31, 53)  # topic, group, cluster, transactional id
UNSECURED: Final = 54
UNKNOWN_USER: Final = 91


class NotAllowed(Exception):
    """The user we are at the broker is not its administrator."""


class Unsecured(Exception):
    """The broker asks nobody who calls, so it keeps no rights."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """An administrator's connection. Calls raise ``Transient``, ``NotAllowed``, ``Unsecured``."""

    _client: AIOKafkaClient

    async def rights(self) -> frozenset[Right]:
        """Return everything that is allowed to users; what is denied is not told."""
        answer = await self._ask(
            DescribeAclsRequest(wire.ANY, None, wire.ANY, None, None, wire.ANY, wire.ALLOW)
        )
        _look(answer.error_code, "telling rights")
        return frozenset(
            Right(
                principal.removeprefix(USER),
                _word(wire.OPERATIONS, operation),
                _word(wire.RESOURCES, resource),
                name,
                _word(wire.PATTERNS, pattern),
                host,
            )
            for resource, name, pattern, allowed in answer.resources
            for principal, host, operation, _ in allowed
            if principal.startswith(USER)
        )

    async def grant(self, rights: Collection[Right]) -> None:
        """Give rights; those that are there stay."""
        if rights:
            answer = await self._ask(wire.CreateAcls([_binding(one) for one in sorted(rights)]))
            for code, *_ in answer.creation_responses:
                _look(code, "giving rights")

    async def withdraw(self, rights: Collection[Right]) -> None:
        """Take rights away, open connections included: the broker asks anew at every request."""
        if rights:
            answer = await self._ask(wire.DeleteAcls([_binding(one) for one in sorted(rights)]))
            for code, _, matching in answer.filter_responses:
                for each in (code, *(found[0] for found in matching)):
                    _look(each, "taking rights away")

    async def users(self) -> frozenset[str]:
        """Return the names of users whose password the broker keeps."""
        answer = await self._ask(wire.DescribeUsers())
        _look(answer.error_code, "telling users")
        return frozenset(user for user, *_ in answer.results)

    async def set_password(self, user: str, password: str) -> None:
        """Make a user, or give one another password; open connections stay."""
        salt = random_bytes(SALT_BYTES)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
        upsertion = (user, wire.SCRAM_SHA_256, ITERATIONS, salt, salted)
        answer = await self._ask(wire.AlterUsers(upsertions=[upsertion]))
        for _, code, *_ in answer.results:
            _look(code, "setting a password")

    async def forget(self, user: str) -> bool:
        """Take a user's password away; open connections stay. False where there was none."""
        answer = await self._ask(wire.AlterUsers(deletions=[(user, wire.SCRAM_SHA_256)]))
        codes = [code for _, code, *_ in answer.results]
        if UNKNOWN_USER in codes:
            return False
        for code in codes:
            _look(code, "removing a user")
        return True

    async def _ask(self, request: Any) -> Any:
        try:
            return await self._client.send(self._client.get_random_node(), request)
        except (KafkaError, OSError) as fault:
            raise Transient(f"the broker did not answer: {type(fault).__name__}") from fault


@contextlib.asynccontextmanager
async def administrator(address: str) -> AsyncGenerator[Administrator, None]:
    """Connect to ``address`` as the administrator it names. Raises ``Transient``."""
    connected = AIOKafkaClient(**client(address), request_timeout_ms=TIMEOUT_MS)
    try:
        try:
            await connected.bootstrap()
        except (KafkaError, OSError):
            # The client tells a wrong password from silence in its log alone.
            _unanswered()
        yield Administrator(connected)
    finally:
        await connected.close()


def _unanswered() -> NoReturn:
    raise Transient("the broker did not answer, or does not take this user and password")


def _binding(right: Right) -> tuple[Any, ...]:
    return (
        _code(wire.RESOURCES, right.resource),
        right.name,
        _code(wire.PATTERNS, right.pattern),
        USER + right.user,
        right.host,
        _code(wire.OPERATIONS, right.operation),
        wire.ALLOW,
    )


def _word(words: Sequence[str], code: int) -> str:
    """Return Kafka's word for a code; one of a newer Kafka stays a number."""
    return words[code] if code < len(words) else str(code)


def _code(words: Sequence[str], word: str) -> int:
    return int(word) if word.isdigit() else words.index(word)


def _look(code: int, doing: str) -> None:
    if code in NOT_ALLOWED:
        raise NotAllowed(f"this user may not do it: {doing}")
    if code == UNSECURED:
        raise Unsecured("the broker keeps no users and rights")
    if code:
        raise Transient(f"{doing}: {for_code(code).__name__}")
