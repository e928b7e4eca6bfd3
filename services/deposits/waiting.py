"""Waiting for the end of a submission: told by the workers of this process, else by looking."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final

from services.deposits.store import Submission, Submissions
from shared.runtime.clock import SYSTEM, Clock

LOOK_SECONDS: Final = 0.25  # workers of other processes do not tell


@dataclass(slots=True)
class Ends:
    """Whoever waits for submissions to end; workers notify ``told``."""

    submissions: Submissions
    told: asyncio.Condition = field(default_factory=asyncio.Condition)
    clock: Clock = SYSTEM

    async def of(self, submission: str, *, within: float) -> Submission | None:
        """Return the submission when it is completed, or as it is after ``within`` seconds."""
        limit = self.clock.monotonic() + within
        while True:
            found = await self.submissions.one(submission)
            left = limit - self.clock.monotonic()
            if found is None or found.state.status == "completed" or left <= 0:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_SECONDS)), self.told:
                    await self.told.wait()
