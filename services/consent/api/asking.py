"""How often one network may ask for mail to an address; kept in this process alone."""

import math

from aiohttp import web

from services.consent.commands.context import Consenting
from shared.web import Problem
from shared.web.backoff import Patience, network


def within_bounds(consenting: Consenting, request: web.Request) -> None:
    """Count one more, or refuse it; raises ``Problem`` 429."""
    row = consenting.rows.lists.asking
    patience = Patience(
        row.free, row.wait_at_most.total_seconds(), row.forgotten_after.total_seconds()
    )
    who = ("asking", network(request.remote or "unknown"))
    wait = consenting.asked.wait([(who, patience)])
    if wait > 0:
        said = {"Retry-After": str(math.ceil(wait))}
        title = "Mail was asked for too often from here"
        raise Problem(429, "too-many-asks", title, "Ask again later.", headers=said)
    consenting.asked.failed([who])
