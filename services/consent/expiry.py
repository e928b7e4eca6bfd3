"""The loop that writes down which consents became too old; they count for nothing before that."""

import asyncio

from services.consent.commands.consents import expire_due
from services.consent.commands.context import Consenting
from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

PAGE = 100

log = get_log(__name__)


async def expire_forever(
    consenting: Consenting, draining: asyncio.Event, *, health: Health, every: float
) -> None:
    """Look for them until told to drain."""
    health.promise("expiry", within=max(60.0, 3 * every))
    while not draining.is_set():
        done = 0
        try:
            done = await expire_due(consenting, most=PAGE)
        except (Transient, Busy) as fault:
            log.warning("expiry interrupted", reason=str(fault))
        health.beat("expiry")
        if done < PAGE:
            await wait_any(draining, timeout=every)
    health.retire("expiry")
