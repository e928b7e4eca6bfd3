"""Routes about lists of records, and about past dates."""

from datetime import datetime
from functools import partial
from typing import Final

from aiohttp import web

from services.retention.api.keeping.bodies import AsOfQuery, ListQuery
from services.retention.api.keeping.problems import agreed
from services.retention.api.keeping.shown import ListView, StoodView
from services.retention.commands.reports import Reports
from services.retention.errors import Refusal
from shared.events.decisions import Refused
from shared.web import Route, json_answer, query_of

ACCOUNTS: Final = "account"


async def stale_accounts(reports: Reports, request: web.Request) -> web.Response:
    """List accounts without records that are old enough, and those of unknown age (DOAJ-6b2)."""
    query = query_of(request, ListQuery)
    at = _past(query.as_of or reports.clock.now(), reports)
    after = f"{ACCOUNTS}:{query.cursor}" if query.cursor else ""
    found = agreed(await reports.listed(ACCOUNTS, at, after=after, most=query.rows))
    return json_answer(ListView.of(found))


async def as_of(reports: Reports, request: web.Request) -> web.Response:
    """Say what was held, due or kept of a record on a past date, and by which version."""
    query = query_of(request, AsOfQuery)
    at = _past(query.at, reports)
    found = agreed(await reports.as_of(at, query.kind, query.record))
    return json_answer(StoodView.of(found, query.kind, query.record))


def _past(at: datetime, reports: Reports) -> datetime:
    if at > reports.clock.now():
        ahead = Refusal("date-ahead", "A preview says what is to come.", places=("/date",))
        return agreed(Refused(ahead))
    return at


def routes(reports: Reports) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            "GET",
            "/reports/stale-accounts",
            partial(stale_accounts, reports),
            "Accounts without records that are older than the schedule says",
            query=ListQuery,
            responses={200: ListView},
            auth="operator",
            tags=("reports",),
        ),
        Route(
            "GET",
            "/as-of",
            partial(as_of, reports),
            "How a record stood on a past date, and by which version of the schedule",
            query=AsOfQuery,
            responses={200: StoodView},
            auth="operator",
            tags=("reports",),
        ),
    ]
