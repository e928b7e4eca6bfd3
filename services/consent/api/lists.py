"""Lists: shown to everybody, asked for with an address alone."""

from typing import Final

from aiohttp import web

from services.consent.api.asking import within_bounds
from services.consent.api.bodies import NewIssue, Subscription
from services.consent.api.problems import address_alone, agreed, problem_of
from services.consent.api.shown.consents import Noted
from services.consent.api.shown.lists import Issue, List, Lists
from services.consent.commands import issues, lists
from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from services.consent.model.issues import issue_key
from shared.web import Problem, Unbound, body_of, correlation, json_answer

ASKED: Final = "If mail reaches this address, a link to confirm it is under way."


async def listed(consenting: Consenting, _request: web.Request) -> web.Response:
    """List what can be asked for, and the feed that comes without an address (CRP-3f)."""
    rows = consenting.rows.lists.lists
    return json_answer(Lists(lists=tuple(List.like(row) for row in rows)))


async def subscribe(consenting: Consenting, request: web.Request) -> web.Response:
    """Ask for a list; the answer is the same for every address."""
    within_bounds(consenting, request)
    try:
        body = await body_of(request, Subscription)
    except Problem as problem:
        raise address_alone(problem) from None
    agreed(
        await lists.subscribe(
            consenting,
            request.match_info["list"],
            body.email,
            correlation=correlation(request),
        )
    )
    return json_answer(Noted(detail=ASKED), status=202)


async def send(consenting: Consenting, request: web.Request) -> web.Response:
    """Send an issue of a list to whoever asked for this list."""
    body = await body_of(request, NewIssue)
    listed = request.match_info["list"]
    state = agreed(await issues.ask(consenting, listed, body.issue, body.subject, body.text))
    where = {"Location": f"/lists/{listed}/issues/{state.issue}"}
    return json_answer(Issue.of(state), status=202, headers=where)


async def progress(consenting: Consenting, request: web.Request) -> web.Response:
    """Show how far the sending of an issue came."""
    key = issue_key(request.match_info["list"], request.match_info["issue"])
    state = await consenting.store.issues.load(key)
    if state is None:
        raise problem_of(Refusal("issue-unknown"))
    return json_answer(Issue.of(state))


ROUTES: Final = (
    Unbound("GET", "/lists", listed, "Lists that can be asked for", "none", responses={200: Lists}),
    Unbound(
        "POST",
        "/lists/{list}/subscriptions",
        subscribe,
        "Ask for a list with an address",
        "none",
        request=Subscription,
        responses={202: Noted},
    ),
    Unbound(
        "POST",
        "/lists/{list}/issues",
        send,
        "Send an issue of a list",
        "operator",
        request=NewIssue,
        responses={202: Issue},
    ),
    Unbound(
        "GET",
        "/lists/{list}/issues/{issue}",
        progress,
        "How far the sending of an issue came",
        "operator",
        responses={200: Issue},
    ),
)
