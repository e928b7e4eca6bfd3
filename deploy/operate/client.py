"""Calls of the service: one function for all of them, and the one that writes a file."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from deploy.local.home import home_of
from deploy.local.ports import ports_of
from deploy.local.services import SERVICES, client_environment
from deploy.operate.ends import End, Fault, Said, Silent

AWAY: Final = frozenset({502, 503, 504})
ANSWER_SECONDS: Final = 30.0


class Missing(Fault):
    """A setting is not there."""

    end = End.USAGE


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks with one service as an operator."""

    url: str
    token: str
    seconds: float = ANSWER_SECONDS

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of an answer; raises ``Said`` for a no, ``Silent`` for none."""

        async def whole(answer: aiohttp.ClientResponse) -> bytes:
            return await answer.read()

        place = path + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else orjson.dumps(body)
        return bytes(asyncio.run(self._spoken(method, place, data, dict(headers or {}), whole)))

    def json(self, method: str, path: str, **more: Any) -> Any:
        """Return an answer read as JSON, as ``ask`` does."""
        return _read(self.ask(method, path, **more))

    def fetch(self, path: str, code: str, to: Path) -> int:
        """Write what a code opens into a new file for its owner alone; return its size in bytes.

        Raises ``Fault`` where the file is there already, before anything is asked for: what is
        fetched can be fetched once.
        """

        async def written(answer: aiohttp.ClientResponse) -> int:
            sha = hashlib.sha256()
            with os.fdopen(handle, "wb", closefd=False) as file:
                async for part in answer.content.iter_chunked(1 << 16):
                    sha.update(part)
                    file.write(part)
            told = answer.headers.get("Digest", "")
            if told != f"sha-256={sha.hexdigest()}":
                raise Fault(f"{to} is not what the service says that it sent")
            return os.fstat(handle).st_size

        try:
            handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as fault:
            raise Fault(f"{to} cannot be made: {fault.strerror}") from None
        try:
            headers = {"Authorization": f"Bearer {code}"}
            return int(asyncio.run(self._spoken("GET", path, None, headers, written)))
        except Fault:
            if os.fstat(handle).st_size == 0:
                to.unlink()
            raise
        finally:
            os.close(handle)

    async def _spoken(
        self,
        method: str,
        place: str,
        data: bytes | None,
        headers: dict[str, str],
        take: Callable[[aiohttp.ClientResponse], Any],
    ) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if data is not None:
            sent["Content-Type"] = "application/json"
        limit = aiohttp.ClientTimeout(sock_connect=self.seconds, sock_read=self.seconds)
        url = URL(self.url + place, encoded=True)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.request(method, url, data=data, headers=sent) as answer,
            ):
                if answer.status >= 400:  # noqa: PLR2004
                    raise _no(answer.status, await answer.read())
                return await take(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise Silent(f"{self.url} does not answer ({type(fault).__name__})") from None


def client(environment: Mapping[str, str], seconds: float = ANSWER_SECONDS) -> Client:
    """Return a client of the address in the environment, else of the copy on this machine.

    Raises ``Missing`` where the operators' token cannot be read.
    """
    if "RETENTION_URL" not in environment:
        environment = client_environment(SERVICES, home_of(environment), ports_of(environment))
    named = environment.get("OPERATOR_TOKEN_FILE")
    if named is None:
        raise Missing("RETENTION_URL is set; set OPERATOR_TOKEN_FILE to the operators' token, too.")
    try:
        token = Path(named).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise Missing(
            f"The operators' token cannot be read from {named}. Start Colophon with `make run`, or"
            " set RETENTION_URL and OPERATOR_TOKEN_FILE."
        ) from None
    return Client(environment["RETENTION_URL"].rstrip("/"), token, seconds)


def _no(status: int, body: bytes) -> Fault:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = {}
    problem = Said(status, document if isinstance(document, dict) else {})
    return Silent(str(problem)) if status in AWAY else problem


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Fault("The service answered something else than JSON.") from None
