"""Metadata Plus agreements and their tokens; a token is shown once."""

from typing import Final

from aiohttp import web

from services.accounts.api.asking import allowed, organisation_in
from services.accounts.api.bodies import AgreementEnd, NewAgreement
from services.accounts.api.problems import agreed
from services.accounts.api.shown.registry import Agreement, Agreements, IssuedToken
from services.accounts.api.shown.status import status
from services.accounts.commands import credentials
from services.accounts.commands.context import Accounts
from services.accounts.commands.credentials import Agreed
from shared.web import Unbound, body_of, correlation, json_answer

NO_STORE: Final = {"Cache-Control": "no-store"}


def _with_token(done: Agreed) -> web.Response:
    agreement = Agreement.of(done.agreement, status(pending=done.pending))
    shown = IssuedToken(
        **agreement.model_dump(), credential=done.credential or "", token=done.token or ""
    )
    return json_answer(shown, status=201, headers=NO_STORE)


async def sign(accounts: Accounts, request: web.Request) -> web.Response:
    """Enter a signed agreement and issue its first token."""
    organisation = organisation_in(request)
    body = await body_of(request, NewAgreement)
    done = await credentials.sign_agreement(
        accounts, organisation, start=body.start, end=body.end, correlation=correlation(request)
    )
    return _with_token(agreed(done))


async def move_end(accounts: Accounts, request: web.Request) -> web.Response:
    """Move an agreement's end, or end it now."""
    organisation = organisation_in(request)
    body = await body_of(request, AgreementEnd)
    end = accounts.now() if body.end == "now" else body.end
    done = agreed(
        await credentials.end_agreement(
            accounts,
            organisation,
            request.match_info["agreement"],
            end=end,
            correlation=correlation(request),
        )
    )
    agreement = Agreement.of(done.agreement, status(pending=done.pending))
    return json_answer(agreement, status=202 if done.pending else 200)


async def listed(accounts: Accounts, request: web.Request) -> web.Response:
    """List an organisation's agreements."""
    organisation = organisation_in(request)
    allowed(request, organisation, "admin")
    agreed(await accounts.organisation(organisation))
    found = await accounts.store.agreements.where(organisation=organisation)
    shown = [Agreement.of(state) for state in sorted(found, key=lambda one: one.agreement)]
    return json_answer(Agreements(agreements=tuple(shown)))


async def add_token(accounts: Accounts, request: web.Request) -> web.Response:
    """Issue a further token of an agreement."""
    done = await credentials.add_token(
        accounts,
        organisation_in(request),
        request.match_info["agreement"],
        correlation=correlation(request),
    )
    return _with_token(agreed(done))


async def revoke_token(accounts: Accounts, request: web.Request) -> web.Response:
    """Revoke one token; its agreement runs on."""
    done = agreed(
        await credentials.revoke_token(
            accounts,
            organisation_in(request),
            request.match_info["agreement"],
            request.match_info["token"],
            correlation=correlation(request),
        )
    )
    return web.Response(status=202 if done.pending else 204)


PLACE: Final = "/organisations/{organisation}/plus-agreements"
ROUTES: Final = (
    Unbound(
        "POST",
        PLACE,
        sign,
        "Enter a Metadata Plus agreement",
        "operator",
        request=NewAgreement,
        responses={201: IssuedToken},
    ),
    Unbound("GET", PLACE, listed, "List Plus agreements", "caller", responses={200: Agreements}),
    Unbound(
        "PUT",
        PLACE + "/{agreement}",
        move_end,
        "Move an agreement's end, or end it now",
        "operator",
        request=AgreementEnd,
        responses={200: Agreement, 202: Agreement},
    ),
    Unbound(
        "POST",
        PLACE + "/{agreement}/tokens",
        add_token,
        "Issue a further token",
        "operator",
        responses={201: IssuedToken},
    ),
    Unbound(
        "DELETE",
        PLACE + "/{agreement}/tokens/{token}",
        revoke_token,
        "Revoke a token, named by its credential id",
        "operator",
        responses={204: "Revoked, in effect.", 202: "Revoked, not yet in effect everywhere."},
    ),
)
