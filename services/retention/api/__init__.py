"""The site of retention: what operators and people ask of it."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from services.retention.api.faults import FAULTS
from shared.runtime.health import Health
from shared.web import Callers, Info, Route, build_site

INFO: Final = Info(
    title="Colophon retention",
    version="1",
    description="What is due to go and what is held back, what people asked for as to their own "
    "data, and what became of it; with proof.",
)


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
