"""What staff enter and look up on a person's behalf."""

from typing import Final

from aiohttp import web

from services.consent.api.bodies import Entered, WhoIsIt
from services.consent.api.links import consents_of
from services.consent.api.problems import agreed
from services.consent.api.shown.consents import Consent, Consents
from services.consent.commands import consents, people
from services.consent.commands.consents import Staff
from services.consent.commands.context import Consenting
from shared.web import Unbound, body_of, correlation, json_answer


async def enter(consenting: Consenting, request: web.Request) -> web.Response:
    """Enter a yes or a no that came by letter, e-mail or telephone."""
    body = await body_of(request, Entered)
    settled = agreed(
        await consents.enter(
            consenting,
            body.email,
            request.match_info["purpose"],
            Staff(body.consent, body.channel, body.said_at, body.evidence),
            correlation=correlation(request),
        )
    )
    state = settled.consent
    worth = await consenting.worth([state.subject], state.purpose)
    return json_answer(Consent.settled(settled, worth), status=202 if settled.pending else 200)


async def look_up(consenting: Consenting, request: web.Request) -> web.Response:
    """Show what an address said yes or no to; asked by POST, for no address stands in a URL."""
    body = await body_of(request, WhoIsIt)
    person = agreed(await people.known(consenting, body.email))
    return json_answer(await consents_of(consenting, person))


ROUTES: Final = (
    Unbound(
        "PUT",
        "/consents/{purpose}",
        enter,
        "Enter what somebody said to staff",
        "operator",
        request=Entered,
        responses={200: Consent, 202: Consent},
    ),
    Unbound(
        "POST",
        "/consents/look-up",
        look_up,
        "What an address said yes or no to",
        "operator",
        request=WhoIsIt,
        responses={200: Consents},
    ),
)
