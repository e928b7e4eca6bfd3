"""The loop of work that is done in steps, again and again, with a rest in between."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

Step = Callable[[], Awaitable[bool]]
SOON: Final = 0.02  # seconds between the first two questions of who waits for an answer
RARELY: Final = 0.32  # seconds between two questions, at most
LONGER: Final = 1.5  # each pause is so many times the one before

log = get_log(__name__)


async def step_forever(
    name: str,
    step: Step,
    draining: asyncio.Event,
    *,
    health: Health,
    every: float,
    within: float,
    wake: asyncio.Event | None = None,
    last: bool = False,
) -> None:
    """Take steps until told to drain; with ``last`` one more is taken then.

    One that says that there may be more is followed at once; otherwise the next one is taken after
    ``every`` seconds, or when ``wake`` is set; so is one that failed for now. Where none ends for
    ``within`` seconds, the loop counts as stalled.
    """
    health.promise(name, within=within)
    woken = wake or asyncio.Event()
    ending = False
    while not ending and (last or not draining.is_set()):
        ending, more = draining.is_set(), False
        woken.clear()
        try:
            more = await step()
        except (Transient, Busy) as fault:
            log.warning("loop interrupted", loop=name, reason=str(fault))
        health.beat(name)
        if not more and not ending:
            await wait_any(draining, woken, timeout=every)
    health.retire(name)


async def ask_until(ask: Step, within: float) -> bool:
    """Ask until the answer is yes, at first soon and then more and more rarely; return the last.

    Where there is no time ``within``, in seconds, it is asked once.
    """
    pause, waited = SOON, 0.0
    while not await ask():
        if waited >= within:
            return False
        await asyncio.sleep(pause)
        waited += pause
        pause = min(LONGER * pause, RARELY)
    return True
