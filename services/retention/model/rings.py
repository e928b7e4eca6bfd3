"""Who may have keys in hand, told by watching the rows of shared.privacy.presence. Pure.

A row that does not change for as long as a key may be used is nobody's who has a key: they asked
for it before that row was written.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What a process said last."""

    name: str
    sign: str
    obeyed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A sign, and since when it is seen to stand, in seconds of this process' monotonic clock."""

    sign: str
    since: float


def looked(seen: Mapping[str, Seen], rows: Iterable[Row], now: float) -> dict[str, Seen]:
    """Take in a look at all rows at ``now``: a sign that is the same keeps its time."""
    found: dict[str, Seen] = {}
    for row in rows:
        before = seen.get(row.name)
        same = before is not None and before.sign == row.sign
        found[row.name] = before if same and before is not None else Seen(row.sign, now)
    return found


def silent(seen: Mapping[str, Seen], now: float, bound: float) -> dict[str, str]:
    """Return the signs, by name, that stand for so long that whose they are has no key."""
    return {name: one.sign for name, one in seen.items() if now - one.since >= bound}


def obeyed(marks: Collection[str], rows: Iterable[Row], gone: Collection[str]) -> frozenset[str]:
    """Return the marks that everybody obeyed who may have a key."""
    left = frozenset(marks)
    for row in rows:
        if row.name not in gone:
            left &= row.obeyed
    return left
