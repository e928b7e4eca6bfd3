"""What the links in mails to contacts lead to: a yes to a role, and a no in one click.

Opening a link changes nothing, for programs that read mail open links too; the button does. A link
that we did not make, and one whose contact was replaced, are answered alike.
"""

import html
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from services.accounts.api.problems import agreed, problem_of
from services.accounts.api.shown.contacts import Standing
from services.accounts.commands.contacts import links, seats
from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.contacts.links import Kind, Link
from services.accounts.commands.contacts.seats import SELF
from services.accounts.errors import Refusal
from services.accounts.model.contacts import KeptSeat
from shared.web import Unbound, correlation, json_answer, text_answer

ALONE: Final = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
SAID: Final[Mapping[str, str]] = {
    "agreed": "You agreed. Each mail has a link to leave by.",
    "left": "You get no more of this.",
}


async def show_agreement(contacting: Contacting, request: web.Request) -> web.Response:
    """Show the button that agrees."""
    _link(contacting, "agree", request)
    return _page("I agree to be this contact")


async def agree(contacting: Contacting, request: web.Request) -> web.Response:
    """Agree by the link that was mailed."""
    link = _link(contacting, "agree", request)
    state = agreed(await seats.agree(contacting, link, correlation=correlation(request)))
    return _shown(request, state, link)


async def show_opt_out(contacting: Contacting, request: web.Request) -> web.Response:
    """Show the button that leaves a role."""
    _link(contacting, "leave", request)
    return _page("No more mail for this role")


async def opt_out(contacting: Contacting, request: web.Request) -> web.Response:
    """Leave a role in one click, without signing in (RFC 8058)."""
    link = _link(contacting, "leave", request)
    state = agreed(
        await seats.leave(contacting, link, actor=SELF, correlation=correlation(request))
    )
    return _shown(request, state, link)


def _link(contacting: Contacting, kind: Kind, request: web.Request) -> Link:
    link = links.read(contacting, kind, request.match_info["token"])
    if link is None:
        raise problem_of(Refusal("link-void"))
    return link


def _shown(request: web.Request, state: KeptSeat, link: Link) -> web.Response:
    said = Standing.of(state, link.contact)
    if "text/html" in request.headers.get("Accept", ""):
        return _html(f"<p>{SAID[said.standing]}</p>")
    return json_answer(said, headers=ALONE)


def _page(says: str) -> web.Response:
    return _html(f'<form method="post"><button>{html.escape(says)}</button></form>')


def _html(body: str) -> web.Response:
    said = f'<!doctype html><html lang="en"><title>Colophon</title>{body}</html>'
    return text_answer(said, headers=ALONE, content_type="text/html; charset=utf-8")


ROUTES: Final = (
    Unbound(
        "GET",
        "/contact-agreements/{token}",
        show_agreement,
        "The button that agrees to a role",
        "none",
        responses={200: "A page with one button."},
    ),
    Unbound(
        "POST",
        "/contact-agreements/{token}",
        agree,
        "Agree to a role by the link that was mailed",
        "none",
        responses={200: Standing},
    ),
    Unbound(
        "GET",
        "/contact-opt-outs/{token}",
        show_opt_out,
        "The button that leaves a role",
        "none",
        responses={200: "A page with one button."},
    ),
    Unbound(
        "POST",
        "/contact-opt-outs/{token}",
        opt_out,
        "Leave a role in one click (RFC 8058)",
        "none",
        responses={200: Standing},
    ),
)
