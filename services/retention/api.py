"""The site of retention: what became of keys, for operators."""

from functools import partial
from typing import Final

from aiohttp import web

from services.retention.commands import Keys
from shared.events.retention import KeysState
from shared.runtime.health import Health
from shared.web import Callers, Info, Problem, Route, build_site, json_answer

INFO: Final = Info(
    title="Colophon retention",
    version="1",
    description="What became of the keys that personal data is encrypted under.",
)
UNKNOWN: Final = Problem(404, "keys-unknown", "No keys are known by this name.")


class KeysView(KeysState):
    """The keys of one person in one retention class, as operators see them; never a key."""

    units: tuple[str, ...]


async def shown(keys: Keys, request: web.Request) -> web.Response:
    """Show what became of a person's keys of one class, and which records have one."""
    found = await keys.shown(request.match_info["keys"])
    if found is None:
        raise UNKNOWN
    said = {name: getattr(found, name) for name in KeysState.model_fields}
    return json_answer(KeysView(**said, units=tuple(found.units)))


def site(keys: Keys, *, health: Health, callers: Callers) -> web.Application:
    """Make the site."""
    routes = [
        Route(
            "GET",
            "/keys/{keys}",
            partial(shown, keys),
            "Show what became of a person's keys of one class",
            responses={200: KeysView},
            auth="operator",
            tags=("keys",),
        )
    ]
    return build_site(
        "retention",
        routes,
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
    )
