"""Requests of people through the wire: retention, its broker, store and mail."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.platform import Platform
from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.ids import new_id
from tests.asking import Answer, asked
from tests.mailbox import Mailbox, code_in, mailbox, text_of
from tests.processes import OPERATOR, Place, Running, service, until

PROBLEM: Final = "urn:colophon:problem:"
OFFICER: Final = "officer@registry.example"
MANAGEMENT: Final = "management@registry.example"
_NUMBERS: Final = count(1)


@dataclass(slots=True)
class Desk:
    """Retention, the mail it sends, and who asks."""

    session: aiohttp.ClientSession
    retention: Running
    box: Mailbox
    place: Place

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        return await asked(self.session, method, self.retention.url + path, body, headers)

    async def staff(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as an operator, and be answered 2xx."""
        status, said = await self(method, path, body, OPERATOR | headers)
        assert status < 300, said
        return said

    async def refused(self, path: str, body: Any = None) -> tuple[int, str]:
        """Ask as an operator, and hear why not."""
        return slug(await self("POST", path, body, OPERATOR))

    async def letter(self, *kinds: str, **fields: Any) -> Any:
        """Put a letter on record."""
        return await self.staff("POST", "/requests", letter(*kinds, **fields))

    async def ask(self, *kinds: str, **fields: str) -> tuple[str, str]:
        """Ask by oneself; return the address and the confirmation."""
        email = address()
        status, said = await self(
            "POST", "/requests/self", {"email": email, "kinds": kinds, **fields}
        )
        assert status == 202, said
        return email, said["confirmation"]


def address() -> str:
    return f"asker-{next(_NUMBERS)}@people.example"


def letter(*kinds: str, **fields: Any) -> dict[str, Any]:
    said = {
        "kinds": kinds or ("access",),
        "channel": "letter",
        "received-at": "2026-11-20T10:00:00Z",
        "requester": {"name": "Lena Letter", "email": address()},
        "text": "What do you hold of me? Lena Letter",
    }
    return said | fields


def slug(answer: Answer) -> tuple[int, str]:
    status, said = answer
    return status, said["type"].removeprefix(PROBLEM)


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as one:
        yield one


@pytest.fixture(scope="module")
async def desk(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Desk]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("requests")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.2",
        "REQUEST_SECONDS": "0.2",
        "PRIVACY_OFFICER_ADDRESS": OFFICER,
        "MANAGEMENT_ADDRESS": MANAGEMENT,
    }
    async with (
        service("retention", place, **settings) as retention,
        aiohttp.ClientSession() as session,
    ):
        yield Desk(session, retention, box, place)


@pytest.mark.clause("DOAJ-9a1")
@pytest.mark.clause("DOAJ-1a10")
async def test_who_asks_by_themselves_is_on_record_once_the_mailed_code_is_used(
    desk: Desk,
) -> None:
    email, confirmation = await desk.ask("access", "portability", name="Ada Asker")
    assert (await desk("GET", f"/requests/{confirmation}", None, OPERATOR))[0] == 404
    code = await desk.box.code_to(email)
    shown = {"confirmation": confirmation, "code": code}
    status, said = await desk("POST", "/requests/confirmations", shown)
    assert (status, said["status"]) == (200, "confirmed")
    # The right code again is the same request, so that a broken call can be repeated.
    assert (await desk("POST", "/requests/confirmations", shown))[1] == said
    whole = await desk.staff("GET", f"/requests/{said['request']}")
    assert (whole["name"], whole["email"]) == ("Ada Asker", email)
    assert whole["kinds"] == ["access", "portability"]
    assert [one["task"] for one in whole["limits"]] if "task" in whole["limits"][0] else True
    told = text_of(await desk.box.next_to(email, after=1))
    assert said["request"] in told
