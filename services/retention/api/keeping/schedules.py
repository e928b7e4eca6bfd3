"""Routes about versions of the schedule: nothing counts before it was previewed and approved."""

from functools import partial

from aiohttp import web

from services.retention.api.keeping.bodies import Agreeing, NewVersion, Releasing
from services.retention.api.keeping.problems import agreed
from services.retention.api.keeping.shown import VersionsView, VersionView, WholeVersionView
from services.retention.commands.schedules import Changing
from services.retention.model import schedules as model
from services.retention.model.previews import Preview
from services.retention.model.schedules import KeptSchedule
from shared.web import Route, body_of, json_answer


async def publish(changing: Changing, request: web.Request) -> web.Response:
    """Publish a version."""
    body = await body_of(request, NewVersion)
    done = agreed(await changing.publish(body.text, by=body.by, starts=body.starts))
    where = {"Location": f"/schedules/{done.schedule}"}
    return json_answer(await _view(changing, done), status=201, headers=where)


async def listed(changing: Changing, _request: web.Request) -> web.Response:
    """Show every version."""
    every = await changing.versions.every()
    now = model.in_force(every, changing.clock.now())
    return json_answer(VersionsView(schedules=tuple(VersionView.of(one, now) for one in every)))


async def shown(changing: Changing, request: web.Request) -> web.Response:
    """Show a version, with its text and its last preview."""
    known = await changing.versions.store.load(request.match_info["schedule"])
    found = known or agreed(model.UNKNOWN)
    now = model.in_force(await changing.versions.every(), changing.clock.now())
    return json_answer(WholeVersionView.of(found, now, text=found.text, preview=found.preview))


async def preview(changing: Changing, request: web.Request) -> web.Response:
    """Say what a version would do, over every record, before anything happens."""
    done = agreed(await changing.preview(request.match_info["schedule"]))
    assert done.preview is not None  # it was just made
    return json_answer(done.preview)


async def approve(changing: Changing, request: web.Request) -> web.Response:
    """Approve a version that another published."""
    body = await body_of(request, Agreeing)
    done = agreed(await changing.approve(request.match_info["schedule"], body.by))
    return json_answer(await _view(changing, done))


async def withdraw(changing: Changing, request: web.Request) -> web.Response:
    """Take a version back before it counts."""
    body = await body_of(request, Releasing)
    done = agreed(await changing.withdraw(request.match_info["schedule"], body.by, body.why))
    return json_answer(await _view(changing, done))


async def _view(changing: Changing, done: KeptSchedule) -> VersionView:
    now = model.in_force(await changing.versions.every(), changing.clock.now())
    view: VersionView = VersionView.of(done, now)
    return view


def routes(changing: Changing) -> list[Route]:
    """Return the routes."""
    one = "/schedules/{schedule}"
    return [
        Route(
            "POST",
            "/schedules",
            partial(publish, changing),
            "Publish a version of the schedule",
            request=NewVersion,
            responses={201: VersionView},
            auth="operator",
            tags=("schedules",),
        ),
        Route(
            "GET",
            "/schedules",
            partial(listed, changing),
            "Every version of the schedule, and which is in force",
            responses={200: VersionsView},
            auth="operator",
            tags=("schedules",),
        ),
        Route(
            "GET",
            one,
            partial(shown, changing),
            "A version of the schedule",
            responses={200: WholeVersionView},
            auth="operator",
            tags=("schedules",),
        ),
        Route(
            "POST",
            one + "/preview",
            partial(preview, changing),
            "Who becomes due by a version, and when, before anything happens",
            responses={200: Preview},
            auth="operator",
            tags=("schedules",),
        ),
        Route(
            "POST",
            one + "/approve",
            partial(approve, changing),
            "Approve a version that another published",
            request=Agreeing,
            responses={200: VersionView},
            auth="operator",
            tags=("schedules",),
        ),
        Route(
            "POST",
            one + "/withdraw",
            partial(withdraw, changing),
            "Take a version back before it counts",
            request=Releasing,
            responses={200: VersionView},
            auth="operator",
            tags=("schedules",),
        ),
    ]
