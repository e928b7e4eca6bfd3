"""Sweeping: sealed files that never became submissions are taken away after an hour or two."""

import asyncio
from typing import Final

from services.deposits.store import RawFiles
from shared.mongo import Collection
from shared.runtime.clock import SYSTEM, Clock
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

HOUR: Final = 3600.0

log = get_log(__name__)


async def sweep_forever(
    files: RawFiles,
    submissions: Collection,
    draining: asyncio.Event,
    *,
    clock: Clock = SYSTEM,
) -> None:
    """Sweep at the start and every hour; a store that is away is asked again in a minute."""
    while not draining.is_set():
        pause = HOUR
        try:
            swept = await files.sweep(submissions, now=clock.now())
            if swept:
                log.info("orphaned deposit files swept", files=swept)
        except Transient:
            pause = 60.0
        await wait_any(draining, timeout=pause)
