"""Consent as its callers see it: operators, people with their links, and everybody."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import aiohttp

from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.mailbox import Mailbox, text_of
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, Running, service, until

PROBLEM: Final = "urn:colophon:problem:"
POLICIES: Final = ROOT / "deploy" / "policies"


@dataclass(slots=True)
class Client:
    """A caller of consent; the operator where ``operator`` is said."""

    session: aiohttp.ClientSession
    consent: Running
    cookies: list[str] = field(default_factory=list)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, operator: bool = False
    ) -> tuple[int, Any]:
        url = path if path.startswith("http") else self.consent.url + path
        headers = OPERATOR if operator else {}
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            self.cookies += answer.headers.getall("Set-Cookie", [])
            text = await answer.text()
            json = text and "json" in answer.content_type
            return answer.status, await answer.json(content_type=None) if json else text

    async def ok(self, method: str, path: str, body: Any = None, *, operator: bool = False) -> Any:
        status, said = await self(method, path, body, operator=operator)
        assert status < 300, said
        return said

    async def look_up(self, address: str) -> dict[str, Any]:
        """Return what each of an address's consents is worth."""
        said = await self.ok("POST", "/consents/look-up", {"email": address}, operator=True)
        return {one["purpose"]: one for one in said["consents"]}


async def a_place(platform: Platform, folder: Path) -> Place:
    """Return where the processes of a module live, with policies of its own that it may change."""
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    copytree(POLICIES, folder / "policies")
    return Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)


@contextlib.asynccontextmanager
async def consenting(place: Place, box: Mailbox, **more: str) -> AsyncIterator[Client]:
    """Run consent with the notices posted."""
    settings = {
        "SMTP_URL": box.url,
        "POLICIES_DIR": str(place.folder / "policies"),
        "MAIL_FIRST_SECONDS": "0.1",
        "MAIL_MOST_SECONDS": "0.2",
        "EXPIRY_SECONDS": "0.2",
        "COUNTING_SECONDS": "0.1",
        **more,
    }
    async with (
        service("consent", place, **settings) as consent,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        made = Client(session, consent)
        await made.ok("POST", "/notices", operator=True)
        yield made


def path_in(client: Client, text: str, kind: str) -> str:
    """Return the path of the first link of a kind in a mail; it begins with the public address."""
    found = re.search(rf"http://\S+/({kind}/\S+?)[\s>]", text)
    assert found, kind
    return f"/{found[1]}"


async def subscribed(client: Client, box: Mailbox, address: str, name: str = "newsletter") -> str:
    """Join a list as a person does; return the path of the person's own page."""
    before = len(box.to(address))
    await client.ok("POST", f"/lists/{name}/subscriptions", {"email": address})
    text = text_of(await box.next_to(address, after=before))
    await client.ok("POST", path_in(client, text, "confirmations"))
    return path_in(client, text, "preferences")


async def sent(client: Client, name: str, issue: dict[str, str]) -> dict[str, Any]:
    """Send an issue of a list; return what it came to, once all pages of it went."""
    await client.ok("POST", f"/lists/{name}/issues", issue, operator=True)

    async def ended() -> Any:
        path = f"/lists/{name}/issues/{issue['issue']}"
        said = await client.ok("GET", path, operator=True)
        return said if said["ended-at"] else None

    found: dict[str, Any] = await until(ended, within=60, what="the issue to be sent")
    return found
