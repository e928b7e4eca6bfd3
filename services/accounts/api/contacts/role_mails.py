"""Mail to the contacts of one role, by operators; the answer counts, and names nobody."""

from typing import Final

from aiohttp import web

from services.accounts.api.contacts.bodies import NewRoleMail
from services.accounts.api.problems import agreed, there
from services.accounts.api.shown.memberships import RoleMail
from services.accounts.commands.contacts import role_mails
from services.accounts.commands.contacts.context import Contacting
from shared.web import Unbound, body_of, caller_of, json_answer


async def send(contacting: Contacting, request: web.Request) -> web.Response:
    """Let a mail wait for each contact who may get it; asked again, count them again."""
    body = await body_of(request, NewRoleMail)
    mail = role_mails.RoleMail(
        body.request, body.purpose, body.subject, body.text, body.organisations
    )
    actor = caller_of(request).actor
    return json_answer(RoleMail.of(agreed(await role_mails.send(contacting, mail, actor=actor))))


async def one(contacting: Contacting, request: web.Request) -> web.Response:
    """Show how many a mail reached."""
    found = await contacting.store.role_mails.load(request.match_info["request"])
    return json_answer(RoleMail.of(there(found, "role-mail-unknown")))


ROUTES: Final = (
    Unbound(
        "POST",
        "/role-mails",
        send,
        "Mail the contacts of the one role that a purpose belongs to",
        "operator",
        request=NewRoleMail,
        responses={200: RoleMail},
    ),
    Unbound(
        "GET",
        "/role-mails/{request}",
        one,
        "Show how many a mail reached, and why others not",
        "operator",
        responses={200: RoleMail},
    ),
)
