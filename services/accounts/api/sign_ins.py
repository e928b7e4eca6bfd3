"""Signing in and out, and the keys that signed tokens are verified with."""

from typing import Final

from aiohttp import web

from services.accounts.api.bodies import AskedCode, SigningIn
from services.accounts.api.persons import NO_STORE, claims_of, client_of, within_quota
from services.accounts.api.problems import agreed
from services.accounts.api.shown.people import KeySet, Mailed, Session
from services.accounts.commands import asking, signing_in
from services.accounts.commands.persons import People
from services.accounts.commands.signing_in import SignedIn
from services.accounts.errors import Refusal
from shared.events.decisions import Refused
from shared.web import Unbound, body_of, correlation, json_answer

TRIED: Final = "codes-tried-by-a-client"


async def ask_code(people: People, request: web.Request) -> web.Response:
    """Ask for a code to sign in by; the answer is the same whether or not there is an account."""
    client = client_of(request)
    within_quota(people, "asks-of-a-client", client)
    body = await body_of(request, AskedCode)
    people.quotas.count("asks-of-a-client", client)
    refused = await asking.code(people, email=body.email)
    if refused is not None:
        agreed(refused)
    return json_answer(Mailed(), status=202, headers=NO_STORE)


async def sign_in(people: People, request: web.Request) -> web.Response:
    """Sign in by a code that was mailed, or by address and password."""
    body = await body_of(request, SigningIn)
    password = body.password.get_secret_value() if body.password else None
    if body.code is not None:
        client = client_of(request)
        within_quota(people, TRIED, client)
        done = await signing_in.by_code(
            people,
            body.code.get_secret_value(),
            password=password,
            correlation=correlation(request),
        )
        if _is_wrong(done):
            people.quotas.count(TRIED, client)
    else:
        address = request.remote or "unknown"
        done = await signing_in.by_password(
            people, body.email or "", password or "", client=address
        )
    return json_answer(Session.of(agreed(done)), status=201, headers=NO_STORE)


async def renew(people: People, request: web.Request) -> web.Response:
    """Give a new token for one that still counts."""
    done = agreed(await signing_in.renew(people, claims_of(request)))
    return json_answer(Session.of(done), status=201, headers=NO_STORE)


async def sign_out(people: People, request: web.Request) -> web.Response:
    """End this sign-in."""
    pending = await signing_in.sign_out(
        people, claims_of(request), correlation=correlation(request)
    )
    return web.Response(status=202 if pending else 204)


async def sign_out_everywhere(people: People, request: web.Request) -> web.Response:
    """End all sign-ins of the caller."""
    pending = await signing_in.sign_out_everywhere(
        people, claims_of(request).sub, correlation=correlation(request)
    )
    return web.Response(status=202 if pending else 204)


async def public_keys(people: People, _request: web.Request) -> web.Response:
    """Show the public keys."""
    headers = {"Cache-Control": "public, max-age=300"}
    return json_answer(people.signing.jwks(), headers=headers)


def _is_wrong(done: SignedIn | Refused[Refusal]) -> bool:
    return isinstance(done, Refused) and done.reason.slug == "code-wrong"


OUT: Final = {204: "Ended, in effect.", 202: "Ended, not yet in effect everywhere."}
ROUTES: Final = (
    Unbound(
        "POST",
        "/sign-ins/codes",
        ask_code,
        "Ask for a code to sign in by; it comes by mail",
        "none",
        request=AskedCode,
        responses={202: Mailed},
    ),
    Unbound(
        "POST",
        "/sign-ins",
        sign_in,
        "Sign in by a code, or by address and password",
        "none",
        request=SigningIn,
        responses={201: Session},
    ),
    Unbound(
        "POST",
        "/sign-ins/renewals",
        renew,
        "Renew a token, within its sign-in",
        "caller",
        responses={201: Session},
    ),
    Unbound("DELETE", "/sign-ins/current", sign_out, "Sign out", "caller", responses=OUT),
    Unbound(
        "DELETE", "/sign-ins", sign_out_everywhere, "Sign out everywhere", "caller", responses=OUT
    ),
    Unbound(
        "GET",
        "/.well-known/jwks.json",
        public_keys,
        "The public keys of signed tokens (RFC 7517)",
        "none",
        responses={200: KeySet},
    ),
)
