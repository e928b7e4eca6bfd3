"""Shelves: marks of much that is due, each on the shelf that its key leads to.

What is due is found by an index of equal values, which costs as much as there is to be found; the
embedded store reads all of that before it gives the first. So what may be 100,000 documents at once
is marked with one of a few numbers, and is asked for by some numbers at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from shared.runtime.clock import SYSTEM, Clock

SHELVES: Final = 128  # an idle look asks for all; a busy one for as few as it takes
MOMENT: Final = 1.0  # seconds
EVERY_SHELF: Final = tuple(range(1, SHELVES + 1))


def shelf_of(key: str) -> int:
    """Return the number, from 1 on, under which a document is marked."""
    return crc32(key.encode()) % SHELVES + 1


@dataclass(slots=True)
class Round:
    """Goes round the shelves, some at a time: the more is found, the fewer.

    ``wanted`` is how many documents one look is to find, about. How many there are is known for a
    moment only: who comes back later begins with one shelf.
    """

    wanted: int
    width: int = 1
    clock: Clock = SYSTEM
    _next: int = 0
    _looked: float = float("-inf")

    def once(self) -> Iterator[list[int]]:
        """Give every shelf once, beginning behind those that were given last."""
        if self.clock.monotonic() - self._looked > MOMENT:
            self.width = 1
        left = SHELVES
        while left:
            width = min(self.width, left)
            shelves = [EVERY_SHELF[(self._next + place) % SHELVES] for place in range(width)]
            self._next = (self._next + width) % SHELVES
            left -= width
            yield shelves

    def met(self, found: int) -> None:
        """Hear how many one look found."""
        self._looked = self.clock.monotonic()
        if found > self.wanted:
            self.width = max(self.width // 2, 1)
        elif found < self.wanted / 2:
            self.width = min(self.width * 2, SHELVES)
