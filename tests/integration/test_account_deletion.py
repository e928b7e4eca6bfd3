"""Deleting accounts through the wire: accounts and deposits, their broker, store and mail."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.platform import Platform
from shared.kafka import topics
from shared.mongo import connect
from shared.runtime.ids import new_id
from tests.asking import Answer, asked
from tests.mailbox import Mailbox, code_in
from tests.peopling import Office, Somebody, bearer
from tests.processes import OPERATOR, Place, Running, service, until

PROBLEM: Final = "urn:colophon:problem:"
WHY: Final = {"Colophon-Access-Reason": "delete"}


@dataclass(slots=True)
class House:
    """Accounts and its office, and the registry of journals."""

    office: Office
    deposits: Running

    async def registry(self, method: str, path: str, body: Any = None) -> Answer:
        url = self.deposits.url + path
        return await asked(self.office.session, method, url, body, OPERATOR)

    async def journal_of(self, one: Somebody, journal: str, **more: str) -> None:
        """Give a journal to a person, once the registry knows of them."""

        async def given() -> bool:
            path = f"/journals/{journal}/owner"
            status, _ = await self.registry("PUT", path, {"person": one.person, **more})
            return status == 200

        await until(given, what="the journal to be theirs")

    async def owner_of(self, journal: str) -> str:
        status, said = await self.registry("GET", f"/journals/{journal}/owner")
        assert status == 200, said
        return str(said["owner"])

    async def waits_for(self, one: Somebody, what: str) -> Any:
        async def so() -> Any:
            said = await self.office.ok("GET", one.at + "/deletion", None, one.headers)
            return said if said["waits-for"] == what else None

        return await until(so, what=f"the deletion to wait for {what}")

    async def mail_with(self, subject: str, email: str) -> str:
        """Wait for the mail of this subject and return the code in it."""

        async def come() -> str | None:
            found = [one for one in self.office.box.to(email) if one["Subject"] == subject]
            return code_in(found[0]) if found else None

        return str(await until(come, within=30, what=f"a mail: {subject}"))


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory, box: Mailbox
) -> AsyncIterator[House]:
    name = f"t{new_id().replace('-', '')[8:24]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("deletion")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    settings = {"SMTP_URL": box.url, "MAIL_FIRST_SECONDS": "0.2"}
    async with contextlib.AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(service("accounts", place, **settings))
        deposits = await stack.enter_async_context(
            service("deposits", place, "api", "relay", "reactions")
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield House(Office(session, accounts, box, place), deposits)


async def slug(answer: Answer) -> tuple[int, str]:
    status, said = answer
    return status, said["type"].removeprefix(PROBLEM)


@pytest.mark.clause("DOAJ-8a1")
async def test_an_account_that_nothing_hangs_on_goes_with_all_that_it_held(house: House) -> None:
    office = house.office
    one = await office.somebody(name="Elena Quetzal")
    password = {"email": one.email, "password": "right horse"}
    await office.ok("PUT", one.at + "/password", {"password": "right horse"}, one.headers)
    await office.sign_in(one, after=1)
    key = await office.ok("POST", one.at + "/keys", {"scopes": ["details"]}, one.headers)
    said = await office.ok("POST", one.at + "/deletion", None, one.headers)
    assert (said["person"], said["asked-by"]) == (one.person, "self")
    for held in (one.headers, bearer(key["secret"])):
        await office.becomes(401, one.at, held)
    assert await slug(await office("POST", "/sign-ins", password)) == (401, "sign-in-refused")
    assert await _tombstoned(house, f"{one.person}|account|details")
    kept = await _kept(house, "people", one.person)
    assert '"status":"closed"' in kept
    assert not [part for part in ("pe1.", "bi1.", "argon2") if part in kept]

    async def freed() -> bool:
        return one.person not in await _kept(house, "addresses")

    await until(freed, what="the address to be free")
    before = len(office.box.to(one.email))
    await office.ok("POST", "/people", {"email": one.email})
    signed = await office.use(await office.box.code_to(one.email, after=before))
    assert signed["person"] != one.person


@pytest.mark.clause("DOAJ-8a2")
async def test_an_account_stays_while_a_journal_hangs_on_it(house: House) -> None:
    office = house.office
    one, other = await office.somebody(), await office.somebody()
    await house.journal_of(one, "1111-1111")
    assert await slug(await office("GET", one.at + "/deletion", None, one.headers)) == (
        404,
        "deletion-unknown",
    )
    await office.ok("POST", one.at + "/deletion", None, one.headers)
    said = await house.waits_for(one, "journals")
    assert said["journals"] == ["1111-1111"]
    late = await house.registry("PUT", "/journals/2222-2222/owner", {"person": one.person})
    assert await slug(late) == (409, "owner-closing")
    # Taken back it takes journals again; asked for anew, it waits for both.
    await office.ok("DELETE", one.at + "/deletion", None, one.headers)
    await house.journal_of(one, "2222-2222")
    await office.ok("POST", one.at + "/deletion", None, one.headers)
    await house.journal_of(other, "1111-1111", **{"from": one.person})
    assert (await house.registry("DELETE", "/journals/2222-2222/owner"))[0] == 204
    await office.becomes(401, one.at, one.headers)
    assert await house.owner_of("1111-1111") == other.person
    account = await office.ok("GET", other.at, None, other.headers)
    assert [fact["what"] for fact in account["facts"]] == ["registered"]


@pytest.mark.clause("DOAJ-8a3")
async def test_a_replacement_gets_the_journals_when_it_accepts_and_then_the_account_goes(
    house: House,
) -> None:
    office = house.office
    one, stranger = await office.somebody(), await office.somebody()
    await house.journal_of(one, "3333-3333")
    named = {"email": office.address("heir"), "name": "Ines Heir"}
    early = await office("POST", one.at + "/deletion/replacement", named, one.headers)
    assert await slug(early) == (404, "deletion-unknown")
    await office.ok("POST", one.at + "/deletion", None, one.headers)
    await office.ok("POST", one.at + "/deletion/replacement", named, one.headers)
    code = await house.mail_with("You are asked to take journals over", named["email"])
    theirs = await office("POST", "/replacements", {"code": code}, stranger.headers)
    assert await slug(theirs) == (404, "offer-void")
    assert (await house.waits_for(one, "journals"))["replacement"] is None
    # Whoever has no account gets one with the same ask, and makes it theirs.
    signed = await office.use(await house.mail_with("An account for you", named["email"]))
    heir = bearer(signed["token"])
    assert await house.owner_of("3333-3333") == one.person
    taken = await office.ok("POST", "/replacements", {"code": code}, heir)
    assert taken["journals"] == ["3333-3333"]
    await office.becomes(401, one.at, one.headers)
    assert await house.owner_of("3333-3333") == signed["person"]
    account = await office.ok("GET", f"/people/{signed['person']}", None, heir)
    assert account["name"] == "Ines Heir"


@pytest.mark.clause("DOAJ-8a1")
async def test_staff_delete_for_one_reason_and_others_hear_of_no_account(house: House) -> None:
    office = house.office
    one, other = await office.somebody(), await office.somebody()
    staff = await office.somebody("team")
    path = one.at + "/deletion"
    for method in ("POST", "GET", "DELETE"):
        assert await slug(await office(method, path, None, other.headers)) == (
            404,
            "person-unknown",
        )
        bare = await office(method, path, None, staff.headers)
        assert await slug(bare) == (403, "reason-needed")
    await house.journal_of(one, "4444-4444")
    said = await office.ok("POST", path, None, staff.headers | WHY)
    assert said["asked-by"] == f"staff:{staff.person}"
    looks = await office.ok("GET", one.at + "/accesses", None, one.headers)
    assert {look["reason"] for look in looks["accesses"]} == {"delete"}
    assert (await house.registry("DELETE", "/journals/4444-4444/owner"))[0] == 204
    await office.becomes(401, one.at, one.headers)


async def _kept(house: House, collection: str, key: str | None = None) -> str:
    """Return what the store of accounts holds, as text."""
    place = house.office.place
    name = place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(place.mongodb_url, name) as database:
        found = await database[collection].find({"_id": key} if key else {}).to_list(None)
        return "\n".join(str(one) for one in found)


async def _tombstoned(house: House, key: str) -> bool:
    """Wait until the newest record of a key on accounts.personal.v1 has no value."""
    place = house.office.place
    topic = "accounts.personal.v1"
    where = TopicPartition(place.name + topic, topics.partition_of(topic, key.encode()))
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        found: list[bytes | None] = []

        async def gone() -> bool:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found.extend(one.value for one in records if one.key == key.encode())
            return len(found) > 1 and found[-1] is None

        return bool(await until(gone, what="the record to be gone"))
    finally:
        await consumer.stop()
