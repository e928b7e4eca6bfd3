"""Epochs of the keys' keys: which stand, which ended, and what is next. Pure.

A key that is destroyed may live on in a copy of its document. It is of no use once every epoch that
stood when it was destroyed is gone: nothing else ever wrapped it (privacy design 4.2).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged

Why = Literal["under-way"]
BEFORE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # of epochs from before anybody wrote them down
KEPT: Final = 1_000  # epochs that ended; those before them ended earlier


class Epoch(State):
    """One epoch; its file is made after it stands here, so none can stand unknown."""

    number: int
    made_at: Instant
    swept_at: Instant | None = None  # all keys were wrapped under it
    gone_at: Instant | None = None


class KeptEpochs(State):
    """All epochs, oldest first; ``forgotten``: when the last of those not listed any more ended."""

    epochs: tuple[Epoch, ...]
    forgotten: Instant | None = None
    version: Version

    @property
    def newest(self) -> Epoch:
        """The epoch that keys are to be wrapped under."""
        return self.epochs[-1]

    @property
    def standing(self) -> tuple[Epoch, ...]:
        """Those that are not gone."""
        return tuple(one for one in self.epochs if one.gone_at is None)


Decided = Accepted[KeptEpochs] | Unchanged[KeptEpochs] | Refused[Why]


def adopt(known: KeptEpochs | None, found: Sequence[int], *, at: datetime) -> Decided:
    """Write down the epochs that stand before anybody counted them; there is at least one."""
    if known is not None:
        return Unchanged(known)
    # Whatever wraps keys now did so under them: there is nothing to sweep.
    epochs = tuple(Epoch(number=one, made_at=BEFORE, swept_at=at) for one in sorted(found))
    return Accepted(KeptEpochs(epochs=epochs, version=1), ())


def begin(known: KeptEpochs, found: Iterable[int], *, at: datetime) -> Decided:
    """Begin an epoch beyond all there ever were, those ``found`` in the folder included."""
    if known.newest.swept_at is None:
        return Refused("under-way")
    number = max([known.newest.number, *found]) + 1
    return Accepted(_next(known, (*known.epochs, Epoch(number=number, made_at=at))), ())


def due(known: KeptEpochs, every: timedelta, *, at: datetime) -> bool:
    """Say whether an epoch is to begin by the clock; of one that was found, since it was found."""
    newest = known.newest
    if newest.swept_at is None:
        return False
    return (newest.swept_at if newest.made_at == BEFORE else newest.made_at) + every <= at


def swept(known: KeptEpochs, number: int, *, at: datetime) -> Decided:
    """Note that all keys are wrapped under the newest epoch."""
    if known.newest.number != number or known.newest.swept_at is not None:
        return Unchanged(known)
    return _changed(known, number, swept_at=at)


def ending(known: KeptEpochs, alive: int) -> tuple[Epoch, ...]:
    """Return which are to end: those before the last ``alive``, once the newest has all keys."""
    if known.newest.swept_at is None:
        return ()
    kept = {one.number for one in known.standing[-alive:]}
    return tuple(one for one in known.standing if one.number not in kept)


def gone(known: KeptEpochs, number: int, *, at: datetime) -> Decided:
    """Note that an epoch is gone."""
    if all(one.number != number for one in known.standing):
        return Unchanged(known)
    return _changed(known, number, gone_at=at)


def irrecoverable_at(known: KeptEpochs, since: datetime) -> datetime | None:
    """Return when all epochs were gone that stood at ``since`` or before; None while one stands."""
    before = [one for one in known.epochs if one.made_at <= since]
    times = [one.gone_at for one in before]
    if known.forgotten is not None:
        times.append(known.forgotten)
    ended = [one for one in times if one is not None]
    return max(ended) if ended and len(ended) == len(times) else None


def _changed(known: KeptEpochs, number: int, **changes: datetime) -> Accepted[KeptEpochs]:
    return Accepted(
        _next(
            known,
            tuple(
                one.model_copy(update=changes) if one.number == number else one
                for one in known.epochs
            ),
        ),
        (),
    )


def _next(known: KeptEpochs, epochs: tuple[Epoch, ...]) -> KeptEpochs:
    """Return the next version; the oldest that ended are forgotten but for when that was."""
    ended = [one.gone_at for one in epochs if one.gone_at is not None]
    over = max(len(ended) - KEPT, 0)
    times = [*ended[:over], *([known.forgotten] if known.forgotten else [])]
    dropped = {one.number for one in [e for e in epochs if e.gone_at is not None][:over]}
    return KeptEpochs(
        epochs=tuple(one for one in epochs if one.number not in dropped),
        forgotten=max(times, default=None),
        version=known.version + 1,
    )
