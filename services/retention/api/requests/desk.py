"""Routes by which staff put requests on record and handle them."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from services.retention.api.requests.bodies import (
    Answering,
    Assessment,
    Assignment,
    Confirmation,
    Done,
    Extending,
    NewRequest,
    Pausing,
    Refusing,
    RequestsQuery,
)
from services.retention.api.requests.problems import agreed, problem_of
from services.retention.api.requests.shown import RequestItem, RequestsPage, RequestView
from services.retention.commands.requests import confirming, receiving
from services.retention.commands.requests.context import Requests
from services.retention.commands.requests.handling import Desk
from services.retention.commands.requests.handling import Done as Saved
from services.retention.commands.requests.receiving import Letter
from services.retention.model.requests import deadlines
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import KeptRequest, Representative, Requester
from shared.web import Body, Problem, Unbound, body_of, correlation, json_answer, query_of

NO_STORE: Final = {"Cache-Control": "no-store"}
OPERATOR: Final = "operator"
KEY: Final = "Idempotency-Key"
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CURSOR: Final = re.compile(r"[0-9]{13}-[0-9a-f-]{36}")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


async def register(requests: Requests, request: web.Request) -> web.Response:
    """Put a request on record."""
    body = await body_of(request, NewRequest)
    who, behalf = body.requester, body.representative
    letter = Letter(
        kinds=tuple(dict.fromkeys(body.kinds)),
        channel=body.channel,
        received_at=body.received_at,
        requester=Requester(
            name=who.name,
            email=who.email,
            post=who.post,
            on_file=" ".join(who.on_file) or None,
            text=body.text,
        ),
        representative=None if behalf is None else Representative(**dict(behalf)),
        against=body.against,
        about_request=body.about_request,
    )
    state = agreed(
        await receiving.register(
            requests,
            letter,
            key=_key_in(request),
            actor=OPERATOR,
            correlation=correlation(request),
        )
    )
    return _shown(requests, state, status=201)


async def listed(requests: Requests, request: web.Request) -> web.Response:
    """List requests, without who asks."""
    query = query_of(request, RequestsQuery)
    if query.cursor is not None and _CURSOR.fullmatch(query.cursor) is None:
        raise problem_of(Refusal("cursor-unreadable"))
    found = await (_urgent if query.due_before else _newest)(requests, query)
    more = len(found) > query.rows
    page = found[: query.rows]
    following = None
    if more:
        asked = query.model_dump(
            mode="json", exclude={"cursor"}, exclude_defaults=True, by_alias=True
        )
        following = f"{MANY}?{urlencode({**asked, 'cursor': page[-1].place})}"
    items = tuple(RequestItem.of(one, requests) for one in page)
    return json_answer(RequestsPage(items=items, next=following), headers=NO_STORE)


async def _newest(requests: Requests, query: RequestsQuery) -> list[KeptRequest]:
    return await requests.store.newest(
        kind=query.kind, status=query.state, before=query.cursor, most=query.rows + 1
    )


async def _urgent(requests: Requests, query: RequestsQuery) -> list[KeptRequest]:
    """Return open requests whose nearest limit comes before a moment: dozens at most."""
    assert query.due_before is not None
    now = requests.now()
    found = sorted(
        (deadlines.due_at(one, requests.policy, now), one.request, one)
        for one in await requests.store.requests.where(open=True)
        if query.kind in (None, *one.kinds) and query.state in (None, one.status)
    )
    urgent = [one for due, _, one in found if due < query.due_before]
    behind = next((place + 1 for place, one in enumerate(urgent) if one.place == query.cursor), 0)
    return urgent[behind : behind + query.rows + 1]


async def shown(requests: Requests, request: web.Request) -> web.Response:
    """Show a request with who asks."""
    state = await requests.store.requests.load(_request_in(request))
    if state is None:
        raise problem_of(Refusal("request-unknown"))
    room, stands = requests.rooms.erasing, None
    if room is not None and state.erasure is not None:
        stands = await room.stands(state.erasure)
    view = RequestView.whole(await requests.opened(state), requests, stands)
    return json_answer(view, headers=NO_STORE)


async def confirm(requests: Requests, request: web.Request) -> web.Response:
    """Write down who asks, or mail a code."""
    body, name = await body_of(request, Confirmation), _request_in(request)
    if body.by_code:
        state = agreed(
            await confirming.ask_code(
                requests, name, actor=OPERATOR, correlation=correlation(request)
            )
        )
        return _shown(requests, state, status=202)
    done = await _desk(requests, request).confirm(
        name,
        identity=body.identity,
        evidence=body.evidence,
        authority=body.authority,
        authority_evidence=body.authority_evidence,
    )
    return _shown(requests, agreed(done))


async def assign(desk: Desk, name: str, body: Assignment) -> Saved:
    """Give it to somebody else."""
    return await desk.assign(name, handler=body.handler)


async def assess(desk: Desk, name: str, body: Assessment) -> Saved:
    """Decide that it is done."""
    return await desk.assess(
        name, exempt=[(one.cls, one.reason, one.review_at) for one in body.exempt]
    )


async def pause(desk: Desk, name: str, body: Pausing) -> Saved:
    """Let it wait for the person."""
    return await desk.pause(name, reason=body.reason)


async def extend(desk: Desk, name: str, body: Extending) -> Saved:
    """Take more time."""
    return await desk.extend(name, reason=body.reason, text=body.text, by_letter=body.by_letter)


async def refuse(desk: Desk, name: str, body: Refusing) -> Saved:
    """Answer with a no."""
    return await desk.refuse(name, reason=body.reason, text=body.text, by_letter=body.by_letter)


async def answer(desk: Desk, name: str, body: Answering) -> Saved:
    """Answer."""
    return await desk.answer(name, text=body.text, by_letter=body.by_letter)


async def bare(
    verb: Callable[[Desk, str], Awaitable[Saved]], requests: Requests, request: web.Request
) -> web.Response:
    """Do what takes nothing more."""
    done = await verb(_desk(requests, request), _request_in(request))
    return _shown(requests, agreed(done))


async def said(
    verb: Callable[[Desk, str, Body], Awaitable[Saved]],
    kind: type[Body],
    requests: Requests,
    request: web.Request,
) -> web.Response:
    """Do what its body says."""
    body = await body_of(request, kind)
    done = await verb(_desk(requests, request), _request_in(request), body)
    return _shown(requests, agreed(done))


async def do(requests: Requests, request: web.Request) -> web.Response:
    """Write down that a task was done."""
    body = await body_of(request, Done)
    done = await _desk(requests, request).do(
        _request_in(request),
        task=request.match_info["task"],
        outcome=body.outcome,
        evidence=body.evidence,
    )
    return _shown(requests, agreed(done))


def _desk(requests: Requests, request: web.Request) -> Desk:
    return Desk(requests, OPERATOR, correlation(request))


def _shown(requests: Requests, state: KeptRequest, *, status: int = 200) -> web.Response:
    return json_answer(RequestItem.of(state, requests), status=status, headers=NO_STORE)


def _request_in(request: web.Request) -> str:
    name = request.match_info["request"]
    if _UUID.fullmatch(name) is None:
        raise problem_of(Refusal("request-unknown"))
    return name


def _key_in(request: web.Request) -> str | None:
    key = request.headers.get(KEY)
    if key is not None and _KEY.fullmatch(key) is None:
        raise Problem(400, "key-unreadable", f"{KEY} has 1 to 200 visible ASCII characters")
    return key


MANY: Final = "/requests"
ONE: Final = MANY + "/{request}"


def _verb(
    name: str, verb: Callable[[Desk, str, Body], Awaitable[Saved]], kind: type[Body], says: str
) -> Unbound:
    return Unbound(
        "POST",
        f"{ONE}/{name}",
        partial(said, verb, kind),
        says,
        "operator",
        request=kind,
        responses={200: RequestItem},
    )


ROUTES: Final = (
    Unbound(
        "POST",
        MANY,
        register,
        "Put a request on record that came in any form; `Idempotency-Key` makes a repeat safe",
        "operator",
        request=NewRequest,
        responses={201: RequestItem},
    ),
    Unbound(
        "GET",
        MANY,
        listed,
        "List requests without who asks: newest first, or by limit with `due-before`",
        "operator",
        query=RequestsQuery,
        responses={200: RequestsPage},
    ),
    Unbound(
        "GET",
        ONE,
        shown,
        "Read a request with who asks, in clear",
        "operator",
        responses={200: RequestView},
    ),
    Unbound(
        "POST",
        ONE + "/confirm",
        confirm,
        "Write down who asks and that a representative may, or mail the person a code",
        "operator",
        request=Confirmation,
        responses={200: RequestItem, 202: RequestItem},
    ),
    _verb("assign", assign, Assignment, "Give a request to somebody whom it is not about"),  # type: ignore[arg-type]
    _verb("assess", assess, Assessment, "Decide to do it: its tasks, and what an erasure keeps"),  # type: ignore[arg-type]
    _verb("pause", pause, Pausing, "Let the limits wait for the person"),  # type: ignore[arg-type]
    Unbound(
        "POST",
        ONE + "/resume",
        partial(bare, Desk.resume),
        "Let the limits run on",
        "operator",
        responses={200: RequestItem},
    ),
    _verb("extend", extend, Extending, "Take more time, within the first period, and say why"),  # type: ignore[arg-type]
    Unbound(
        "POST",
        ONE + "/tasks/{task}",
        do,
        "Write down that a task was done, with its evidence",
        "operator",
        request=Done,
        responses={200: RequestItem},
    ),
    _verb("answer", answer, Answering, "Answer, once all that was asked is done"),  # type: ignore[arg-type]
    _verb("refuse", refuse, Refusing, "Answer with a no, and why"),  # type: ignore[arg-type]
    Unbound(
        "POST",
        ONE + "/take-back",
        partial(bare, Desk.take_back),
        "End a request that the person wants no more",
        "operator",
        responses={200: RequestItem},
    ),
)
