"""Accounts killed between the writes that make a person: the code is still good, the mail comes."""

from typing import Final

import aiohttp
import pytest

from shared.mongo import connect
from tests.mailbox import code_in, mailbox
from tests.processes import Place, Running, service
from tests.striking import some_of

EMAIL = "reader@press.example"
WRITTEN: Final = ("accounts.address-reserved", "accounts.person-written")
TAKEN: Final = "mail.taken"
POINTS: Final = (*WRITTEN, TAKEN)


async def _sign_in(accounts: Running, code: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(accounts.url + "/sign-ins", json={"code": code}) as answer,
    ):
        return answer.status, (await answer.json()).get("person", "")


async def _register(accounts: Running) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(accounts.url + "/people", json={"email": EMAIL}) as answer,
    ):
        assert answer.status == 202


@pytest.mark.parametrize("at", some_of(WRITTEN))
async def test_a_code_is_good_after_a_death_between_claim_and_person(place: Place, at: str) -> None:
    with mailbox() as box:
        settings = {"SMTP_URL": box.url, "REPLICA": "accounts-1"}
        async with service("accounts", place, COLOPHON_CRASH=at, **settings) as dying:
            await _register(dying)
            code = await box.code_to(EMAIL)
            with pytest.raises(aiohttp.ClientError):
                await _sign_in(dying, code)
            await dying.ended()
        async with service("accounts", place, **settings) as accounts:
            status, person = await _sign_in(accounts, code)
            assert status == 201
            assert (await _sign_in(accounts, code))[0] == 401
    name = place.environment("accounts")["DATABASE_PREFIX"] + "accounts"
    async with connect(place.mongodb_url, name) as database:
        assert await database["people"].count_documents({}) == 1
        assert await database["people"].find_one({"_id": person}) is not None


async def test_a_mail_that_was_taken_before_a_death_comes_again_as_the_same(place: Place) -> None:
    with mailbox() as box:
        settings = {"SMTP_URL": box.url, "REPLICA": "accounts-1", "MAIL_SECONDS": "1"}
        async with service("accounts", place, COLOPHON_CRASH=TAKEN, **settings) as dying:
            await _register(dying)
            first = await box.next_to(EMAIL)
            await dying.ended()
        async with service("accounts", place, **settings) as accounts:
            second = await box.next_to(EMAIL, after=1)
            assert first["Message-ID"] == second["Message-ID"]
            assert code_in(first) == code_in(second)
            assert (await _sign_in(accounts, code_in(second)))[0] == 201
