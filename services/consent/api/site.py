"""The site of consent: its routes, who may ask, and its OpenAPI document."""

from aiohttp import web

from services.consent.api import (
    analytics,
    consents,
    exports,
    holders,
    links,
    lists,
    notices,
    registers,
    withdrawals,
)
from services.consent.api.problems import FAULTS
from services.consent.commands.context import Consenting
from shared.runtime.health import Health
from shared.web import Callers, Info, bound, build_site

INFO = Info(
    title="Colophon consent",
    version="1",
    description="Notices, consents, lists, processors, and the gate in front of personal data.",
)
ROOMS = (notices, lists, links, holders, consents, withdrawals, registers, exports, analytics)


def site(consenting: Consenting, *, health: Health, callers: Callers) -> web.Application:
    """Make the site."""
    return build_site(
        "consent",
        bound(consenting, ROOMS),
        health=health,
        callers=callers,
        info=INFO,
        headers={"Cache-Control": "private, no-cache"},
        faults=FAULTS,
    )
