"""The circuit of a consumer: it opens where poison is the rule and no longer the exception.

A bad build must not pour a topic into the parking place, so the consumer asks before it parks.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

POISON_ROW: Final = 50  # this many in a row of one partition open the circuit,
POISON_RATIO: Final = 0.05  # or this share
POISON_SAMPLE: Final = 1000  # of at least this many records since the start


class CircuitOpen(Exception):
    """Too many records in a row could not be applied: the fault is ours, not theirs."""


@dataclass(slots=True)
class Circuit:
    """What the records of a consumer, by partition and offset, came to so far."""

    _row: Counter[Hashable] = field(default_factory=Counter)
    _seen: int = 0
    _poisoned: int = 0

    def judge(
        self, batch: Mapping[Hashable, Sequence[int]], poison: Collection[tuple[Hashable, int]]
    ) -> None:
        """Count a batch, offsets by partition; raise ``CircuitOpen`` when it is too much."""
        for where, offsets in batch.items():
            for offset in offsets:
                self._row[where] = self._row[where] + 1 if (where, offset) in poison else 0
                if self._row[where] >= POISON_ROW:
                    raise CircuitOpen(f"{POISON_ROW} records in a row could not be applied")
        self._seen += sum(map(len, batch.values()))
        self._poisoned += len(poison)
        if self._seen >= POISON_SAMPLE and self._poisoned > self._seen * POISON_RATIO:
            raise CircuitOpen(f"{self._poisoned} of {self._seen} records could not be applied")

    def start_over(self) -> None:
        """Forget rows: what was counted and not committed comes again."""
        self._row.clear()
