"""Contacts, memberships and mail to contacts through the wire, beside consent, with a mail server.

One process of each answers all tests; each has organisations and addresses of its own.
"""

import base64
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from itertools import count
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id
from tests.asking import Answer, asked
from tests.keeping import held
from tests.mailbox import Mailbox, mailbox, text_of
from tests.peopling import everything_kept, everything_said, looks_at, patient, without_correlation
from tests.platform import Platform
from tests.processes import OPERATOR, Place, Running, service, until

PROBLEM: Final = "urn:colophon:problem:"
REQUIRED: Final = ("billing", "technical", "business")
TOPICS: Final = (
    "accounts.organisations.v1",
    "accounts.memberships.v1",
    "accounts.contacts.v1",
    "accounts.personal.v1",
)
# Each of the three told last; tests/laws/test_memberships.py has all six orders.
ORDERS: Final = (
    ("approval", "contract", "fee"),
    ("fee", "approval", "contract"),
    ("contract", "fee", "approval"),
)
TODAY: Final = SYSTEM.now().date().isoformat()
WHY: Final = {"Colophon-Access-Reason": "update"}
_NUMBERS: Final = count(1)


@dataclass(slots=True)
class Press:
    """An organisation of a test's own, and the addresses of its contacts."""

    number: int
    emails: dict[str, str] = field(default_factory=dict)

    @property
    def at(self) -> str:
        return f"/organisations/{self.number}"

    @property
    def contacts(self) -> str:
        return self.at + "/contacts"

    @property
    def admin(self) -> dict[str, str]:
        proof = base64.b64encode(f"press-{self.number}:right horse".encode()).decode()
        return {"Authorization": "Basic " + proof}


@dataclass(slots=True)
class Office:
    """Accounts and consent, the mail that comes, and who asks: by default the operator."""

    session: aiohttp.ClientSession
    accounts: Running
    consent: Running
    box: Mailbox
    place: Place

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        url = path if path.startswith("http") else self.accounts.url + path
        said = OPERATOR if headers is None else headers
        return await asked(self.session, method, url, body, said)

    async def ok(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        status, said = await self(method, path, body, headers)
        assert status < 300, said
        return said

    async def slug(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        status, said = await self(method, path, body, headers)
        return status, said["type"].removeprefix(PROBLEM)

    def address(self, name: str = "contact") -> str:
        return f"{name}-{next(_NUMBERS)}@press.example"

    async def press(self) -> Press:
        """Enter an organisation and a login of its own."""
        one = Press(next(_NUMBERS))
        body = {"id": one.number, "name": f"Psychoceramics {one.number}"}
        await self.ok("POST", "/organisations", body)
        login = {"login": f"press-{one.number}", "password": "right horse", "scopes": ["admin"]}

        async def effective() -> bool:
            said = await self.ok("POST", one.at + "/credentials", login)
            return bool(said["status"] == "effective")

        async def known() -> bool:
            return (await self("GET", one.at, None, one.admin))[0] == 200

        # In this order: whoever tries a login before it is known soon waits for another try.
        await until(effective, within=30, what="the login to be told")
        await until(known, within=30, what="the login to count")
        return one

    async def named(self, press: Press, role: str) -> str:
        """Name somebody for a role, as the organisation does; return their address."""
        email = press.emails[role] = self.address(role)
        body = {"name": "Josiah Carberry", "email": email}
        await self.ok("PUT", f"{press.contacts}/{role}", body, press.admin)
        return email

    async def asked(self, email: str) -> EmailMessage:
        """Wait for the mail that asks an address to agree."""
        return await self.box.next_to(email)

    async def standing(self, press: Press, role: str) -> dict[str, Any]:
        listed = await self.ok("GET", press.contacts, None, press.admin)
        found: dict[str, Any] = {one["role"]: one for one in listed["contacts"]}[role]
        return found

    async def role_mail(self, purpose: str, *presses: Press, request: str = "") -> dict[str, Any]:
        """Mail the contacts of some organisations; return whom it went to by number."""
        body = {
            "request": request or f"request-{next(_NUMBERS)}",
            "purpose": purpose,
            "subject": f"About {purpose}",
            "text": "What there is to say.",
            "organisations": [one.number for one in presses],
        }
        said: dict[str, Any] = await self.ok("POST", "/role-mails", body)
        return said


def link_in(office: Office, mail: EmailMessage, kind: str) -> str:
    """Return where the link of a kind leads, in this test's own process."""
    found = re.search(rf"http://\S+/({kind}/\S+?)[\s>]", text_of(mail))
    assert found, kind
    return f"{office.accounts.url}/{found[1]}"


@pytest.fixture(scope="module")
async def office(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Office]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("contacts")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.1",
        "MAIL_MOST_SECONDS": "0.2",
        "POLICIES_DIR": str(patient(folder / "policies")),
    }
    async with (
        service("consent", place, "api", "relay") as consent,
        service("accounts", place, **settings) as accounts,
        aiohttp.ClientSession() as session,
    ):
        made = Office(session, accounts, consent, box, place)
        press = await made.press()
        email = await made.named(press, "other")
        await made.ok(
            "POST", link_in(made, await made.asked(email), "contact-agreements"), None, {}
        )

        async def fresh() -> bool:
            return (await made.role_mail("role-mail:other", press))["allowed"] == 1

        await until(fresh, within=30, what="consents to be known here")
        yield made


def an_application(office: Office, **contacts: str) -> dict[str, Any]:
    named = {role: office.address(role) for role in REQUIRED} | contacts
    return {
        "organisation": f"Applied Psychoceramics {next(_NUMBERS)}",
        "contacts": {role: {"name": "Josiah", "email": email} for role, email in named.items()},
    }


@pytest.mark.clause("CRP-4c")
async def test_an_application_names_the_three_contacts_or_is_incomplete(office: Office) -> None:
    body = an_application(office)
    for role in REQUIRED:
        contacts = {name: one for name, one in body["contacts"].items() if name != role}
        status, said = await office(
            "POST", "/membership-applications", body | {"contacts": contacts}, {}
        )
        assert (status, said["type"]) == (422, PROBLEM + "membership-incomplete")
        assert [(one["at"], one["rule"]) for one in said["errors"]] == [
            (f"/contacts/{role}", "CRP-4c")
        ]
    wrong = body["contacts"] | {"billing": {"name": "Josiah", "email": "nobody"}}
    status, said = await office("POST", "/membership-applications", body | {"contacts": wrong}, {})
    assert (status, said["errors"][0]["at"]) == (422, "/contacts/billing/email")
    # One person may have several roles.
    email = office.address()
    same = {role: {"name": "Josiah", "email": email} for role in REQUIRED}
    await office.ok("POST", "/membership-applications", body | {"contacts": same}, {})


@pytest.mark.clause("CRP-4a")
@pytest.mark.clause("CRP-4b")
async def test_a_membership_is_active_with_the_last_of_three_facts_whichever_that_is(
    office: Office,
) -> None:
    bodies, emails, made = {}, set(), {}
    for order in ORDERS:
        body = bodies[order] = an_application(office)
        emails |= {one["email"] for one in body["contacts"].values()}
        applied = await office.ok("POST", "/membership-applications", body, {})
        assert applied["status"] == "inactive"
        at = made[order] = f"/membership-applications/{applied['application']}"
        for step in order[:2]:
            said = await office.ok("PUT", f"{at}/steps/{step}", {"on": TODAY})
            assert (said["status"], said["organisation"]) == ("inactive", None)
        assert (await office.ok("PUT", f"{at}/steps/{order[0]}", {"on": TODAY})) == said
    # What is asked of another address now is answered now: no applicant got any mail before.
    press = await office.press()
    await office.asked(await office.named(press, "billing"))
    assert not [one for one in office.box.mails if one["To"] in emails]
    for order, at in made.items():
        said = await office.ok("PUT", f"{at}/steps/{order[2]}", {"on": TODAY})
        assert (said["status"], set(said["steps"])) == ("active", set(order))
        organisation = await office.ok("GET", f"/organisations/{said['organisation']}")
        assert organisation["name"] == bodies[order]["organisation"]
        listed = await office.ok("GET", f"/organisations/{said['organisation']}/contacts")
        assert [(one["role"], one["standing"]) for one in listed["contacts"]] == [
            (role, "asked") for role in REQUIRED
        ]
    for email in emails:
        assert "agree" in text_of(await office.asked(email))
    assert await office.slug("POST", at + "/refusal") == (409, "membership-active")


@pytest.mark.clause("CRP-4a")
async def test_applications_are_found_by_status_page_by_page_and_end_by_operators_alone(
    office: Office,
) -> None:
    async def apply() -> str:
        said = await office.ok("POST", "/membership-applications", an_application(office), {})
        return str(said["application"])

    made = [await apply() for _ in range(3)]
    for one, how in zip(made, ("refusal", "withdrawal", "withdrawal"), strict=True):
        path = f"/membership-applications/{one}"
        for method, then in (("GET", path), ("POST", f"{path}/{how}")):
            assert (await office(method, then, None, {}))[0] == 401
        await office.ok("POST", f"{path}/{how}")
        body = {"on": TODAY}
        assert await office.slug("PUT", path + "/steps/fee", body) == (409, "membership-closed")
    page = await office.ok("GET", "/membership-applications?status=withdrawn&rows=1")
    assert [one["application"] for one in page["memberships"]] == [made[2]]
    page = await office.ok("GET", page["next"])
    assert [one["application"] for one in page["memberships"]] == [made[1]]
    assert "press.example" not in str(await office.ok("GET", "/membership-applications?rows=1000"))
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(office.place.mongodb_url, name) as database:
        kept = await database["memberships"].find_one({"_id": made[0]})
        assert kept is not None
        assert "pe1." not in kept["state"]  # who was named went with it


@pytest.mark.clause("CRP-4d")
@pytest.mark.clause("CRP-4e")
@pytest.mark.clause("CRP-4f")
@pytest.mark.clause("CRP-3e")
async def test_what_a_role_is_for_reaches_that_role_alone(office: Office) -> None:
    press, purposes = (
        await office.press(),
        dict(zip(("invoices", "metadata-reports", "membership"), REQUIRED, strict=True)),
    )
    for role in (*REQUIRED, "voting"):
        await office.asked(await office.named(press, role))
    for purpose, role in purposes.items():
        said = await office.role_mail(purpose, press)
        assert (said["role"], said["allowed"], said["refused"]) == (role, 1, {})
        mail = await office.box.next_to(press.emails[role], after=1)
        assert mail["Subject"] == f"About {purpose}"
        assert f"<{link_of(mail)}>" == mail["List-Unsubscribe"]
    for role in (*REQUIRED, "voting"):
        subjects = [one["Subject"] for one in office.box.to(press.emails[role])]
        assert subjects[0] == f"You were named as a contact for {role}"
        assert subjects[1:] == [f"About {one}" for one, its in purposes.items() if its == role]


def link_of(mail: EmailMessage) -> str:
    found = re.search(r"No more of these: (\S+)", text_of(mail))
    assert found
    return found[1]


@pytest.mark.clause("CRP-4g")
async def test_a_contact_is_mailed_after_agreeing_once_a_request_and_never_after_leaving(
    office: Office,
) -> None:
    press, purpose = await office.press(), "role-mail:production"
    email = await office.named(press, "production")
    ask = await office.asked(email)
    said = await office.role_mail(purpose, press)
    assert (said["allowed"], said["refused"]) == (0, {"consent-requested": 1})
    yes = link_in(office, ask, "contact-agreements")
    await office.ok("GET", yes, None, {})  # a program that reads mail opens links
    assert (await office.standing(press, "production"))["standing"] == "asked"
    for _ in range(2):
        assert (await office.ok("POST", yes, None, {}))["standing"] == "agreed"
    for _ in range(2):
        said = await office.role_mail(purpose, press, request="once-4711")
        assert (said["allowed"], said["refused"]) == (1, {})
    await office.box.next_to(email, after=1)
    no = link_in(office, ask, "contact-opt-outs")
    for _ in range(2):
        assert (await office.ok("POST", no, None, {}))["standing"] == "left"
    seat = await office.standing(press, "production")
    assert (seat["standing"], seat["contact"], seat["email"]) == ("vacant", None, None)
    assert seat["wanted-since"] == seat["facts"][-1]["at"]
    assert [one["what"] for one in seat["facts"]] == ["named", "agreed", "opted-out"]
    said = await office.role_mail(purpose, press)
    assert (said["allowed"], said["refused"]) == (0, {"no-contact": 1})
    # Neither an old yes nor another naming brings them back; somebody else may have the role.
    assert await office.slug("POST", yes, None, {}) == (404, "link-void")
    body = {"name": "Josiah", "email": email.upper()}
    path = f"{press.contacts}/production"
    assert await office.slug("PUT", path, body, press.admin) == (409, "contact-opted-out")
    other = await office.named(press, "production")
    await office.asked(other)
    assert (await office.standing(press, "production"))["wanted-since"] is None
    assert [one["Subject"] for one in office.box.to(email)] == [
        "You were named as a contact for production",
        f"About {purpose}",
    ]


@pytest.mark.clause("CRP-4g")
async def test_staff_enter_an_opt_out_and_what_waited_for_that_contact_is_not_sent(
    office: Office,
) -> None:
    press = await office.press()
    email = await office.named(press, "billing")
    await office.asked(email)
    office.box.refuse[email] = "451 later"
    assert (await office.role_mail("invoices", press, request="waits-1"))["allowed"] == 1
    path = f"{press.contacts}/billing/opt-out"
    assert await office.slug("POST", path, None, press.admin) == (403, "not-permitted")
    left = await office.ok("POST", path)
    assert (left["standing"], left["facts"][-1]["actor"]) == ("vacant", "operator")
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(office.place.mongodb_url, name) as database:

        async def stopped() -> Any:
            asked = {"_id": {"$regex": r"^mail:role-mail\.waits-1"}, "dead": True}
            return await database["deliveries"].find_one(asked)

        waited = await until(stopped, within=30, what="the mail to be given up")
        assert waited["said"] == "no-longer-allowed"
        assert "sealed" not in waited["payload"]
    del office.box.refuse[email]
    assert len(office.box.to(email)) == 1


@pytest.mark.clause("CRP-4g")
@pytest.mark.law("P7")
async def test_a_no_that_was_said_to_consent_counts_and_every_answer_is_on_record(
    office: Office,
) -> None:
    press, purpose = await office.press(), "role-mail:product-management"
    email = await office.named(press, "product-management")
    yes = link_in(office, await office.asked(email), "contact-agreements")
    await office.ok("POST", yes, None, {})
    said = [await office.role_mail(purpose, press)]
    assert said[0]["allowed"] == 1
    no = {"email": email, "consent": "refused", "channel": "letter"}
    await office.ok("PUT", f"{office.consent.url}/consents/{purpose}", no)

    async def denied() -> bool:
        said.append(await office.role_mail(purpose, press))
        return bool(said[-1]["refused"] == {"consent-refused": 1})

    await until(denied, within=30, what="the refusal to count here")
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(office.place.mongodb_url, name) as database:
        kept = [one["state"] for one in await database["decisions"].find({}).to_list(None)]
    for one in said:
        # One that was allowed is asked about again before it goes, and may be refused then.
        answers = [text for text in kept if f'"role-mail:{one["request"]}"' in text]
        outcome = "allowed" if one["allowed"] else "refused"
        assert any(f'"outcome":"{outcome}","clause":"CRP-4g"' in text for text in answers)
        assert len(answers) == 1 or one["allowed"]
        assert not any(email in text for text in answers)


@pytest.mark.clause("CRP-5b")
async def test_news_goes_to_members_and_how_many_got_them_is_on_record(office: Office) -> None:
    presses = [await office.press() for _ in range(3)]
    for press in presses[:2]:
        await office.named(press, "business")
    said = await office.role_mail("membership", *presses, request="news-2026")
    assert (said["allowed"], said["refused"]) == (2, {"no-contact": 1})
    assert await office.ok("GET", "/role-mails/news-2026") == said
    for press in presses[:2]:
        assert press.emails["business"] not in str(said)
        await office.box.next_to(press.emails["business"], after=1)
    other = {"request": "news-2026", "purpose": "membership", "subject": "Other", "text": "Other."}
    assert await office.slug("POST", "/role-mails", other) == (409, "role-mail-differs")
    nowhere = other | {"request": "news-2027", "purpose": "marketing"}
    assert await office.slug("POST", "/role-mails", nowhere) == (422, "purpose-reaches-no-role")
    assert (await office("POST", "/role-mails", other, presses[0].admin))[0] == 403


@pytest.mark.clause("DOAJ-4b3")
async def test_who_may_not_see_contacts_hears_the_same_whether_or_not_there_are_any(
    office: Office,
) -> None:
    press, other, empty = [await office.press() for _ in range(3)]
    email = await office.named(press, "technical")
    reader = await _signed_in(office)
    body = {"name": "Josiah", "email": office.address()}
    for headers in (other.admin, reader, {}):
        answers = [
            await office(method, f"{of.contacts}{rest}", sent, headers)
            for of in (press, empty, Press(999_999))
            for method, rest, sent in (
                ("GET", "", None),
                ("PUT", "/technical", body),
                ("DELETE", "/technical", None),
                ("POST", "/technical/opt-out", None),
            )
        ]
        assert {status for status, _ in answers} <= {401, 403}
        shown = [without_correlation(one) for one in answers]
        thirds = [shown[start : start + 4] for start in (0, 4, 8)]
        assert thirds[0] == thirds[1] == thirds[2]
    # Operators run the machines and see no details; the organisation and the team do.
    assert email not in str(await office.ok("GET", press.contacts))
    team = await _signed_in(office, "team")
    for headers in (press.admin, team | WHY):
        assert email in str(await office.ok("GET", press.contacts, None, headers))
    # A link of nobody's, and one whose contact was replaced.
    void = link_in(office, await office.asked(email), "contact-agreements")
    await office.named(press, "technical")
    nobodys = f"{office.accounts.url}/contact-agreements/{'A' * 60}"
    answers = [await office("POST", link, None, {}) for link in (void, nobodys)]
    [first, second] = map(without_correlation, answers)
    assert first == second


@pytest.mark.clause("DOAJ-4c2")
async def test_staff_read_contacts_for_a_reason_that_is_on_record(office: Office) -> None:
    press, team = await office.press(), await _signed_in(office, "team")
    email = await office.named(press, "technical")
    contact = (await office.standing(press, "technical"))["contact"]
    curious = team | {"Colophon-Access-Reason": "curiosity"}
    for headers in (team, curious):
        for at in (press.contacts, Press(999_999).contacts):
            assert await office.slug("GET", at, None, headers) == (403, "reason-needed")
    # What staff change is answered without name and address, so that it tells them nothing.
    body = {"name": "Truman", "email": email}
    for headers in (team, team | WHY):
        changed = await office.ok("PUT", f"{press.contacts}/technical", body, headers)
        assert (changed["name"], changed["email"]) == (None, None)
    # An organisation looks at its own, and an operator sees no details.
    await office.ok("GET", press.contacts)
    assert await looks_at(office.place, contact) == []
    listed = await office.ok("GET", press.contacts, None, team | WHY)
    assert [one["email"] for one in listed["contacts"]] == [email]
    [look] = await looks_at(office.place, contact)
    assert (look["action"], look["reason"]) == ("contacts-read", "update")
    assert look["actor"].startswith("staff:p")


@pytest.mark.clause("DOAJ-6a4")
async def test_a_contact_under_a_hold_is_shown_as_held_and_gets_no_mail_of_its_role(
    office: Office,
) -> None:
    press = await office.press()
    email = await office.named(press, "billing")
    await office.asked(email)
    contact = (await office.standing(press, "billing"))["contact"]

    async def seen(withheld: str | None) -> Any:  # the key is remembered until the hold is heard of
        shown = await office.standing(press, "billing")
        return shown if shown["withheld"] == withheld else None

    async with held(office.place, f"{contact}.contact-role"):
        shown = await until(partial(seen, "restricted"), what="the hold to be heard of")
        assert (shown["name"], shown["email"]) == (None, None)
        said = await office.role_mail("invoices", press)
        assert (said["allowed"], said["refused"]) == (0, {"details-restricted": 1})
    assert (await until(partial(seen, None), what="its end"))["email"] == email
    assert (await office.role_mail("invoices", press))["allowed"] == 1


@pytest.mark.law("P1")
async def test_no_name_and_no_address_of_a_contact_lies_anywhere_in_clear(office: Office) -> None:
    press, canary = await office.press(), office.address("canary-81c4")
    body = {"name": "Quetzal Canary", "email": canary}
    await office.ok("PUT", f"{press.contacts}/other", body, press.admin)
    applied = an_application(office, billing=office.address("canary-81c4"))
    applied["contacts"]["billing"]["name"] = "Quetzal Canary"
    await office.ok("POST", "/membership-applications", applied, {})
    contact = (await office.standing(press, "other"))["contact"]
    await office.asked(canary)

    async def told() -> str | None:
        text = await everything_said(office.place, TOPICS)
        found = f"{contact}|contact-role|contact" in text and f"{press.number}|other" in text
        return text if found else None

    kept = await until(told, within=30, what="what is said of this contact")
    kept += await everything_kept(office.place, office.accounts)
    assert kept.count(contact) > 3  # what is looked at is what was written
    for secret in ("canary-81c4", "Quetzal"):
        assert secret not in kept


@pytest.mark.clause("DOAJ-6a4")
async def test_a_membership_is_made_whole_and_its_contacts_are_asked_after_death_and_hold(
    place: Place,
) -> None:
    with mailbox() as box:
        settings = {"SMTP_URL": box.url, "REPLICA": "accounts-1", "SETTLE_SECONDS": "0.2"}
        async with aiohttp.ClientSession() as session:
            at = "accounts.membership-active"
            async with service("accounts", place, COLOPHON_CRASH=at, **settings) as dying:
                office = Office(session, dying, dying, box, place)
                body = an_application(office)
                applied = await office.ok("POST", "/membership-applications", body, {})
                path = f"/membership-applications/{applied['application']}"
                for step in ("fee", "contract"):
                    await office.ok("PUT", f"{path}/steps/{step}", {"on": TODAY})
                with pytest.raises(aiohttp.ClientError):
                    await office("PUT", f"{path}/steps/approval", {"on": TODAY})
                await dying.ended()
            at = "accounts.contact-written"
            async with service(
                "accounts", place, ready=False, COLOPHON_CRASH=at, **settings
            ) as dying:
                await dying.ended()
            first, *others = REQUIRED
            contact = await _contact_of(place, first)
            hold = contextlib.AsyncExitStack()
            await hold.enter_async_context(held(place, f"{contact}.contact-role"))
            async with service("accounts", place, **settings) as accounts:
                office.accounts = accounts
                for role in others:
                    await box.next_to(body["contacts"][role]["email"])
                assert not box.to(body["contacts"][first]["email"])
                await hold.aclose()
                await box.next_to(body["contacts"][first]["email"])
                said = await office.ok("GET", path)
                assert said["status"] == "active"
                listed = await office.ok("GET", f"/organisations/{said['organisation']}/contacts")
                assert [one["standing"] for one in listed["contacts"]] == ["asked"] * 3
        assert len(box.mails) == len(REQUIRED)


async def _contact_of(place: Place, role: str) -> str:
    """Return who has a role, as the store says while no service runs."""
    name = place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(place.mongodb_url, name) as database:
        states = [orjson.loads(one["state"]) async for one in database["contacts"].find()]
    [contact] = [one["contact"] for one in states if one["role"] == role]
    return str(contact)


async def _signed_in(office: Office, *roles: str) -> dict[str, str]:
    """Register a person, give roles, and return what proves who they are."""
    email = office.address("reader")
    await office.ok("POST", "/people", {"email": email}, {})
    signed = await office.ok("POST", "/sign-ins", {"code": await office.box.code_to(email)}, {})
    if roles:
        await office.ok("PUT", f"/people/{signed['person']}/roles", {"roles": roles})
        await office.ok("POST", "/sign-ins/codes", {"email": email}, {})
        code = await office.box.code_to(email, after=1)
        signed = await office.ok("POST", "/sign-ins", {"code": code}, {})
    headers = {"Authorization": f"Bearer {signed['token']}"}

    async def counts() -> bool:
        return (await office("GET", f"/people/{signed['person']}", None, headers))[0] == 200

    await until(counts, within=30, what="the token to count")
    return headers
