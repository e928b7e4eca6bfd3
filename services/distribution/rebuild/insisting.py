"""Doing work until it is done: a store or broker that is away is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.runtime.faults import Transient
from shared.runtime.log import get_log

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds

log = get_log(__name__)
T = TypeVar("T")


async def insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do ``work``, again and again where it cannot be done now."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await work()
        except Transient as fault:
            log.warning("waiting", reason=str(fault))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first fault of several: what ended a task group ends who opened it."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
