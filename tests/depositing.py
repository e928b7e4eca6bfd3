"""Depositing in tests: members with logins on the gate topics, deposit files, and a client."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring

import aiohttp

from shared.events import (
    CredentialIssued,
    Event,
    PrefixAssigned,
    Received,
    Scope,
    Watermark,
    from_record,
)
from shared.kafka.follow import follow
from shared.privacy.keyfile import load_or_create
from shared.privacy.passwords import hash_password, login_key
from tests.events import Voice, speaking
from tests.processes import Place, Running, until

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD: Final = "correct horse"
_HASH: Final = hash_password(PASSWORD)
# Each member has a journal of its own: a title belongs to who deposited under it first.
JOURNALS: Final = {
    "10.5555": ("Journal of Tests", "2167-8359"),
    "10.6666": ("Letters of Others", "2049-3630"),
}
NAMESPACE: Final = "http://www.crossref.org/schema/5.3.1"
RESOURCES: Final = "http://www.crossref.org/doi_resources_schema/4.4.2"

STALE: Final = "Credentials cannot be checked"  # so long as it is not known whose are revoked


async def _known(ask: Callable[[], Awaitable[tuple[int, str]]]) -> tuple[int, str]:
    """Ask, and again while it cannot be told who asks; tests.asking does so for JSON."""

    async def heard() -> tuple[int, str] | None:
        status, text = await ask()
        return None if status == 503 and STALE in text else (status, text)

    found: tuple[int, str] = await until(heard, within=60, what="credentials that can be checked")
    return found


@dataclass(frozen=True, slots=True)
class Login:
    """A member's login."""

    name: str
    organisation: int
    scopes: tuple[Scope, ...] = ("deposit",)

    @property
    def basic(self) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(self.name, PASSWORD)}


PRESS: Final = Login("press", 78)
PRESS_TOO: Final = Login("press2", 78)
PRESS_ADMIN: Final = Login("press-admin", 78, ("admin",))
OTHER: Final = Login("other", 99)
OWNED: Final = {"10.5555": 78, "10.6666": 99}


@contextlib.asynccontextmanager
async def members(
    place: Place, logins: Sequence[Login] = (PRESS, PRESS_TOO, PRESS_ADMIN, OTHER)
) -> AsyncIterator[Voice]:
    """Speak for accounts: two members, their prefixes and logins, fresh while the block runs."""
    key = load_or_create(place.folder / "login.key")
    async with speaking(place, "accounts") as (voice,):
        await voice.say(
            *(assigned(prefix, owner) for prefix, owner in OWNED.items()),
            *(
                CredentialIssued(
                    credential=login_key(key, one.name),
                    organisation=one.organisation,
                    scopes=one.scopes,
                    password_hash=_HASH,
                    version=1,
                )
                for one in logins
            ),
        )
        yield voice


def assigned(prefix: str, owner: int, *, version: int = 1) -> PrefixAssigned:
    """Return the event that gives a prefix to an organisation."""
    return PrefixAssigned(
        prefix=prefix, owner=owner, owner_name=f"Press {owner}", assigned_at=AT, version=version
    )


def article(doi: str, *, timestamp: int | None = None, title: str = "A title") -> str:
    """Return one journal article."""
    own = "" if timestamp is None else f"<timestamp>{timestamp}</timestamp>"
    return (
        '<journal_article publication_type="full_text">'
        f"<titles><title>{title}</title></titles>"
        '<publication_date media_type="online"><year>2026</year></publication_date>'
        f"<doi_data><doi>{doi}</doi>{own}<resource>https://example.org/{doi}</resource></doi_data>"
        "<citation_list>"
        '<citation key="r1"><doi>10.1234/cited</doi></citation>'
        "</citation_list></journal_article>"
    )


def deposit(
    *articles: str,
    batch: str = "batch-1",
    timestamp: int = 1,
    journal: tuple[str, str] | None = None,
) -> bytes:
    """Return a deposit file of journal articles, in the journal of the first DOI's prefix."""
    first = articles[0] if articles else ""
    of_prefix = "10.6666" if "<doi>10.6666/" in first else "10.5555"
    title, issn = journal or JOURNALS[of_prefix]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<doi_batch version="5.3.1" xmlns="{NAMESPACE}">'
        f"<head><doi_batch_id>{batch}</doi_batch_id><timestamp>{timestamp}</timestamp>"
        "<depositor><depositor_name>Nora Depositor</depositor_name>"
        "<email_address>nora@press.example</email_address></depositor>"
        "<registrant>Press</registrant></head><body><journal><journal_metadata>"
        f"<full_title>{title}</full_title>"
        f'<issn media_type="electronic">{issn}</issn></journal_metadata>'
        f"{''.join(articles)}</journal></body></doi_batch>"
    ).encode()


def citations(doi: str, *keys: str) -> bytes:
    """Return a resource-only deposit of references, to replace those of a work."""
    listed = "".join(
        f'<citation key="{key}"><unstructured_citation>{key}</unstructured_citation></citation>'
        for key in keys
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<doi_batch version="4.4.2" xmlns="{RESOURCES}">'
        "<head><doi_batch_id>part</doi_batch_id><depositor><depositor_name>Nora</depositor_name>"
        "<email_address>nora@press.example</email_address></depositor></head><body>"
        f"<doi_citations><doi>{doi}</doi><citation_list>{listed}</citation_list></doi_citations>"
        "</body></doi_batch>"
    ).encode()


@dataclass(frozen=True, slots=True)
class Log:
    """A ``doi_batch_diagnostic`` as a client reads it."""

    status: str
    submission: str
    batch: str
    records: list[tuple[str, str, str]]
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "Log":
        root: Element = fromstring(text.encode())
        assert root.tag == "doi_batch_diagnostic"
        data = root.find("batch_data")
        return cls(
            root.attrib["status"],
            root.findtext("submission_id") or "",
            root.findtext("batch_id") or "",
            [
                (one.attrib["status"], one.findtext("doi") or "", one.findtext("msg") or "")
                for one in root.findall("record_diagnostic")
            ],
            {} if data is None else {one.tag: int(one.text or 0) for one in data},
        )


@dataclass(slots=True)
class Client:
    """What member systems do with the site."""

    session: aiohttp.ClientSession
    url: str

    async def post(
        self,
        path: str,
        content: bytes,
        *,
        login: Login | None = PRESS,
        file_name: str = "batch.xml",
        part: str = "fname",
        spelling: tuple[str, str] = ("login_id", "login_passwd"),
        password: str = PASSWORD,
        **fields: str,
    ) -> tuple[int, str]:
        """Send a file."""

        async def sent() -> tuple[int, str]:
            form = aiohttp.FormData()
            if login is not None:
                form.add_field(spelling[0], login.name)
                form.add_field(spelling[1], password)
            for name, value in fields.items():
                form.add_field(name, value)
            form.add_field(part, io.BytesIO(content), filename=file_name, content_type="text/xml")
            async with self.session.post(self.url + path, data=form) as answer:
                return answer.status, await answer.text()

        return await _known(sent)

    async def now(self, content: bytes, **more: Any) -> tuple[int, Log]:
        status, text = await self.post(
            "/v2/deposits", content, spelling=("usr", "pwd"), part="mdFile", **more
        )
        return status, Log.of(text)

    async def later(self, content: bytes, **more: Any) -> str:
        """Deposit asynchronously and return the submission's number."""
        status, text = await self.post("/servlet/deposit", content, operation="doMDUpload", **more)
        assert status == 200, text
        assert "SUCCESS" in text
        assert "Your batch submission was successfully received." in text
        return text.partition("Submission ID: ")[2].partition("<")[0]

    async def log(self, *, login: Login = PRESS, **asked: str) -> Log:
        query = {"usr": login.name, "pwd": PASSWORD, "type": "result", **asked}
        path = "/servlet/submissionDownload"

        async def sent() -> tuple[int, str]:
            async with self.session.get(self.url + path, params=query) as answer:
                return answer.status, await answer.text()

        status, text = await _known(sent)
        assert status == 200, text
        return Log.of(text)

    async def get(self, path: str, *, login: Login | None = PRESS, **headers: str) -> Any:
        said = (login.basic if login else {}) | headers
        async with self.session.get(self.url + path, headers=said) as answer:
            return answer.status, await answer.json(content_type=None)

    async def ended(self, submission: str, *, login: Login = PRESS) -> dict[str, Any]:
        """Wait until a submission is completed and return its JSON view."""

        async def completed() -> Any:
            with contextlib.suppress(aiohttp.ClientError):
                status, body = await self.get(f"/submissions/{submission}", login=login)
                return body if status == 200 and body["status"] == "completed" else None

        found: dict[str, Any] = await until(completed, within=90, what=f"{submission} completed")
        return found


@contextlib.asynccontextmanager
async def client(running: Running) -> AsyncIterator[Client]:
    """Open a client of a running deposits."""
    async with aiohttp.ClientSession() as session:
        yield Client(session, running.url)


async def published(place: Place, topic: str, *, at_least: int) -> list[Event]:
    """Return all events of a topic in their order per key, each where it was first.

    Waits until there are ``at_least`` of them. At least once (L1): a relay that was interrupted, or
    whose document changed meanwhile, publishes again under the same id.
    """
    found: list[Event] = []
    ids: set[str] = set()
    seen: dict[tuple[str, int], int] = {}
    draining = asyncio.Event()
    async with contextlib.aclosing(
        follow(place.kafka_bootstrap, [topic], draining, prefix=place.name)
    ) as batches:
        async with asyncio.timeout(90):
            async for batch in batches:
                for where, record in batch.records:
                    assert record.offset >= seen.get(where, 0)
                    seen[where] = record.offset
                    content = from_record(record.key, record.value, record.headers)
                    if isinstance(content, Watermark):
                        continue
                    assert isinstance(content, Received), content
                    if content.meta.id not in ids:
                        found.append(content.event)
                    ids.add(content.meta.id)
                if len(found) >= at_least and not batch.behind:
                    return found
    raise AssertionError("the topic ended")
