"""Which of the submissions that wait a worker takes next: in turns over members, oldest first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from services.deposits.store import Candidate, Submission

LARGE: Final = 1_000_000  # bytes; of such files a worker reads a few at a time
MOST_LARGE: Final = 4


def choose(
    candidates: Sequence[Candidate], in_hand: Iterable[Submission], free: int
) -> list[Candidate]:
    """Choose up to ``free``; whoever has fewest in hand is first, and large files are few."""
    held: Counter[int] = Counter()
    large = 0
    for one in in_hand:
        held[one.state.organisation] += 1
        large += one.size > LARGE
    ranked = []
    for candidate in candidates:
        held[candidate.organisation] += 1
        ranked.append((held[candidate.organisation], candidate.id, candidate))
    chosen: list[Candidate] = []
    for _, _, candidate in sorted(ranked, key=lambda one: one[:2]):
        if len(chosen) == free:
            break
        if candidate.size > LARGE:
            if large == MOST_LARGE:
                continue
            large += 1
        chosen.append(candidate)
    return chosen
