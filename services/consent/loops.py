"""The loops of consent: each takes one step after the other, and rests where nothing is due."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

Step = Callable[[], Awaitable[bool]]

log = get_log(__name__)


async def step_forever(
    name: str,
    step: Step,
    draining: asyncio.Event,
    *,
    health: Health,
    every: float,
    wake: asyncio.Event | None = None,
) -> None:
    """Take steps until told to drain, and a last one then.

    One that says that there may be more is followed at once; otherwise the next one is taken after
    ``every`` seconds, or when ``wake`` is set.
    """
    health.promise(name, within=max(60.0, 3 * every))
    woken = wake or asyncio.Event()
    last = False
    while not last:
        last, more = draining.is_set(), False
        woken.clear()
        try:
            more = await step()
        except (Transient, Busy) as fault:
            log.warning("loop interrupted", loop=name, reason=str(fault))
        health.beat(name)
        if not more and not last:
            await wait_any(draining, woken, timeout=every)
    health.retire(name)
