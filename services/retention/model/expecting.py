"""When the levels of an erasure are expected, where nothing but time is waited for. Pure.

Whoever is away, a hold or another erasure makes them later; none of that can be known beforehand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import GIVEN_UP


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long each part takes at most, by policies and the profiles of topics.

    ``effect``: until nobody can have a key in hand; ``compaction``: until what was told to be gone
    left the log; ``epochs``: until what wrapped a key is gone.
    """

    cooling_off: timedelta
    effect: timedelta
    compaction: timedelta
    epochs: timedelta


@dataclass(frozen=True, slots=True)
class Expected:
    """The levels that are still to come, and when it begins; none where there is no plan yet."""

    begins: datetime | None = None
    fenced: datetime | None = None
    unreadable: datetime | None = None
    gone: datetime | None = None
    irrecoverable: datetime | None = None


def expected(known: KeptErasure, bounds: Bounds, now: datetime) -> Expected:
    """Return them: of a plan that nobody approved yet, as if somebody did so now."""
    if known.plan is None or known.step in GIVEN_UP:
        return Expected(begins=known.rests_until)
    begins = known.rests_until or now + bounds.cooling_off
    times = known.times
    fenced = times.get("fenced") or max(begins, now)
    unreadable = known.unreadable_at or max(fenced + bounds.effect, now)
    # Where no key goes there is nothing that an epoch wrapped.
    epochs = bounds.epochs if known.keys else timedelta(0)
    return Expected(
        begins=begins,
        fenced=None if "fenced" in times else fenced,
        unreadable=None if known.unreadable_at else unreadable,
        gone=None if "compacted" in times else max(unreadable + bounds.compaction, now),
        irrecoverable=None if known.irrecoverable_at else max(unreadable + epochs, now),
    )
