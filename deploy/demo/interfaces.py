"""The public interfaces of the running system, as a client of theirs sees them.

Three addresses and a few routes; nothing here knows how they are served. Whatever is not the
expected answer becomes `Unexpected`, with the route and the status, never with a secret.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from lxml import etree

from deploy.local.home import home_of
from deploy.local.ports import HOST, ports_of

_TIMEOUT = aiohttp.ClientTimeout(total=60)
OK, CREATED, ACCEPTED, NOT_FOUND, CONFLICT = 200, 201, 202, 404, 409


class Unexpected(Exception):
    """An interface answered something else than it promises, or did not answer."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the system is, and the operator's token."""

    accounts: str
    deposits: str
    distribution: str
    operator_token_file: Path
    home: Path

    @property
    def credentials(self) -> Path:
        """Where the logins and tokens made for the demo are kept."""
        return self.home / "demo-credentials.json"


def addresses(environment: Mapping[str, str] = os.environ) -> Addresses:
    """Return the addresses that the environment names, else those of `make run`."""
    ports = ports_of(environment)
    home = home_of(environment)

    def address(name: str) -> str:
        given = environment.get(f"{name.upper()}_URL") or f"http://{HOST}:{ports[name]}"
        return given.rstrip("/")

    token = environment.get("OPERATOR_TOKEN_FILE")
    return Addresses(
        accounts=address("accounts"),
        deposits=address("deposits"),
        distribution=address("distribution"),
        operator_token_file=Path(token) if token else home.operator_token,
        home=home.path,
    )


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A role's login and password."""

    login: str
    password: str

    @property
    def basic(self) -> aiohttp.BasicAuth:
        """The HTTP Basic form."""
        return aiohttp.BasicAuth(self.login, self.password)


@dataclass(frozen=True, slots=True)
class RecordResult:
    """One record_diagnostic of a submission log."""

    status: str
    doi: str
    message: str


@dataclass(frozen=True, slots=True)
class SubmissionLog:
    """A doi_batch_diagnostic as far as a depositor needs it."""

    status: str
    records: tuple[RecordResult, ...]


class System:
    """The running system; an async context manager."""

    def __init__(self, where: Addresses) -> None:
        self.where = where
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The open session."""
        assert self._session is not None
        return self._session

    def _operator(self) -> dict[str, str]:
        try:
            token = self.where.operator_token_file.read_text("utf-8").strip()
        except OSError as error:
            raise Unexpected(
                f"The operator's token is not readable at {self.where.operator_token_file}: "
                "start the system with `make run`, or name the file in OPERATOR_TOKEN_FILE."
            ) from error
        return {"Authorization": f"Bearer {token}"}

    async def _accounts(
        self,
        method: str,
        path: str,
        *,
        body: Any,
        allowed: Iterable[int],
        auth: Login | None = None,
    ) -> tuple[int, Any]:
        url = self.where.accounts + path
        return await self._ask(method, url, body=body, allowed=allowed, auth=auth)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        body: Any,
        allowed: Iterable[int],
        auth: Login | None = None,
    ) -> tuple[int, Any]:
        """Ask as the operator, or as a role; what is not allowed is Unexpected."""
        headers = {} if auth else self._operator()
        basic = auth.basic if auth else None
        try:
            async with self.http.request(
                method, url, json=body, headers=headers, auth=basic
            ) as answer:
                if answer.status not in allowed:
                    raise Unexpected(f"{method} {url} answered {answer.status}")
                return answer.status, await answer.json(content_type=None)
        except aiohttp.ClientError as error:
            raise Unexpected(f"{method} {url} did not answer ({type(error).__name__})") from error

    # -- accounts ----------------------------------------------------------------------------

    async def register(self, *, number: int, name: str, location: str | None) -> bool:
        """Register an organisation; False when it is there already."""
        body = {"id": number, "name": name, "names": [name]}
        body |= {"location": location} if location else {}
        status, _ = await self._accounts(
            "POST", "/organisations", body=body, allowed=(OK, CREATED, CONFLICT)
        )
        return status != CONFLICT

    async def assign(self, number: int, prefix: str, *, name: str) -> bool:
        """Give an organisation a prefix; False when it was assigned already."""
        status, _ = await self._accounts(
            "POST",
            f"/organisations/{number}/prefixes",
            body={"prefix": prefix, "name": name},
            allowed=(OK, CREATED, CONFLICT),
        )
        return status != CONFLICT

    async def issue(self, number: int, login: Login) -> bool:
        """Issue a role's login to deposit and administer; False when the login exists."""
        status, _ = await self._accounts(
            "POST",
            f"/organisations/{number}/credentials",
            body={
                "login": login.login,
                "password": login.password,
                "scopes": ["deposit", "admin"],
            },
            allowed=(OK, CREATED, CONFLICT),
        )
        return status != CONFLICT

    async def prefer(
        self, number: int, prefix: str, *, setting: str, by: Login | None = None
    ) -> Any:
        """Set a prefix's reference visibility, as the operator or as a member's own role."""
        _, answer = await self._accounts(
            "PUT",
            f"/organisations/{number}/preferences/{quote(prefix)}",
            body={"reference-visibility": setting},
            allowed=(OK, ACCEPTED),
            auth=by,
        )
        return answer

    async def receipt(self, number: int, prefix: str, *, by: Login | None = None) -> Any:
        """Return when each outlet began to obey the newest preference."""
        _, answer = await self._accounts(
            "GET",
            f"/organisations/{number}/preferences/{quote(prefix)}/receipt",
            body=None,
            allowed=(OK, ACCEPTED),
            auth=by,
        )
        return answer

    async def agree(self, number: int, *, start: str, end: str) -> str:
        """Start a Plus agreement between two instants; return its token."""
        _, answer = await self._accounts(
            "POST",
            f"/organisations/{number}/plus-agreements",
            body={"start": start, "end": end},
            allowed=(OK, CREATED),
        )
        token = answer.get("token")
        if not token:
            raise Unexpected("POST /organisations/{id}/plus-agreements answered without a token")
        return str(token)

    # -- deposits ----------------------------------------------------------------------------

    async def deposit(self, xml: bytes, *, file_name: str, by: Login) -> None:
        """Deposit a file; returns when it is queued, which means safe, not accepted."""
        form = aiohttp.FormData()
        form.add_field("operation", "doMDUpload")
        form.add_field("login_id", by.login)
        form.add_field("login_passwd", by.password)
        form.add_field("fname", xml, filename=file_name, content_type="text/xml")
        url = f"{self.where.deposits}/servlet/deposit"
        try:
            async with self.http.post(url, data=form) as answer:
                page = await answer.text()
                if answer.status != OK or "successfully received" not in page:
                    raise Unexpected(f"POST {url} did not take {file_name} ({answer.status})")
        except aiohttp.ClientError as error:
            raise Unexpected(f"POST {url} did not answer ({type(error).__name__})") from error

    async def log(self, file_name: str, *, by: Login) -> SubmissionLog:
        """Return the submission log of a file by its name."""
        url = f"{self.where.deposits}/servlet/submissionDownload"
        # The form, not the query: a password does not belong in a server's access log.
        form = {"usr": by.login, "pwd": by.password, "file_name": file_name, "type": "result"}
        try:
            async with self.http.post(url, data=form) as answer:
                page = await answer.read()
                if answer.status != OK:
                    raise Unexpected(f"POST {url} answered {answer.status} for {file_name}")
        except aiohttp.ClientError as error:
            raise Unexpected(f"POST {url} did not answer ({type(error).__name__})") from error
        root = etree.fromstring(page, etree.XMLParser(resolve_entities=False, no_network=True))
        return SubmissionLog(
            status=root.get("status") or "",
            records=tuple(
                RecordResult(
                    record.get("status") or "",
                    record.findtext("doi") or "",
                    record.findtext("msg") or "",
                )
                for record in root.iterfind("record_diagnostic")
            ),
        )

    async def titles(self, issn: str) -> list[str]:
        """Return the ids of the titles that an ISSN names."""
        url = f"{self.where.deposits}/titles?issn={issn}"
        _, answer = await self._ask("GET", url, body=None, allowed=(OK,))
        return [title["id"] for title in answer["items"]]

    async def transfer(
        self, to: str, *, works: Sequence[str] = (), titles: Sequence[str] = ()
    ) -> None:
        """Transfer works or titles to a prefix, as the operator; may be repeated."""
        url = f"{self.where.deposits}/transfers"
        for kind, subjects in (("works", works), ("titles", titles)):
            if subjects:
                body = {"to": to, kind: list(subjects)}
                _, answer = await self._ask("POST", url, body=body, allowed=(OK,))
                if unknown := answer["unknown"]:
                    raise Unexpected(f"POST {url} does not know {', '.join(unknown)}")

    # -- distribution ------------------------------------------------------------------------

    async def read(
        self, path: str, *, by: Login | None = None, plus: str | None = None
    ) -> tuple[int, Any]:
        """Read a route anonymously, as a member's role or with a Plus token."""
        url = self.where.distribution + path
        headers = {"Crossref-Plus-API-Token": f"Bearer {plus}"} if plus else {}
        try:
            async with self.http.get(url, headers=headers, auth=by.basic if by else None) as answer:
                known = "json" in (answer.content_type or "")
                return answer.status, await answer.json() if known else None
        except aiohttp.ClientError as error:
            raise Unexpected(f"GET {url} did not answer ({type(error).__name__})") from error

    async def resolves(self, doi: str) -> bool:
        """Whether readers get this work."""
        return await self._work(doi) is not None

    async def owner_prefix(self, doi: str) -> str | None:
        """Return the prefix that readers are told a work belongs to, None when there is none."""
        return (await self._work(doi) or {}).get("prefix")

    async def _work(self, doi: str) -> dict[str, Any] | None:
        status, answer = await self.read(f"/works/{quote(doi, safe='')}")
        if status not in {OK, NOT_FOUND}:
            raise Unexpected(f"GET /works/{doi} answered {status}")
        return answer["message"] if status == OK else None
