"""Who obeys a withdrawal since when, and how long that takes."""

from typing import Final

from aiohttp import web

from services.consent.api.problems import agreed
from services.consent.api.shown.withdrawals import Propagation, Receipt, Took
from services.consent.commands import withdrawals
from services.consent.commands.context import Consenting
from shared.web import Unbound, json_answer


async def propagation(consenting: Consenting, _request: web.Request) -> web.Response:
    """Show how long withdrawals took of late until each service denied."""
    measured = await withdrawals.measured(consenting)
    return json_answer(Propagation(services=tuple(Took.like(one) for one in measured)))


async def one(consenting: Consenting, request: web.Request) -> web.Response:
    """Show who obeys a withdrawal since when."""
    found = await withdrawals.look_up(consenting, request.match_info["withdrawal"])
    return json_answer(Receipt.like(agreed(found)))


ROUTES: Final = (
    Unbound(
        "GET",
        "/withdrawals",
        propagation,
        "How long withdrawals take to count",
        "operator",
        responses={200: Propagation},
    ),
    Unbound(
        "GET",
        "/withdrawals/{withdrawal}",
        one,
        "Who obeys a withdrawal since when",
        "operator",
        responses={200: Receipt},
    ),
)
