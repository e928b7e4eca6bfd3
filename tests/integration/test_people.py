"""People through the wire: the real process, broker, store and SMTP server.

One process answers all tests; each has addresses of its own.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import orjson
import pytest

from shared.kafka import topics
from shared.mongo import Aggregates, connect
from shared.policy.roles import Permitted, action_permitted, load_roles
from shared.privacy.lifecycle import KeptKeys, fence
from shared.privacy.tokens import verified
from shared.runtime.clock import SYSTEM
from shared.runtime.ids import new_id, new_pseudonym
from tests.keeping import held
from tests.mailbox import Mailbox, text_of
from tests.peopling import (
    Office,
    Somebody,
    bearer,
    everything_kept,
    everything_said,
    patient,
    without_correlation,
)
from tests.platform import Platform
from tests.processes import OPERATOR, ROOT, Place, service, until

PROBLEM: Final = "urn:colophon:problem:"
PASSWORD: Final = "right horse"
TOPICS: Final = (
    "accounts.people.v1",
    "accounts.personal.v1",
    "accounts.credentials.v1",
    "accounts.audit.v1",
)


@pytest.fixture(scope="module")
async def office(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[Office]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("people")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {
        "SMTP_URL": box.url,
        "MAIL_FIRST_SECONDS": "0.2",
        "POLICIES_DIR": str(patient(folder / "policies")),
    }
    async with (
        service("accounts", place, **settings) as accounts,
        aiohttp.ClientSession() as session,
    ):
        yield Office(session, accounts, box, place)


@pytest.mark.clause("DOAJ-1a1")
async def test_an_account_is_made_by_whoever_reads_the_mail_of_its_address(office: Office) -> None:
    email = office.address()
    status, said = await office("POST", "/people", {"email": email, "name": "Josiah Carberry"})
    assert status == 202
    code = await office.box.code_to(email)
    signed = await office.use(code.lower())
    account = await office.ok("GET", f"/people/{signed['person']}", None, bearer(signed["token"]))
    assert (account["email"], account["name"]) == (email, "Josiah Carberry")
    assert account["category"] == "account-holder"
    assert [one["what"] for one in account["facts"]] == ["registered"]
    assert await _slug(office, "POST", "/sign-ins", {"code": code}) == (401, "code-wrong")
    assert email not in str(said)


async def test_of_whoever_never_confirms_no_account_and_no_key_is_made(office: Office) -> None:
    async def kept() -> tuple[int, int]:
        name = office.place.environment("accounts")["DATABASE_PREFIX"]
        async with (
            connect(office.place.mongodb_url, name + "accounts") as accounts,
            connect(office.place.mongodb_url, name + "keys") as keys,
        ):
            people = await accounts["people"].count_documents({})
            return people, await keys["keys"].count_documents({})

    before, email = await kept(), office.address()
    await office.ok("POST", "/people", {"email": email, "name": "Nobody Yet"})
    code = await office.box.code_to(email)
    assert await kept() == before
    await office.use(code)
    assert await kept() == (before[0] + 1, before[1] + 1)


@pytest.mark.clause("DOAJ-4b3")
async def test_who_asks_hears_the_same_whether_or_not_an_address_has_an_account(
    office: Office,
) -> None:
    one, nobody = await office.somebody(), office.address("nobody")
    for path in ("/people", "/sign-ins/codes"):
        known = await office("POST", path, {"email": one.email})
        unknown = await office("POST", path, {"email": nobody})
        assert known == unknown
    wrong = {"password": "wrong horse"}
    known = await office("POST", "/sign-ins", {"email": one.email, **wrong})
    unknown = await office("POST", "/sign-ins", {"email": office.address("x"), **wrong})
    assert without_correlation(known) == without_correlation(unknown)
    # The holder hears of it by mail, and nobody gets a second account.
    assert "has one" in text_of(await office.box.next_to(one.email, after=1))


@pytest.mark.clause("DOAJ-1a2")
@pytest.mark.parametrize("field", ["phone", "password", "address", "orcid", "iban"])
async def test_an_account_takes_no_field_but_name_and_address(office: Office, field: str) -> None:
    body = {"email": office.address(), field: "something"}
    assert await _slug(office, "POST", "/people", body) == (422, "invalid-request")
    one = await office.somebody()
    body = {"name": "Josiah", field: "something"}
    assert await _slug(office, "PUT", one.at, body, one.headers) == (422, "invalid-request")


@pytest.mark.clause("DOAJ-4c3")
async def test_a_password_is_chosen_with_a_code_and_kept_as_a_hash(office: Office) -> None:
    email = office.address()
    await office.ok("POST", "/people", {"email": email})
    signed = await office.use(await office.box.code_to(email), password=PASSWORD)
    again = await office.ok("POST", "/sign-ins", {"email": email.upper(), "password": PASSWORD})
    assert again["person"] == signed["person"]
    wrong = {"email": email, "password": "wrong horse"}
    assert await _slug(office, "POST", "/sign-ins", wrong) == (401, "sign-in-refused")
    account = await office.ok("GET", f"/people/{again['person']}", None, bearer(again["token"]))
    assert account["has-password"] is True
    assert "argon2" not in str(account)
    assert PASSWORD not in await everything_kept(office.place, office.accounts)


async def test_a_token_is_verified_with_the_published_key_and_says_nothing_of_a_person(
    office: Office,
) -> None:
    one = await office.somebody()
    keys = await office.ok("GET", "/.well-known/jwks.json")
    public = {key["kid"]: key["x"] for key in keys["keys"]}
    claims = verified(one.token, public.get, now=SYSTEM.now())
    assert claims is not None
    assert claims.sub == one.person
    body = base64.urlsafe_b64decode(one.token.split(".")[1] + "==")
    assert one.email.split("@")[0] not in body.decode()
    assert "Carberry" not in body.decode()
    assert set(orjson.loads(body)) <= {
        *("iss", "sub", "sid", "jti", "roles", "scopes", "auth_time", "iat", "exp")
    }


async def test_a_token_is_renewed_and_counts_no_more_after_signing_out(office: Office) -> None:
    one = await office.somebody()
    renewed = await office.ok("POST", "/sign-ins/renewals", None, one.headers)
    assert renewed["person"] == one.person
    status, _ = await office("DELETE", "/sign-ins/current", None, one.headers)
    assert status in {202, 204}
    for token in (one.token, renewed["token"]):
        await office.becomes(401, one.at, bearer(token))
    await office.sign_in(one, after=1)
    await office.ok("GET", one.at, None, one.headers)


@pytest.mark.clause("DOAJ-1a8")
@pytest.mark.clause("DOAJ-1a9")
async def test_holders_see_and_mend_their_own_details_and_nobody_elses(office: Office) -> None:
    one, other = await office.somebody(), await office.somebody("publisher", "editor")
    mended = await office.ok("PUT", one.at, {"name": "J. S. Carberry"}, one.headers)
    assert (mended["name"], mended["email"]) == ("J. S. Carberry", one.email)
    nobody = f"/people/{new_pseudonym()}"
    for method, body in (("GET", None), ("PUT", {"name": "X"})):
        theirs = await office(method, one.at, body, other.headers)
        nobodys = await office(method, nobody, body, other.headers)
        assert without_correlation(theirs) == without_correlation(nobodys)
        assert theirs[0] == 404
        assert (await office(method, one.at, body))[0] == 401
        assert (await office(method, one.at, body, OPERATOR))[0] == 404
        assert one.email not in str(theirs)
    account = await office.ok("GET", one.at, None, one.headers)
    assert [fact["what"] for fact in account["facts"]] == ["registered", "name-changed"]


@pytest.mark.clause("DOAJ-1a8")
async def test_another_address_counts_once_it_is_confirmed(office: Office) -> None:
    one, new = await office.somebody(), office.address("new")
    said = await office.ok("PUT", one.at, {"name": "Josiah", "email": new}, one.headers)
    assert (said["email"], said["email-pending"]) == (one.email, True)
    await office.use(await office.box.code_to(new))
    account = await office.ok("GET", one.at, None, one.headers)
    assert (account["email"], account["name"]) == (new, "Josiah")
    assert "another e-mail address" in text_of(await office.box.next_to(one.email, after=1))
    # The former is free again, the new one is not.
    await office.ok("POST", "/people", {"email": one.email})
    signed = await office.use(await office.box.code_to(one.email, after=2))
    assert signed["person"] != one.person
    await office.ok("POST", "/people", {"email": new})
    assert "has one" in text_of(await office.box.next_to(new, after=1))


async def test_an_address_is_one_persons_whoever_confirms_first(office: Office) -> None:
    email = office.address()
    await office.ok("POST", "/people", {"email": email})
    await office.ok("POST", "/people", {"email": email.upper()})
    first = await office.box.code_to(email)

    async def both() -> list[str] | None:
        found = [text_of(one) for one in office.box.mails if one["To"].lower() == email]
        return found if len(found) > 1 else None

    codes = {
        re.search(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", text)[0]  # type: ignore[index]
        for text in await until(both, within=30, what="both mails")
    }
    await office.use(first)
    [second] = codes - {first}
    assert await _slug(office, "POST", "/sign-ins", {"code": second}) == (409, "address-taken")


@pytest.mark.clause("DOAJ-4c2")
async def test_staff_look_at_an_account_for_a_reason_that_is_on_record(office: Office) -> None:
    one, staff = await office.somebody(), await office.somebody("team")
    partner = await office.somebody("partner")
    assert await _slug(office, "GET", one.at, None, staff.headers) == (403, "reason-needed")
    curious = staff.headers | {"Colophon-Access-Reason": "curiosity"}
    assert await _slug(office, "GET", one.at, None, curious) == (403, "reason-needed")
    why = {"Colophon-Access-Reason": "update"}
    assert (await office.ok("GET", one.at, None, staff.headers | why))["email"] == one.email
    found = await office.ok("POST", "/people/lookups", {"email": one.email}, staff.headers | why)
    assert found["person"] == one.person
    assert await _slug(office, "GET", one.at, None, partner.headers | why) == (403, "ticket-needed")
    ticket = why | {"Colophon-Access-Ticket": "#4711"}
    await office.ok("GET", one.at, None, partner.headers | ticket)
    looks = await office.ok("GET", one.at + "/accesses", None, one.headers)
    assert [(one["actor"], one["reason"], one["ticket"]) for one in looks["accesses"]] == [
        (f"staff:{partner.person}", "update", "#4711"),
        (f"staff:{staff.person}", "update", None),
        (f"staff:{staff.person}", "update", None),
    ]
    assert (await office("GET", one.at + "/accesses", None, staff.headers | why))[0] == 404


@pytest.mark.clause("DOAJ-4a2")
@pytest.mark.clause("DOAJ-4c2")
async def test_each_role_may_do_with_anothers_account_what_its_row_says(office: Office) -> None:
    policy = load_roles(ROOT / "deploy" / "policies" / "roles.toml")
    one = await office.somebody(name="Victoria")
    invited = {"email": office.address(), "category": "partner"}
    calls: dict[str, tuple[str, str, Any]] = {
        "account-read": ("GET", one.at, None),
        "account-update": ("PUT", one.at, {"name": "Victoria"}),
        "password-set": ("PUT", one.at + "/password", {"password": PASSWORD}),
        "password-reset": ("POST", one.at + "/password-resets", None),
        "key-issue": ("POST", one.at + "/keys", {"scopes": ["details"]}),
        "key-revoke": ("DELETE", f"{one.at}/keys/token:{'0' * 64}", None),
        "accesses-read": ("GET", one.at + "/accesses", None),
        "account-invite": ("POST", "/people/invitations", invited),
        "roles-set": ("PUT", one.at + "/roles", {"roles": []}),
    }
    for role in sorted(policy.roles):
        actor = await office.somebody(role)
        for action, (method, path, body) in calls.items():
            reasons = policy.action(action).reasons
            tries = [(reasons[0], "#1"), (reasons[0], None), ("curiosity", "#1")] if reasons else []
            for reason, ticket in tries or [("", None)]:
                why = {"Colophon-Access-Reason": reason}
                why |= {"Colophon-Access-Ticket": ticket} if ticket else {}
                status, said = await office(method, path, body, actor.headers | why)
                judged = action_permitted(
                    policy, action, [role], "any", reason=reason, ticket=ticket
                )
                done = status < 300 or str(said.get("type")).endswith("key-unknown")
                assert done == isinstance(judged, Permitted), (role, action, reason, ticket, said)


@pytest.mark.clause("DOAJ-4c2")
@pytest.mark.clause("DOAJ-4c3")
async def test_staff_void_a_password_and_never_know_one(office: Office) -> None:
    one, staff = await office.somebody(), await office.somebody("team")
    await office.ok("PUT", one.at + "/password", {"password": PASSWORD}, one.headers)
    await office.becomes(401, one.at, one.headers)
    why = staff.headers | {"Colophon-Access-Reason": "reset-password"}
    refused = staff.headers | {"Colophon-Access-Reason": "update"}
    path = one.at + "/password-resets"
    assert await _slug(office, "POST", path, None, refused) == (403, "reason-needed")
    await office.ok("POST", path, None, why)
    body = {"email": one.email, "password": PASSWORD}
    assert await _slug(office, "POST", "/sign-ins", body) == (401, "sign-in-refused")
    signed = await office.use(await office.box.code_to(one.email, after=1), password="new horse")
    assert signed["person"] == one.person
    await office.ok("POST", "/sign-ins", body | {"password": "new horse"})


@pytest.mark.clause("DOAJ-4f1")
async def test_staff_have_the_same_rights_in_their_own_data(office: Office) -> None:
    staff, other = await office.somebody("team"), await office.somebody("team")
    assert (await office.ok("GET", staff.at, None, staff.headers))["email"] == staff.email
    mended = await office.ok("PUT", staff.at, {"name": "Truman"}, staff.headers)
    assert mended["name"] == "Truman"
    assert await _slug(office, "GET", staff.at, None, other.headers) == (403, "reason-needed")
    why = other.headers | {"Colophon-Access-Reason": "delete"}
    await office.ok("GET", staff.at, None, why)
    looks = await office.ok("GET", staff.at + "/accesses", None, staff.headers)
    assert [one["reason"] for one in looks["accesses"]] == ["delete"]


@pytest.mark.clause("DOAJ-1d1")
async def test_an_account_that_staff_prepare_is_told_by_mail_and_says_its_kind(
    office: Office,
) -> None:
    staff, email = await office.somebody("team"), office.address("harvester")
    body = {"email": email, "name": "Harvest Ltd", "category": "metadata-user"}
    path = "/people/invitations"
    assert await _slug(office, "POST", path, body | {"category": "spy"}, staff.headers) == (
        422,
        "category-unknown",
    )
    anybody = await office.somebody()
    assert await _slug(office, "POST", path, body, anybody.headers) == (403, "not-permitted")
    given = body | {"roles": ["team"]}
    assert await _slug(office, "POST", path, given, staff.headers) == (403, "not-permitted")
    await office.ok("POST", path, body, staff.headers)
    mail = await office.box.next_to(email)
    assert mail["Subject"] == "An account for you"
    signed = await office.use(await office.box.code_to(email))
    account = await office.ok("GET", f"/people/{signed['person']}", None, bearer(signed["token"]))
    assert (account["category"], account["name"]) == ("metadata-user", "Harvest Ltd")
    assert [(one["what"], one["actor"]) for one in account["facts"]] == [
        ("invited", f"staff:{staff.person}")
    ]


@pytest.mark.clause("DOAJ-1d2")
async def test_a_key_is_shown_to_its_holder_once_rotated_and_voided(office: Office) -> None:
    one, staff = await office.somebody(), await office.somebody("team")
    keys = one.at + "/keys"
    assert await _slug(office, "POST", keys, {"scopes": ["all"]}, one.headers) == (
        422,
        "scope-unknown",
    )
    why = staff.headers | {"Colophon-Access-Reason": "reset-api-key"}
    assert (await office("POST", keys, {"scopes": ["details"]}, why))[0] == 404
    made = await office.ok("POST", keys, {"scopes": ["details"]}, one.headers)
    await office.becomes(200, one.at, bearer(made["secret"]))
    listed = await office.ok("GET", keys, None, one.headers)
    assert made["secret"] not in str(listed)
    # Good for what it was made for, in the header alone.
    assert (await office("PUT", one.at, {"name": "X"}, bearer(made["secret"])))[0] == 403
    assert (await office("GET", f"{one.at}?token={made['secret']}"))[0] == 401
    turned = await office.ok("POST", f"{keys}/{made['key']}/rotations", None, one.headers)
    assert turned["replaces"] == made["key"]
    await office.becomes(401, one.at, bearer(made["secret"]))
    await office.becomes(200, one.at, bearer(turned["secret"]))
    status, _ = await office("DELETE", f"{keys}/{turned['key']}", None, why)
    assert status in {202, 204}
    await office.becomes(401, one.at, bearer(turned["secret"]))
    listed = await office.ok("GET", keys, None, one.headers)
    assert [key["revoked-by"] for key in listed["keys"]] == [f"staff:{staff.person}", "self"]
    assert made["secret"] not in await everything_kept(office.place, office.accounts)


async def test_roles_are_given_by_who_may_and_count_at_once(office: Office) -> None:
    one = await office.somebody()
    roles = one.at + "/roles"
    assert (await office("PUT", roles, {"roles": ["team"]}, one.headers))[0] == 403
    assert await _slug(office, "PUT", roles, {"roles": ["king"]}, OPERATOR) == (422, "role-unknown")
    said = await office.ok("PUT", roles, {"roles": ["editor"]}, OPERATOR)
    assert said["roles"] == ["editor"]
    assert one.email not in str(said)
    await office.becomes(401, one.at, one.headers)  # a token with the former roles


@pytest.mark.clause("CRP-3e")
async def test_every_mail_of_an_account_links_to_preferences(office: Office) -> None:
    one = await office.somebody()
    await office.ok("POST", "/people", {"email": one.email})
    await office.box.next_to(one.email, after=1)
    for mail in office.box.mails:
        assert "/preferences" in text_of(mail)
    assert len({mail["Message-ID"] for mail in office.box.mails}) == len(office.box.mails)


async def test_one_address_gets_few_codes_and_who_asks_hears_no_difference(office: Office) -> None:
    one = await office.somebody()
    asked = "/sign-ins/codes", {"email": one.email}
    assert (await office("POST", *asked))[0] == 202
    await office.box.next_to(one.email, after=1)
    answers = await asyncio.gather(*(office("POST", *asked) for _ in range(12)))
    assert {status for status, _ in answers} == {202}
    # Five an hour: the code of the registration and four more. What is asked of another address
    # afterwards is answered afterwards, so nothing more is on its way by then.
    await office.box.next_to(one.email, after=4)
    await office.somebody()
    assert len(office.box.to(one.email)) == 5


async def test_details_under_a_fenced_key_are_gone_and_that_is_no_fault(office: Office) -> None:
    one = await office.somebody()
    keys = f"{one.person}.account"
    name = office.place.environment("accounts")["DATABASE_PREFIX"] + "keys"
    async with connect(office.place.mongodb_url, name) as found:
        kept = Aggregates(found["keys"], KeptKeys.model_validate_json, "/services/retention")
        await kept.update(keys, lambda known: fence(known, keys, "a-request", at=SYSTEM.now()))
    for method, body in (("GET", None), ("PUT", {"name": "Lazarus"})):
        assert await _slug(office, method, one.at, body, one.headers) == (410, "details-gone")


@pytest.mark.clause("DOAJ-6a4")
async def test_details_under_a_hold_are_held_and_not_gone(office: Office) -> None:
    one = await office.somebody()
    async with held(office.place, f"{one.person}.account"):
        for method, body in (("GET", None), ("PUT", {"name": "Lazarus"})):
            status, said = await office(method, one.at, body, one.headers)
            assert (status, said["type"], said["rule"]) == (
                409,
                "urn:colophon:problem:details-restricted",
                "DOAJ-6a4",
            )
            assert "request for access" in said["detail"]
    assert (await office.ok("GET", one.at, None, one.headers))["name"] == "Josiah Carberry"


async def test_a_client_that_asks_too_often_waits_and_without_a_mail_server_mail_does(
    office: Office,
) -> None:
    apart = {"DATABASE_PREFIX": office.place.name.replace(".", "_") + "apart_"}
    async with service("accounts", office.place, "api", "deliver", **apart) as accounts:
        path, statuses = accounts.url + "/sign-ins/codes", []
        for number in range(31):
            body = {"email": f"nobody-{number}@press.example"}
            async with office.session.post(path, json=body) as answer:
                statuses.append(answer.status)
                waits = answer.headers.get("Retry-After")
        assert statuses == [202] * 30 + [429]
        assert 0 < int(waits or 0) <= 600
        async with office.session.get(accounts.url + "/metrics") as answer:
            assert "colophon_mail_transport 0.0" in await answer.text()
    async with office.session.get(office.accounts.url + "/metrics") as answer:
        assert "colophon_mail_transport 1.0" in await answer.text()


@pytest.mark.law("P1")
@pytest.mark.clause("DOAJ-1a9")
async def test_no_name_address_or_code_of_a_person_lies_anywhere_in_clear(office: Office) -> None:
    canary, staff = office.address("canary-5f2e"), await office.somebody("team")
    await office.ok("POST", "/people", {"email": canary, "name": "Canary Quetzal"})
    code = await office.box.code_to(canary)
    kept = await everything_kept(office.place, office.accounts)
    signed = await office.use(code, password="Wachtwoord-7c31")
    one = Somebody(canary, signed["person"], signed["token"])
    key = await office.ok("POST", one.at + "/keys", {"scopes": ["details"]}, one.headers)
    why = staff.headers | {"Colophon-Access-Reason": "update"}
    looked = await office.ok("GET", one.at, None, why)
    assert looked["email"] == canary

    async def told() -> str | None:
        text = await everything_said(office.place, TOPICS)
        parts = (f"{one.person}|account|details", f"person:{one.person}", key["key"])
        return text if all(part in text for part in (*parts, f"staff:{staff.person}")) else None

    kept += await until(told, within=30, what="all events of this person") + "\n"
    kept += await everything_kept(office.place, office.accounts)
    assert kept.count(one.person) > 5  # what is looked at is what was written
    secrets = ("canary-5f2e", "Quetzal", "Wachtwoord", code, code.replace("-", ""))
    for secret in (*secrets, signed["token"], key["secret"]):
        assert secret not in kept


async def _slug(
    office: Office, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    status, said = await office(method, path, body, headers)
    return status, said["type"].removeprefix(PROBLEM)
