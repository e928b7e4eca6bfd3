"""Accounts killed between offering an account to a volunteer and writing that down: one offer."""

from typing import Any, Final

import aiohttp
import pytest

from tests.asking import asked
from tests.mailbox import Mailbox, mailbox
from tests.processes import OPERATOR, Place, Running, service

AT: Final = "accounts.volunteer-invited"
PATH: Final = "/volunteer-applications"
WHY: Final = {"Colophon-Access-Reason": "update"}
VOLUNTEER: Final = "vera@volunteers.example"


async def _asked(of: Running, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    async with aiohttp.ClientSession() as session:
        status, said = await asked(session, method, of.url + path, body, headers)
    assert status < 300, said
    return said


async def _team(accounts: Running, box: Mailbox) -> dict[str, str]:
    """Return the headers of somebody of the team, made by an operator's invitation."""
    body = {"email": "tess@index.example", "category": "team", "roles": ["team"]}
    await _asked(accounts, "POST", "/people/invitations", body, OPERATOR)
    code = await box.code_to("tess@index.example")
    signed = await _asked(accounts, "POST", "/sign-ins", {"code": code}, {})
    return {"Authorization": f"Bearer {signed['token']}"}


@pytest.mark.soak
@pytest.mark.clause("DOAJ-1b3")
async def test_a_volunteer_is_offered_one_account_wherever_accounts_died(place: Place) -> None:
    with mailbox() as box:
        settings = {"SMTP_URL": box.url, "REPLICA": "accounts-1"}
        async with service("accounts", place, COLOPHON_CRASH=AT, **settings) as dying:
            team = await _team(dying, box)
            referee = {"name": "Rita Referee", "email": "rita@referees.example"}
            said = {"name": "Vera Volunteer", "email": VOLUNTEER, "referees": [referee]}
            await _asked(dying, "POST", PATH, said, {})
            page = await _asked(dying, "GET", PATH, None, team | WHY)
            one = f"{PATH}/{page['items'][0]['application']}"
            await _asked(dying, "POST", one + "/acceptance", {"category": "volunteer"}, team)
            await dying.ended()
        async with service("accounts", place, **settings) as accounts:
            code = await box.code_to(VOLUNTEER)
            signed = await _asked(accounts, "POST", "/sign-ins", {"code": code}, {})
            # What is told again offers nothing more: the mail of another cause comes after it.
            await _asked(accounts, "POST", "/sign-ins/codes", {"email": VOLUNTEER}, {})
            again = await box.code_to(VOLUNTEER, after=1)
            assert (await _asked(accounts, "POST", "/sign-ins", {"code": again}, {}))[
                "person"
            ] == signed["person"]
            assert len(box.to(VOLUNTEER)) == 2
