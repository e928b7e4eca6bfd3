"""Fetching a package: claimed by one download, given piece by piece under its lease, then over.

A piece is given within the lease or not at all, so no two downloads are ever under way: whoever
was overtaken, or is too slow for one piece, is cut off and may begin again. What was wholly taken
ends the package; a process that dies before that leaves a lease that runs out.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.retention.commands.packages import Answer, Packages
from services.retention.model import packages as model
from services.retention.model.packages import KeptPackage
from shared.mongo import Refused


@dataclass(frozen=True, slots=True)
class Fetching:
    """Downloads of packages; how long a lease of one is, policy says."""

    packages: Packages

    async def claim(self, package: str, code: str) -> Answer:
        """Claim a package for a download, where this code opens it and nobody has it in hand."""
        opened = await self.packages.opened(package, code)
        if isinstance(opened, Refused):
            return opened
        at = self.packages.now()
        return await self.packages.decided(
            package, partial(model.claim, at=at, until=at + self._lasts)
        )

    async def parts(self, claimed: KeptPackage) -> AsyncGenerator[bytes, None]:
        """Give a package in clear, the lease renewed for each piece.

        Raises ``ConnectionAbortedError`` where the package is another's or over by now, and what
        ``Chunks.read`` raises.
        """
        async for part in self.packages.chunks.read(claimed):
            at = self.packages.now()
            still = partial(model.renew, mark=_mark(claimed), at=at, until=at + self._lasts)
            if isinstance(await self.packages.decided(claimed.package, still), Refused):
                raise ConnectionAbortedError("a download lost its package")
            yield part

    def in_time(self) -> asyncio.Timeout:
        """Return what bounds the giving of a piece. Raises ``TimeoutError`` when it is left."""
        # Half: the lease began before the piece was at hand, and clocks of hosts differ.
        return asyncio.timeout(self._lasts.total_seconds() / 2)

    async def finish(self, claimed: KeptPackage) -> Answer:
        """End a package that was wholly taken; the loop destroys its key."""
        at = self.packages.now()
        done = partial(model.finish, mark=_mark(claimed), at=at)
        return await self.packages.decided(claimed.package, done)

    async def release(self, claimed: KeptPackage) -> Answer:
        """Let another download begin, where this one was broken off."""
        at = self.packages.now()
        done = partial(model.release, mark=_mark(claimed), at=at)
        return await self.packages.decided(claimed.package, done)

    @property
    def _lasts(self) -> timedelta:
        return self.packages.policy.download.lasts


def _mark(claimed: KeptPackage) -> int:
    return claimed.download.mark if claimed.download is not None else 0
