"""Routes by which people ask by themselves: constant answers, limited tries, no oracle."""

import math
from typing import Final

from aiohttp import web

from services.retention.api.requests.bodies import OwnRequest, ShownCode
from services.retention.api.requests.desk import NO_STORE
from services.retention.api.requests.problems import agreed, problem_of
from services.retention.api.requests.shown import Asked, Confirmed
from services.retention.commands.requests import confirming
from services.retention.commands.requests.context import Requests
from services.retention.model.requests.errors import Refusal
from shared.events.decisions import Refused
from shared.policy.requests import Limit
from shared.web import Unbound, body_of, correlation, json_answer
from shared.web.backoff import network

ASKS: Final = "asks-of-a-client"
TRIED: Final = "codes-tried-by-a-client"


async def ask(requests: Requests, request: web.Request) -> web.Response:
    """Take an ask; a code goes by mail to the address in it, whoever that is."""
    client = network(request.remote or "unknown")
    _within(requests, ASKS, client)
    body = await body_of(request, OwnRequest)
    requests.quotas.count(ASKS, client)
    confirmation = agreed(
        await confirming.ask(
            requests,
            email=body.email,
            name=body.name,
            text=body.text,
            kinds=tuple(dict.fromkeys(body.kinds)),
        )
    )
    return json_answer(Asked(confirmation=confirmation), status=202, headers=NO_STORE)


async def confirm(requests: Requests, request: web.Request) -> web.Response:
    """Use a code."""
    client = network(request.remote or "unknown")
    _within(requests, TRIED, client)
    body = await body_of(request, ShownCode)
    done = await confirming.confirm(
        requests,
        confirmation=body.confirmation,
        code=body.code.get_secret_value(),
        correlation=correlation(request),
    )
    if isinstance(done, Refused):
        requests.quotas.count(TRIED, client)
    state = agreed(done)
    return json_answer(Confirmed(request=state.request, status=state.status), headers=NO_STORE)


def _within(requests: Requests, limit: Limit, client: str) -> None:
    """Refuse a client that has had its share; raises ``Problem`` 429."""
    wait = requests.quotas.wait(limit, client)
    if wait > 0:
        problem = problem_of(Refusal("too-many-asks"))
        problem.headers = {"Retry-After": str(math.ceil(wait))}
        raise problem


ROUTES: Final = (
    Unbound(
        "POST",
        "/requests/self",
        ask,
        "Ask by oneself; the answer is the same whoever asks, and a code goes by mail",
        "none",
        request=OwnRequest,
        responses={202: Asked},
    ),
    Unbound(
        "POST",
        "/requests/confirmations",
        confirm,
        "Use the mailed code, so that the request counts",
        "none",
        request=ShownCode,
        responses={200: Confirmed},
    ),
)
