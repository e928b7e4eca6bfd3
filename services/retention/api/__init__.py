"""The site of retention: what operators and people ask of it."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from shared.privacy.keyring import FencedError
from shared.runtime.health import Health
from shared.web import Callers, Info, Problem, Route, build_site
from shared.web.refusals import PASSING, Faults, fenced

INFO: Final = Info(
    title="Colophon retention",
    version="1",
    description="What is due to go and what is held back, what people asked for as to their own "
    "data, and what became of it; with proof.",
)

FAULTS: Final[Faults] = {
    **PASSING,
    FencedError: fenced(lambda: Problem(410, "details-gone", "What was written was erased")),
}


def site(routes: Sequence[Route], *, health: Health, callers: Callers) -> web.Application:
    """Make the site."""
    return build_site(
        "retention",
        routes,
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )
