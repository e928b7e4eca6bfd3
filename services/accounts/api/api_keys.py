"""API keys of people; a key's secret is shown once, to its holder."""

from typing import Final

from aiohttp import web

from services.accounts.api.bodies import NewKey
from services.accounts.api.persons import NO_STORE, actor_of, person_in
from services.accounts.api.problems import agreed
from services.accounts.api.shown.people import IssuedKey, Key, Keys
from services.accounts.api.shown.status import status
from services.accounts.commands import api_keys
from services.accounts.commands.api_keys import Made
from services.accounts.commands.persons import People
from shared.web import Unbound, body_of, correlation, json_answer


def _with_secret(made: Made) -> web.Response:
    shown = IssuedKey.made(made, status(pending=made.pending))
    return json_answer(shown, status=201, headers=NO_STORE)


async def issue(people: People, request: web.Request) -> web.Response:
    """Make a key."""
    actor, person = actor_of(request), person_in(request)
    body = await body_of(request, NewKey)
    made = await api_keys.issue(
        people, actor, person, body.scopes, correlation=correlation(request)
    )
    return _with_secret(agreed(made))


async def listed(people: People, request: web.Request) -> web.Response:
    """List a person's keys."""
    found = agreed(
        await api_keys.listed(
            people, actor_of(request), person_in(request), correlation=correlation(request)
        )
    )
    return json_answer(Keys(keys=tuple(Key.of(one) for one in found)))


async def rotate(people: People, request: web.Request) -> web.Response:
    """Make a key that takes another's place."""
    made = await api_keys.rotate(
        people,
        actor_of(request),
        person_in(request),
        request.match_info["key"],
        correlation=correlation(request),
    )
    return _with_secret(agreed(made))


async def revoke(people: People, request: web.Request) -> web.Response:
    """Void a key."""
    made = agreed(
        await api_keys.revoke(
            people,
            actor_of(request),
            person_in(request),
            request.match_info["key"],
            correlation=correlation(request),
        )
    )
    return web.Response(status=202 if made.pending else 204)


PLACE: Final = "/people/{person}/keys"
ROUTES: Final = (
    Unbound(
        "POST",
        PLACE,
        issue,
        "Make an API key; its secret is shown once",
        "caller",
        request=NewKey,
        responses={201: IssuedKey},
    ),
    Unbound("GET", PLACE, listed, "List API keys", "caller", responses={200: Keys}),
    Unbound(
        "POST",
        PLACE + "/{key}/rotations",
        rotate,
        "Make an API key that takes another's place",
        "caller",
        responses={201: IssuedKey},
    ),
    Unbound(
        "DELETE",
        PLACE + "/{key}",
        revoke,
        "Void an API key: its holder, or staff with `Colophon-Access-Reason: reset-api-key`",
        "caller",
        responses={204: "Void, in effect.", 202: "Void, not yet in effect everywhere."},
    ),
)
