"""How far all facts were heard: what is due rests on those that were, and on no others. Pure.

A worker says of each partition in its hands that everything written there before a moment was
applied. That stays true whoever has the partition afterwards, so of several such words the latest
counts, and all partitions together were heard up to the least of theirs.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """All that was written in these partitions before ``before`` was applied."""

    places: frozenset[str]
    before: datetime


def heard_before(said: Iterable[Heard], places: Collection[str]) -> datetime | None:
    """Return the moment up to which all ``places`` were heard; None where one never was."""
    latest: dict[str, datetime] = {}
    for one in said:
        for place in one.places:
            latest[place] = max(one.before, latest.get(place, one.before))
    if not set(places) <= latest.keys():
        return None
    return min(latest[place] for place in places)
