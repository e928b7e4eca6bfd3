"""Routes about keys: what became of them, for operators."""

from functools import partial
from typing import Final

from aiohttp import web

from services.retention.commands.keys import Keys
from shared.events.retention import KeysState
from shared.web import Problem, Route, json_answer

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


def routes(keys: Keys) -> list[Route]:
    """Return the routes."""
    return [
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
