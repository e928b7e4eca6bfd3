"""Lists: shown to everybody, asked for with an address alone."""

from typing import Final

from aiohttp import web

from services.consent.api.asking import within_bounds
from services.consent.api.bodies import NewIssue, Subscription
from services.consent.api.problems import address_alone, agreed
from services.consent.api.shown import List, Lists, Noted, Sent
from services.consent.commands import lists
from services.consent.commands.context import Consenting
from shared.web import Problem, Unbound, body_of, correlation, json_answer

ASKED: Final = "If mail reaches this address, a link to confirm it is under way."


async def listed(consenting: Consenting, _request: web.Request) -> web.Response:
    """List what can be asked for, and the feed that comes without an address (CRP-3f)."""
    rows = consenting.rows.lists.lists
    return json_answer(Lists(lists=tuple(List.of(row) for row in rows)))


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
    done = agreed(
        await lists.send(
            consenting, request.match_info["list"], body.issue, body.subject, body.text
        )
    )
    shown = Sent(posted=done.posted, refused=done.refused, unreadable=done.unreadable)
    return json_answer(shown, status=202)


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
        responses={202: Sent},
    ),
)
