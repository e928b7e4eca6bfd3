"""Accounts and deposits killed between the writes of a deletion: it goes on where it stood."""

import contextlib
from typing import Any, Final

import aiohttp
import pytest

from tests.asking import asked
from tests.mailbox import Mailbox, code_in, mailbox
from tests.processes import OPERATOR, Place, Running, service, until
from tests.striking import some_of

JOURNAL: Final = "1111-1111"
OF_ACCOUNTS: Final = (
    "accounts.replacement-told",
    "accounts.account-closed",
    "accounts.sign-ins-ended",
)
# The first time each is passed the journal is given to the one who is to go.
OF_DEPOSITS: Final = ("deposits.journal-reserved", "deposits.journal-given")
POINTS: Final = (*OF_ACCOUNTS, *OF_DEPOSITS)


async def _asked(
    of: Running, method: str, path: str, body: Any = None, token: str | None = None
) -> tuple[int, Any]:
    headers = OPERATOR if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        return await asked(session, method, of.url + path, body, headers)


async def _somebody(accounts: Running, box: Mailbox, email: str) -> tuple[str, str]:
    await _asked(accounts, "POST", "/people", {"email": email})
    code = await box.code_to(email)
    _, said = await _asked(accounts, "POST", "/sign-ins", {"code": code})
    return said["person"], said["token"]


async def _offered(accounts: Running, box: Mailbox, one: tuple[str, str], heir: str) -> str:
    """Let somebody ask to go, with a journal and a replacement; return the code to accept with."""
    path = f"/people/{one[0]}/deletion"
    assert (await _asked(accounts, "POST", path, None, one[1]))[0] == 202
    said = await _asked(accounts, "POST", path + "/replacement", {"email": heir}, one[1])
    assert said[0] == 202
    return code_in(await box.next_to(heir, after=1))


async def _given(deposits: Running, person: str) -> None:
    async def so() -> bool:
        body = {"person": person}
        return (await _asked(deposits, "PUT", f"/journals/{JOURNAL}/owner", body))[0] == 200

    await until(so, what="the registry to know them")


async def _lists(deposits: Running, *people: str) -> list[list[str]]:
    return [(await _told(deposits, f"/owners/{one}"))["journals"] for one in people]


async def _owner(deposits: Running) -> str:
    return str((await _told(deposits, f"/journals/{JOURNAL}/owner"))["owner"])


async def _told(deposits: Running, path: str) -> dict[str, Any]:
    """Return what it answers as soon as it knows who asks."""
    found: dict[str, Any] = {}

    async def so() -> bool:
        status, said = await _asked(deposits, "GET", path)
        found.update(said)
        return status == 200

    await until(so, what=f"an answer to {path}")
    return found


async def _gone(accounts: Running, deposits: Running, one: tuple[str, str], heir: str) -> None:
    """Wait until an account is gone; its journal is the heir's, and on no other list."""

    async def gone() -> bool:
        return (await _asked(accounts, "GET", f"/people/{one[0]}", None, one[1]))[0] == 401

    await until(gone, within=30, what="the account to be gone")
    assert await _owner(deposits) == heir
    assert await _lists(deposits, one[0], heir) == [[], [JOURNAL]]


@pytest.mark.clause("DOAJ-8a2")
@pytest.mark.parametrize("at", some_of(OF_ACCOUNTS))
async def test_a_deletion_goes_on_where_accounts_died(place: Place, at: str) -> None:
    emails = ("leaver@press.example", "heir@press.example")
    with mailbox() as box:
        settings = {"SMTP_URL": box.url, "REPLICA": "accounts-1"}
        async with contextlib.AsyncExitStack() as stack:
            deposits = await stack.enter_async_context(
                service("deposits", place, "api", "relay", "reactions", ready=False)
            )
            async with service("accounts", place, COLOPHON_CRASH=at, **settings) as dying:
                await deposits.ready()
                one, heir = [await _somebody(dying, box, email) for email in emails]
                await _given(deposits, one[0])
                code = await _offered(dying, box, one, emails[1])
                with contextlib.suppress(aiohttp.ClientError):
                    await _asked(dying, "POST", "/replacements", {"code": code}, heir[1])
                await dying.ended()
            accounts = await stack.enter_async_context(service("accounts", place, **settings))
            await _gone(accounts, deposits, one, heir[0])
            # The address is free: whoever reads its mail has another account.
            before = len(box.to(emails[0]))
            await _asked(accounts, "POST", "/people", {"email": emails[0]})
            again = await box.next_to(emails[0], after=before)
            _, said = await _asked(accounts, "POST", "/sign-ins", {"code": code_in(again)})
            assert said["person"] not in {one[0], heir[0]}


@pytest.mark.clause("DOAJ-8a3")
@pytest.mark.parametrize("at", some_of(OF_DEPOSITS))
async def test_a_journal_has_an_owner_wherever_deposits_died(place: Place, at: str) -> None:
    emails = ("leaver@press.example", "heir@press.example")
    with mailbox() as box:
        async with contextlib.AsyncExitStack() as stack:
            accounts = await stack.enter_async_context(service("accounts", place, SMTP_URL=box.url))
            parts = ("api", "relay", "reactions")
            armed = {"COLOPHON_CRASH": f"{at}:2", "REPLICA": "deposits-1"}
            async with service("deposits", place, *parts, **armed) as dying:
                one, heir = [await _somebody(accounts, box, email) for email in emails]
                await _given(dying, one[0])
                code = await _offered(accounts, box, one, emails[1])
                said = await _asked(accounts, "POST", "/replacements", {"code": code}, heir[1])
                assert said[0] == 202
                await dying.ended()
            # Without the role that goes on with it: what the dead one left, as it stands.
            async with service("deposits", place, "api") as looking:
                owner = await _owner(looking)
                assert owner == (heir[0] if at.endswith("given") else one[0])
                assert await _lists(looking, one[0], heir[0]) == [[JOURNAL], [JOURNAL]]
            deposits = await stack.enter_async_context(
                service("deposits", place, *parts, REPLICA="deposits-1")
            )
            await _gone(accounts, deposits, one, heir[0])
