"""Routes about holds. Who asks, agrees and releases names themselves."""

from datetime import date
from functools import partial
from typing import Final

from aiohttp import web

from services.retention.api.keeping.bodies import (
    Agreeing,
    HoldsQuery,
    LookingAgain,
    NewHold,
    PageQuery,
    Releasing,
)
from services.retention.api.keeping.problems import agreed
from services.retention.api.keeping.shown import (
    HoldsView,
    HoldView,
    MembersView,
    MemberView,
    PlacedView,
)
from services.retention.commands.holds import Holds
from services.retention.model import holds as model
from services.retention.model.holds import Asked, KeptHold, Signed
from services.retention.store.holding import page
from shared.web import Problem, Route, body_of, json_answer, query_of

FIRST: Final = 100  # of what a new hold names, shown at once
LONGEST: Final = 200


async def place(holds: Holds, request: web.Request) -> web.Response:
    """Place a hold; twice with one Idempotency-Key is once."""
    body = await body_of(request, NewHold)
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST:
        raise Problem(422, "idempotency-key-invalid", "An Idempotency-Key has 1 to 200 characters")
    asked = Asked(
        matter=body.matter,
        reason=body.reason,
        placed_by=body.placed_by,
        review_on=body.review_on,
        records=body.records,
        keys=body.keys,
        scope=body.scope.scope() if body.scope else None,
    )
    hold = agreed(await holds.place(asked, key))
    members = await holds.store.members_of(hold.hold, after="", most=FIRST)
    shown = PlacedView(
        **dict(HoldView.of(hold, today(holds))), on=tuple(map(MemberView.of, members))
    )
    return json_answer(shown, status=201, headers={"Location": f"/holds/{hold.hold}"})


async def listed(holds: Holds, request: web.Request) -> web.Response:
    """Show holds."""
    query = query_of(request, HoldsQuery)
    asked = {
        name: value
        for name, value in (
            ("matter", query.matter),
            ("reason", query.reason),
            ("standing", True if query.overdue else query.standing),
        )
        if value is not None
    }
    found: list[HoldView] = []
    day, cursor = today(holds), query.cursor
    while len(found) < query.rows:
        rows = await page(holds.store.holds.collection, asked, after=cursor, most=query.rows)
        for row in rows:
            cursor = row["_id"]
            one = holds.store.holds.parse(row["state"])
            if not query.overdue or one.review_on <= day:
                found.append(HoldView.of(one, day))
            if len(found) == query.rows:
                break
        else:
            if len(rows) < query.rows:
                cursor = ""
                break
    return json_answer(HoldsView(holds=tuple(found), cursor=cursor or None))


async def shown(holds: Holds, request: web.Request) -> web.Response:
    """Show a hold."""
    return _answer(holds, await _known(holds, request))


async def records(holds: Holds, request: web.Request) -> web.Response:
    """Show what is under a hold, and what became of its keys."""
    query, hold = query_of(request, PageQuery), await _known(holds, request)
    after = f"{hold.hold}|{query.cursor}" if query.cursor else ""
    found = await holds.store.members_of(hold.hold, after=after, most=query.rows)
    more = len(found) == query.rows
    answer = MembersView(
        records=tuple(map(MemberView.of, found)),
        count=await holds.store.count(hold.hold),
        cursor=found[-1].member.partition("|")[2] if more else None,
    )
    return json_answer(answer)


async def approve(holds: Holds, request: web.Request) -> web.Response:
    """Agree to a hold that another asked for (DOAJ-6a4, 6a5)."""
    body = await body_of(request, Agreeing)
    return _answer(holds, agreed(await holds.approve(request.match_info["hold"], body.by)))


async def look_again(holds: Holds, request: web.Request) -> web.Response:
    """Say that a hold goes on."""
    body = await body_of(request, LookingAgain)
    signed = Signed(by=body.by, at=holds.clock.now(), why=body.why, review_on=body.review_on)
    return _answer(holds, agreed(await holds.look_again(request.match_info["hold"], signed)))


async def release(holds: Holds, request: web.Request) -> web.Response:
    """End a hold."""
    body = await body_of(request, Releasing)
    signed = Signed(by=body.by, at=holds.clock.now(), why=body.why)
    return _answer(holds, agreed(await holds.release(request.match_info["hold"], signed)))


def today(holds: Holds) -> date:
    """Return the day in the schedule's zone."""
    return holds.clock.now().astimezone(holds.schedules.current().zone).date()


async def _known(holds: Holds, request: web.Request) -> KeptHold:
    return await holds.store.holds.load(request.match_info["hold"]) or agreed(model.UNKNOWN)


def _answer(holds: Holds, hold: KeptHold) -> web.Response:
    return json_answer(HoldView.of(hold, today(holds)))


def routes(holds: Holds) -> list[Route]:
    """Return the routes."""
    one = "/holds/{hold}"
    return [
        Route(
            "POST",
            "/holds",
            partial(place, holds),
            "Place a hold, or ask for one that others must agree to",
            request=NewHold,
            responses={201: PlacedView},
            auth="operator",
            tags=("holds",),
        ),
        Route(
            "GET",
            "/holds",
            partial(listed, holds),
            "Holds",
            query=HoldsQuery,
            responses={200: HoldsView},
            auth="operator",
            tags=("holds",),
        ),
        Route(
            "GET",
            one,
            partial(shown, holds),
            "A hold",
            responses={200: HoldView},
            auth="operator",
            tags=("holds",),
        ),
        Route(
            "GET",
            one + "/records",
            partial(records, holds),
            "What is under a hold",
            query=PageQuery,
            responses={200: MembersView},
            auth="operator",
            tags=("holds",),
        ),
        *(
            Route(
                "POST",
                f"{one}/{verb}",
                partial(handler, holds),
                summary,
                request=body,
                responses={200: HoldView},
                auth="operator",
                tags=("holds",),
            )
            for verb, handler, body, summary in (
                ("approve", approve, Agreeing, "Agree to a hold that another asked for"),
                ("review", look_again, LookingAgain, "Say that a hold goes on, and until when"),
                ("release", release, Releasing, "End a hold"),
            )
        ),
    ]
