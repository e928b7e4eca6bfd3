"""Prefixes that go from one organisation to another."""

from typing import Final

from aiohttp import web

from services.accounts.api.asking import prefix_in, version_in
from services.accounts.api.bodies import NewOwner
from services.accounts.api.problems import agreed
from services.accounts.api.shown.preferences import PrefixPreference
from services.accounts.api.shown.status import status
from services.accounts.commands import organisations
from services.accounts.commands.context import Accounts
from shared.web import Unbound, body_of, correlation, json_answer


async def give(accounts: Accounts, request: web.Request) -> web.Response:
    """Give a prefix to another organisation; 202 where it is not at the broker in time."""
    body = await body_of(request, NewOwner)
    prefix, pending = agreed(
        await organisations.transfer_prefix(
            accounts,
            prefix_in(request, "prefix-unknown"),
            body.organisation,
            name=body.name,
            seen=version_in(request),
            correlation=correlation(request),
        )
    )
    shown = PrefixPreference.of(
        prefix,
        accounts.in_force(prefix),
        policy_version=accounts.policy.version,
        said=status(pending=pending),
    )
    return json_answer(shown, status=202 if pending else 200, headers={"Location": shown.receipt})


ROUTES: Final = (
    Unbound(
        "PUT",
        "/prefixes/{prefix}/owner",
        give,
        "Give a prefix to another organisation; its setting does not move along",
        "operator",
        request=NewOwner,
        responses={200: PrefixPreference, 202: PrefixPreference},
    ),
)
