"""The support desk's form for reference preferences (CRR-9)."""

from typing import Final

from aiohttp import web

from services.accounts.api.asking import next_page, preference_in
from services.accounts.api.bodies import PreferenceForm, RequestsQuery
from services.accounts.api.problems import agreed, there
from services.accounts.api.shown.preferences import PreferenceRequest, PreferenceRequests
from services.accounts.api.shown.status import status
from services.accounts.commands import preferences
from services.accounts.commands.context import Accounts
from services.accounts.model.requests import Form
from shared.web import Unbound, correlation, json_answer, query_of

MANY: Final = "/preference-requests"


async def ask(accounts: Accounts, request: web.Request) -> web.Response:
    """Take a request and carry it out; 202 where it is not in effect in time."""
    body = await preference_in(request, PreferenceForm)
    form = Form(body.organisation, body.prefixes, body.reference_visibility)
    done, pending = agreed(await preferences.ask(accounts, form, correlation=correlation(request)))
    return json_answer(
        PreferenceRequest.of(done, status(pending=pending)),
        status=202 if pending else 201,
        headers={"Location": f"{MANY}/{done.request}"},
    )


async def listed(accounts: Accounts, request: web.Request) -> web.Response:
    """List requests, newest first."""
    query = query_of(request, RequestsQuery)
    states = await accounts.store.newest_requests(before=query.after, most=query.rows)
    following = next_page(MANY, query, states=states, mark=lambda one: one.request)
    shown = tuple(PreferenceRequest.of(state) for state in states)
    return json_answer(PreferenceRequests(requests=shown, next=following))


async def one(accounts: Accounts, request: web.Request) -> web.Response:
    """Show a request and what it came to."""
    found = await accounts.store.requests.load(request.match_info["request"])
    return json_answer(PreferenceRequest.of(there(found, "request-unknown")))


ROUTES: Final = (
    Unbound(
        "POST",
        MANY,
        ask,
        "Carry out a member's request",
        "operator",
        request=PreferenceForm,
        responses={201: PreferenceRequest, 202: PreferenceRequest},
    ),
    Unbound(
        "GET",
        MANY,
        listed,
        "List requests, newest first",
        "operator",
        query=RequestsQuery,
        responses={200: PreferenceRequests},
    ),
    Unbound(
        "GET",
        MANY + "/{request}",
        one,
        "Show a request",
        "operator",
        responses={200: PreferenceRequest},
    ),
)
