"""The search index of this host, built anew beside the one that answers when that is wanted.

Each host that serves looks which rebuild of the lists is wanted, and builds where its own is older:
another index in the same folder, from the start of the topic, slowly, while lists are served from
the one there is. When it has caught up, both are compared; then the one that answers rests for the
moment the other needs to be as far, and the other takes its place. What a death leaves is gone on
with: the index is as far as its last commit.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from services.distribution.rebuild import wishes
from services.distribution.rebuild.building import Building, Serving, Stopped
from services.distribution.search import SearchIndexError
from services.distribution.search import folder as folders
from shared.runtime.faults import Transient
from shared.runtime.log import get_log
from shared.runtime.service import wait_any

LOOK_SECONDS: Final = 1.0
OLD_SECONDS: Final = 5.0  # until the files of before are removed: searches under way need them

log = get_log(__name__)


@dataclass(slots=True)
class Lists:
    """Rebuilds this host's index when that is wanted."""

    serving: Serving
    _refused: int = 0

    async def run(self, draining: asyncio.Event) -> None:
        """Look what is wanted, and build it, until told to drain."""
        await self._begin()
        while not draining.is_set():
            wanted = await self._wanted()
            if wanted > max(folders.shown(self.serving.folder)[0], self._refused):
                await self._build(wanted, draining)
            await wait_any(draining, timeout=LOOK_SECONDS)

    async def _begin(self) -> None:
        """Say what a death kept from being said, and adopt what is wanted where all is new."""
        serving = self.serving
        wanted, (number, name) = await self._wanted(), folders.shown(serving.folder)
        if wanted > number and not serving.index.size:
            folders.show(serving.folder, wanted, name)
        elif wanted == number and wanted:
            with contextlib.suppress(Transient):
                size = serving.index.size
                await wishes.tell_done(serving.models, serving.replica, number, size)

    async def _wanted(self) -> int:
        try:
            return await wishes.wanted(self.serving.models)
        except Transient:
            return 0

    async def _build(self, number: int, draining: asyncio.Event) -> None:
        building = Building(self.serving, number, draining)
        try:
            await building.run()
        except Stopped:
            log.info("rebuild of the lists given up", number=number)
            await building.end("stopped")
        except Exception as fault:  # noqa: BLE001  (whatever it is, what serves goes on)
            why = str(fault) if isinstance(fault, SearchIndexError) else type(fault).__name__
            log.warning("rebuild of the lists failed", reason=why)
            building.refused = True
            await building.end("failed", said=why)
        if building.refused:
            self._refused = number
        if not draining.is_set():
            await wait_any(draining, timeout=OLD_SECONDS)
            await asyncio.to_thread(folders.remove_older, self.serving.folder)
