"""Routes about reviews: what due clocks ask somebody to decide."""

from functools import partial

from aiohttp import web

from services.retention.api.keeping.bodies import NewDecision, ReviewsQuery
from services.retention.api.keeping.problems import agreed
from services.retention.api.keeping.shown import ReviewsView, ReviewView
from services.retention.commands.reviews import Reviews
from services.retention.model import reviews as model
from services.retention.model.reviews import Deciding
from services.retention.store.holding import page
from shared.web import Route, body_of, json_answer, query_of


async def listed(reviews: Reviews, request: web.Request) -> web.Response:
    """Show reviews."""
    query = query_of(request, ReviewsQuery)
    asked = query.model_dump(include={"open", "rule", "office"}, exclude_none=True)
    collection = reviews.store.collection
    rows = await page(collection, asked, after=query.cursor, most=query.rows)
    found = tuple(ReviewView.of(reviews.store.parse(row["state"])) for row in rows)
    more = len(rows) == query.rows
    return json_answer(ReviewsView(reviews=found, cursor=rows[-1]["_id"] if more else None))


async def shown(reviews: Reviews, request: web.Request) -> web.Response:
    """Show a review."""
    found = await reviews.store.load(request.match_info["review"]) or agreed(model.UNKNOWN)
    return json_answer(ReviewView.of(found))


async def decide(reviews: Reviews, request: web.Request) -> web.Response:
    """Decide a review, or agree to what another decided."""
    body = await body_of(request, NewDecision)
    said = Deciding(**body.model_dump(by_alias=False))
    return json_answer(
        ReviewView.of(agreed(await reviews.decide(request.match_info["review"], said)))
    )


def routes(reviews: Reviews) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            "GET",
            "/reviews",
            partial(listed, reviews),
            "What is to be decided, and what was",
            query=ReviewsQuery,
            responses={200: ReviewsView},
            auth="operator",
            tags=("reviews",),
        ),
        Route(
            "GET",
            "/reviews/{review}",
            partial(shown, reviews),
            "A review",
            responses={200: ReviewView},
            auth="operator",
            tags=("reviews",),
        ),
        Route(
            "POST",
            "/reviews/{review}/decide",
            partial(decide, reviews),
            "Decide that a record goes, stays until a day, or that nothing is left to do",
            request=NewDecision,
            responses={200: ReviewView},
            auth="operator",
            tags=("reviews",),
        ),
    ]
