"""Logins of an organisation's roles. Nothing that proves a login is ever given back."""

from typing import Final

from aiohttp import web

from services.accounts.api.asking import organisation_in
from services.accounts.api.bodies import LoginChanges, NewLogin
from services.accounts.api.problems import agreed
from services.accounts.api.shown.registry import Credential, Credentials
from services.accounts.api.shown.status import status
from services.accounts.commands import credentials
from services.accounts.commands.context import Accounts
from services.accounts.commands.credentials import Issued
from shared.web import Unbound, body_of, correlation, json_answer


def _shown(issued: Issued, *, done: int) -> web.Response:
    credential = Credential.of(issued.credential, status(pending=issued.pending))
    return json_answer(credential, status=done)


async def issue(accounts: Accounts, request: web.Request) -> web.Response:
    """Issue a login."""
    organisation = organisation_in(request)
    body = await body_of(request, NewLogin)
    issued = agreed(
        await credentials.issue_login(
            accounts,
            organisation,
            login=body.login,
            password=body.password.get_secret_value(),
            scopes=body.scopes,
            correlation=correlation(request),
        )
    )
    return _shown(issued, done=201 if issued.new else 200)


async def change(accounts: Accounts, request: web.Request) -> web.Response:
    """Change a login's password or scopes, revoke it or take that back."""
    organisation = organisation_in(request)
    body = await body_of(request, LoginChanges)
    issued = agreed(
        await credentials.change_login(
            accounts,
            organisation,
            request.match_info["credential"],
            password=body.password.get_secret_value() if body.password else None,
            scopes=body.scopes,
            revoked=body.revoked,
            correlation=correlation(request),
        )
    )
    return _shown(issued, done=202 if issued.pending else 200)


async def listed(accounts: Accounts, request: web.Request) -> web.Response:
    """List an organisation's credentials, tokens among them."""
    organisation = organisation_in(request)
    agreed(await accounts.organisation(organisation))
    found = await accounts.store.credentials.where(organisation=organisation)
    shown = sorted((Credential.of(state) for state in found), key=lambda one: one.credential)
    return json_answer(Credentials(credentials=tuple(shown)))


ROUTES: Final = (
    Unbound(
        "POST",
        "/organisations/{organisation}/credentials",
        issue,
        "Issue a login of a role",
        "operator",
        request=NewLogin,
        responses={201: Credential, 200: Credential},
    ),
    Unbound(
        "GET",
        "/organisations/{organisation}/credentials",
        listed,
        "List an organisation's credentials",
        "operator",
        responses={200: Credentials},
    ),
    Unbound(
        "PUT",
        "/organisations/{organisation}/credentials/{credential}",
        change,
        "Change or revoke a login",
        "operator",
        request=LoginChanges,
        responses={200: Credential, 202: Credential},
    ),
)
