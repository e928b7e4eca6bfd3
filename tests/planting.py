"""Canaries through the front doors: for each schema of personal data, how its values come in.

One row of ``PLANTED`` for each schema: a schema that is declared and has none fails the test that
reads this (tests/integration/test_canaries.py), save for those that ``FOLLOWING`` gives a reason.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import aiohttp

from deploy.privacy.canaries import Canary
from shared.runtime.clock import rfc3339
from tests import depositing
from tests.mailbox import Mailbox, code_in, text_of
from tests.processes import OPERATOR, Running, until

UNAVAILABLE: Final = 503
ORGANISATION: Final = 78
PREFIX: Final = "10.5555"
PASSWORD: Final = "correct horse battery"


@dataclass(slots=True)
class Answer:
    """What a service said, and whether it was an error."""

    place: str
    status: int
    body: bytes


@dataclass(slots=True)
class World:
    """The services of a test, who speaks with them, and what they answered."""

    session: aiohttp.ClientSession
    services: Mapping[str, Running]
    box: Mailbox
    canaries: Mapping[str, Canary]
    answers: list[Answer] = field(default_factory=list)
    login: str = ""  # of the organisation, an address too

    def of(self, schema: str, name: str) -> str:
        """Return the value that is planted as a field."""
        return self.canaries[f"{schema}/{name}"].text

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> tuple[int, Any]:
        """Ask a service; what it answers is kept to be looked at."""
        url = self.services[service].url + path
        said = {"json": body} if body is not None else {}
        async with self.session.request(
            method, url, headers=headers or {}, **said, **more
        ) as answer:
            content = await answer.read()
            place = f"{service} {method} {path} {answer.status}"
            self.answers.append(Answer(place, answer.status, content))
            json = "json" in answer.content_type and content
            return answer.status, await answer.json(content_type=None) if json else content.decode()

    async def ok(self, *asked: Any, **more: Any) -> Any:
        """Ask, again where that is the answer, and be answered 2xx."""

        async def heard() -> tuple[int, Any] | None:
            answer: tuple[int, Any] = await self.ask(*asked, **more)
            return None if answer[0] == UNAVAILABLE else answer

        status, said = await until(heard, within=60, what=f"an answer of {asked[2]}")
        assert status < 300, (asked[:3], status, said)
        return said

    async def signed_in(self, email: str, *, name: str, after: int = 0) -> dict[str, str]:
        """Make an account and sign in; return what proves it, and the person's path."""
        await self.ok("accounts", "POST", "/people", {"email": email, "name": name})
        code = code_in(await self.box.next_to(email, after=after))
        said = await self.ok("accounts", "POST", "/sign-ins", {"code": code, "password": PASSWORD})
        return {"Authorization": f"Bearer {said['token']}", "at": f"/people/{said['person']}"}

    def own(self, address: str) -> Iterator[str]:
        """Give the canaries that may stand in a mail to an address: those planted beside it."""
        alike = {
            one.schema for one in self.canaries.values() if one.text.lower() == address.lower()
        }
        yield from (name for name, one in self.canaries.items() if one.schema in alike)


async def member(world: World) -> None:
    """Enter the organisation that deposits, with a login that is an address."""
    here = f"/organisations/{ORGANISATION}"
    world.login = world.of("accounts.login", "email")
    for path, body in (
        ("/organisations", {"id": ORGANISATION, "name": "Press 78"}),
        (f"{here}/prefixes", {"prefix": PREFIX, "name": "Press 78"}),
        (
            f"{here}/credentials",
            {"login": world.login, "password": PASSWORD, "scopes": ["deposit", "admin"]},
        ),
    ):
        await world.ok("accounts", "POST", path, body, headers=OPERATOR)


async def account(world: World) -> None:
    """Register, sign in by password, mend the name, move to another address, be looked up."""
    schema = "accounts.person-details.v1"
    former, email = world.of(schema, "former-email"), world.of(schema, "email")
    holder = await world.signed_in(former, name=world.of(schema, "former-name"))
    at, who = holder.pop("at"), holder
    body = {"email": email, "name": world.of(schema, "name")}
    await world.ok("accounts", "PUT", at, body, headers=who)
    code = code_in(await world.box.next_to(email))
    await world.ok("accounts", "POST", "/sign-ins", {"code": code})
    await world.ok("accounts", "POST", "/sign-ins", {"email": email, "password": PASSWORD})
    for wrong in (email, former, world.of(schema, "name")):
        await world.ask(
            "accounts", "POST", "/sign-ins", {"email": wrong, "password": "wrong horse"}
        )
    await world.ok("accounts", "GET", at, headers=who)


async def asked(world: World) -> None:
    """Ask for an account and never confirm the address."""
    for schema in ("accounts.asked.v1", "accounts.pending-details.v1"):
        email = world.of(schema, "email")
        body = {"email": email, "name": world.of(schema, "name")}
        await world.ok("accounts", "POST", "/people", body)
        await world.box.next_to(email)


async def contact(world: World) -> None:
    """Name a contact, who is asked by mail and agrees."""
    schema, at = "accounts.contact.v1", f"/organisations/{ORGANISATION}/contacts"
    email = world.of(schema, "email")
    body = {"name": world.of(schema, "name"), "email": email}
    await world.ok("accounts", "PUT", f"{at}/technical", body, headers=OPERATOR)
    await world.box.next_to(email)
    await world.ok("accounts", "GET", at, headers=OPERATOR)


async def volunteer(world: World) -> None:
    """Apply as a volunteer, with a referee."""
    of, referee = "accounts.volunteer.v1", "accounts.volunteer-referee.v1"
    named = {"name": world.of(referee, "name"), "email": world.of(referee, "email")}
    body = {"name": world.of(of, "name"), "email": world.of(of, "email"), "referees": [named]}
    await world.ok("accounts", "POST", "/volunteer-applications", body)


async def subscriber(world: World) -> None:
    """Ask for a list, confirm, get an issue, leave."""
    email = world.of("consent.subscriber.v1", "email")
    await world.ok("consent", "POST", "/lists/newsletter/subscriptions", {"email": email})
    link = _link(text_of(await world.box.next_to(email)), "confirmations")
    await world.ok("consent", "POST", link)
    issue = {"issue": "first", "subject": "News", "text": "Hello,\n\nthere is news."}
    await world.ok("consent", "POST", "/lists/newsletter/issues", issue, headers=OPERATOR)
    text = text_of(await world.box.next_to(email, after=1))
    await world.ok("consent", "POST", "/consents/look-up", {"email": email}, headers=OPERATOR)
    await world.ok("consent", "POST", "/preferences", {"email": email})
    await world.ok("consent", "POST", _link(text, "unsubscribe"))


async def evidence(world: World) -> None:
    """Enter a letter."""
    letter = {
        "email": world.of("consent.evidence.v1", "email"),
        "consent": "given",
        "channel": "letter",
        "said-at": rfc3339(datetime.now(UTC) - timedelta(days=2)),
        "evidence": world.of("consent.evidence.v1", "said"),
    }
    await world.ok("consent", "PUT", "/consents/marketing", letter, headers=OPERATOR)


async def request(world: World) -> None:
    """Ask by oneself and confirm; have a letter of a representative put on record and answered."""
    schema = "retention.requester.v1"
    for of in ("retention.asked.v1", "retention.pending-request.v1"):
        own = {name: world.of(of, name) for name in ("email", "name", "text")}
        await world.ok("retention", "POST", "/requests/self", own | {"kinds": ["access"]})
        mail = await world.box.next_to(own["email"])
        if of == "retention.asked.v1":
            shown = {"confirmation": confirmation_in(text_of(mail)), "code": code_in(mail)}
            await world.ok("retention", "POST", "/requests/confirmations", shown)
            await world.box.next_to(own["email"], after=1)
    who = {name: world.of(schema, name) for name in ("name", "email", "post")}
    helper = "retention.representative.v1"
    note = world.of("retention.request-note.v1", "text")
    letter = {
        "kinds": ["withdrawal"],
        "channel": "letter",
        "received-at": rfc3339(datetime.now(UTC) - timedelta(days=2)),
        "requester": who | {"on-file": [world.of(schema, "on_file")]},
        "text": world.of(schema, "text"),
        "representative": {name: world.of(helper, name) for name in ("name", "email", "authority")},
    }
    said = await world.ok("retention", "POST", "/requests", letter, headers=OPERATOR)
    at = f"/requests/{said['request']}"
    for step, body in (
        (
            "/confirm",
            {
                "identity": "document",
                "evidence": note,
                "authority": True,
                "authority-evidence": note,
            },
        ),
        ("/assess", {}),
        ("/tasks/withdraw-consents", {"evidence": note}),
        ("/answer", {"text": "It is withdrawn."}),
    ):
        await world.ok("retention", "POST", at + step, body, headers=OPERATOR)
    await world.box.next_to(world.of(helper, "email"), after=1)
    await world.ok("retention", "GET", at, headers=OPERATOR)


async def deposit(world: World) -> None:
    """Deposit a file with its depositor in it, under names that are personal too."""
    names = "deposits.submissions.v1"
    basic = {"Authorization": aiohttp.encode_basic_auth(world.login, PASSWORD)}
    await world.ok("deposits", "POST", "/callbacks/secret", headers=basic)
    content = (
        depositing.deposit(
            depositing.article(f"{PREFIX}/canary"), batch=escape(world.of(names, "batch_id"))
        )
        .decode()
        .replace("Nora Depositor", world.of("deposits.raw.v1", "file"))
        .replace("nora@press.example", world.of("deposits.raw.v1", "email"))
    )
    client = depositing.Client(world.session, world.services["deposits"].url)
    login = depositing.Login(world.login, ORGANISATION)
    submission = await client.later(
        content.encode(),
        login=login,
        password=PASSWORD,
        file_name=world.of(names, "file_name"),
        callback=f"https://press.example/{quote(world.of(names, 'callback'))}",
    )

    async def ended() -> bool:
        _, said = await world.ask("deposits", "GET", f"/submissions/{submission}", headers=basic)
        return bool(said["status"] == "completed")

    await until(ended, within=60, what="the submission to end")
    broken = content.replace("</body>", "")
    with suppress(AssertionError):  # it is answered as its clients expect: 200, and a log
        await client.now(broken.encode(), login=login, password=PASSWORD)


def confirmation_in(text: str) -> str:
    """Return the number of the confirmation that a mailed code belongs to."""
    return text.partition("confirmation=")[2].partition("&")[0]


def _link(text: str, kind: str) -> str:
    return f"/{kind}/" + text.partition(f"/{kind}/")[2].split()[0].rstrip(">")


Plant = Callable[[World], Awaitable[None]]
PLANTED: Final[Mapping[str, Plant]] = {
    "accounts.person-details.v1": account,
    "accounts.asked.v1": asked,
    "accounts.pending-details.v1": asked,
    "accounts.contact.v1": contact,
    "accounts.volunteer.v1": volunteer,
    "accounts.volunteer-referee.v1": volunteer,
    "consent.subscriber.v1": subscriber,
    "consent.evidence.v1": evidence,
    "retention.asked.v1": request,
    "retention.pending-request.v1": request,
    "retention.requester.v1": request,
    "retention.representative.v1": request,
    "retention.request-note.v1": request,
    "deposits.submissions.v1": deposit,
    "deposits.raw.v1": deposit,
}
# Schemas without a door of their own, and why.
FOLLOWING: Final[Mapping[str, str]] = {
    "retention.subjects.v1": "keyed hashes of addresses that the other rows plant, made by us",
    "retention.package.v1": "made of what the other rows plant, and sealed as it is written",
    "retention.told.v1": "dates and purposes of what the other rows plant, sealed for a package",
    "mail.waiting.v1": "made of what the other rows plant, and looked at in mails and the store",
}
# What is planted beside declared fields: places where somebody may put a value of their own.
BESIDE: Final = (
    ("accounts.login", "email"),
    ("accounts.person-details.v1", "former-email"),
    ("accounts.person-details.v1", "former-name"),
    ("consent.evidence.v1", "email"),
    ("deposits.raw.v1", "email"),
    *((f"{service}.wrong-input", "text") for service in ("accounts", "consent", "deposits")),
)
