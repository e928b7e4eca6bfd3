"""Page views come in without anybody in them; totals go out.

Of a request nothing is read but its body: no address, no agent, no cookie, no credential.
"""

from datetime import timedelta
from typing import Final

from aiohttp import web

from services.consent.api.bodies import DaysQuery, SeenPage
from services.consent.api.problems import agreed
from services.consent.api.shown.analytics import Totals, Value
from services.consent.commands import analytics
from services.consent.commands.context import Consenting
from services.consent.model.analytics import PageView
from shared.web import Unbound, body_of, json_answer, query_of

LATELY: Final = timedelta(days=29)  # before today, where no day is named


async def note(consenting: Consenting, request: web.Request) -> web.Response:
    """Count a page view."""
    body = await body_of(request, SeenPage)
    view = PageView(
        page=body.page,
        referrer=body.referrer,
        country=body.country,
        exit_page=body.page if body.exit else None,
    )
    analytics.note(consenting, view)
    return web.Response(status=204)


async def totals(consenting: Consenting, request: web.Request) -> web.Response:
    """Tell totals of days."""
    query = query_of(request, DaysQuery)
    until = query.until or consenting.now().date()
    begin = query.begin or until - LATELY
    found = agreed(await analytics.totals(consenting, begin, until, query.dimension))
    shown = Totals(
        begin=begin,
        until=until,
        smallest=consenting.rows.analytics.counting.smallest,
        totals={
            name: tuple(Value(value=value, times=times) for value, times in sums.items())
            for name, sums in found.items()
        },
    )
    return json_answer(shown)


ROUTES: Final = (
    Unbound(
        "POST",
        "/page-views",
        note,
        "Count a page view",
        "none",
        request=SeenPage,
        responses={204: "Counted."},
    ),
    Unbound(
        "GET",
        "/analytics",
        totals,
        "Totals of page views",
        "operator",
        query=DaysQuery,
        responses={200: Totals},
    ),
)
