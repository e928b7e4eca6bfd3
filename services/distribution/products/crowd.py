"""How crowded the store is, told from how long it takes to read from it.

What is new goes first, wherever it comes from: the projector, which needs the same store, runs in
another process. A read that takes longer than the quickest ones did waited for somebody; so much
the longer is the rest that follows, until somebody else has most of the store. What this process
worked itself meanwhile, sending what was read before, is no waiting.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

NOTICED: Final = 0.25  # so much longer than a quiet read may be chance
LONGEST: Final = 9.0  # rests of so many times the read leave nine tenths to others
FORGETS: Final = 1.005  # a read: works grow, stores fill


@dataclass(slots=True)
class Crowd:
    """Times of reads; ``quiet`` is the seconds a work took when nobody else read.

    Hold ``turn`` while reading: two reads of our own would take each other for a crowd.
    """

    quiet: float = float("inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def rest(self, seconds: float, works: int, *, busy: float = 0.0) -> float:
        """Return how long to rest after a read of ``works`` works that took ``seconds``.

        ``busy`` are the seconds of CPU that this process used meanwhile.
        """
        if not works:
            return 0.0
        self.quiet = min(self.quiet * FORGETS, seconds / works)
        waited = (seconds - busy) / works / self.quiet - 1
        return 0.0 if waited < NOTICED else seconds * min(LONGEST, LONGEST * waited)
