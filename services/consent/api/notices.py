"""Notices: posted by operators, read by everybody."""

from typing import Final, NoReturn

from aiohttp import web

from services.consent.api import feeds
from services.consent.api.bodies import NoticeQuery
from services.consent.api.problems import agreed, problem_of
from services.consent.api.shown.notices import (
    Notice,
    Notices,
    NoticeText,
    Posted,
    PostedNotices,
)
from services.consent.commands import notices
from services.consent.commands.context import Consenting
from services.consent.errors import Refusal, Slug
from services.consent.model.notices import KeptNotice
from shared.events.consent import NoticeVersion
from shared.policy.consent import in_force
from shared.web import Unbound, correlation, json_answer, query_of


async def post(consenting: Consenting, request: web.Request) -> web.Response:
    """Post what the folder of notices has, all or none."""
    posted = agreed(await notices.post_all(consenting, correlation=correlation(request)))
    shown = tuple(Posted(**Notice.of(state).model_dump(), new=new) for state, new in posted)
    return json_answer(PostedNotices(notices=shown))


async def listed(consenting: Consenting, _request: web.Request) -> web.Response:
    """List every notice and its versions."""
    states = await consenting.store.all_notices()
    return json_answer(Notices(notices=tuple(Notice.of(state) for state in states)))


async def one(consenting: Consenting, request: web.Request) -> web.Response:
    """Show the version of a notice that is in force, or was at a moment."""
    at = query_of(request, NoticeQuery).at or consenting.now()
    state = await _named(consenting, request)
    return _whole(state, in_force(state, at))


async def version(consenting: Consenting, request: web.Request) -> web.Response:
    """Show one version of a notice, in force or not."""
    state = await _named(consenting, request)
    return _whole(state, state.at_label(request.match_info["label"]))


async def feed(consenting: Consenting, _request: web.Request) -> web.Response:
    """Give the changes of notices as JSON Feed."""
    said = feeds.json_feed(await consenting.store.all_notices(), consenting.public_url)
    return json_answer(said, content_type="application/feed+json")


async def atom(consenting: Consenting, _request: web.Request) -> web.Response:
    """Give the changes of notices as Atom."""
    said = feeds.atom_feed(await consenting.store.all_notices(), consenting.public_url)
    return web.Response(body=said, headers={"Content-Type": "application/atom+xml"})


async def _named(consenting: Consenting, request: web.Request) -> KeptNotice:
    state = await consenting.store.notices.load(request.match_info["notice"])
    return state or _raise("notice-unknown")


def _whole(state: KeptNotice, found: NoticeVersion | None) -> web.Response:
    shown = NoticeText.whole(state, found or _raise("notice-version-unknown"))
    return json_answer(shown, headers={"ETag": f'"{shown.sha256}"'})


def _raise(slug: Slug) -> NoReturn:
    raise problem_of(Refusal(slug))


ROUTES: Final = (
    Unbound(
        "POST",
        "/notices",
        post,
        "Post the notices of the folder",
        "operator",
        responses={200: PostedNotices},
    ),
    Unbound("GET", "/notices", listed, "List notices", "none", responses={200: Notices}),
    Unbound(
        "GET",
        "/notices/feed.json",
        feed,
        "Changes of notices as JSON Feed",
        "none",
        responses={200: "JSON Feed 1.1."},
    ),
    Unbound(
        "GET",
        "/notices/feed.atom",
        atom,
        "Changes of notices as Atom",
        "none",
        responses={200: "Atom."},
    ),
    Unbound(
        "GET",
        "/notices/{notice}",
        one,
        "The version in force, or at a moment",
        "none",
        query=NoticeQuery,
        responses={200: NoticeText},
    ),
    Unbound(
        "GET",
        "/notices/{notice}/{label}",
        version,
        "One version",
        "none",
        responses={200: NoticeText},
    ),
)
