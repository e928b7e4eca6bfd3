"""The life of keys: what may become of the keys of one person in one retention class. Pure.

One document holds them all, so every step is one compare-and-set: to make a key and to fence it
cannot both succeed (design section 4). A key is a unit's: one record or period with one clock.
What was destroyed stays on record without its bytes: that record is the fence, for ever.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from shared.events.base import Event, Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.retention import (
    Fence,
    FencedUnit,
    KeysDestroyed,
    KeysFenced,
    KeysId,
    KeysReleased,
    KeysRestricted,
    KeysState,
    KeyUnitDestroyed,
    KeyUnitFenced,
)
from shared.runtime.clock import rfc3339

Why = Literal["fenced", "restricted", "destroyed", "held", "not-fenced", "too-early", "unknown"]


class Wrapped(State):
    """A data key at rest: base64 of what the epoch's key wraps."""

    epoch: int
    key: str
    made_at: Instant


class KeptKeys(State):
    """The key document: live keys by unit, and the fence over them.

    ``confirmed`` says by unit, and under "" for the whole, since when a fence is known to stand in
    the store: its own time was taken before it was written, and who wrote it may have been frozen
    in between.
    """

    keys_id: KeysId
    fence: Fence = "active"
    units: Mapping[str, Wrapped] = {}
    holds: tuple[str, ...] = ()
    fenced_at: Instant | None = None
    destroyed_at: Instant | None = None
    cause: str | None = None
    gone: tuple[FencedUnit, ...] = ()
    confirmed: Mapping[str, Instant] = {}
    version: Version

    def fenced_unit(self, unit: str) -> FencedUnit | None:
        """Return what became of a unit that was fenced by itself."""
        return next((one for one in self.gone if one.unit == unit), None)

    def fenced_since(self, unit: str = "") -> datetime | None:
        """Return since when a unit may not be used, or all of them; None where it may."""
        lost = self.fenced_unit(unit)
        return self.fenced_at or (lost.fenced_at if lost else None)


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a step may not be taken."""

    why: Why


Decided = Accepted[KeptKeys] | Unchanged[KeptKeys] | Refused[Denied]
WHOLE: Final = ""  # in the place of a unit: all of them
MARK_DIGITS: Final = 24  # of a fence's mark: 96 bits
UNKNOWN: Final[Refused[Denied]] = Refused(Denied("unknown"))

# From which fence each step leads where; the documents draw the same table (docs/privacy.md).
STEPS: Final[Mapping[str, Mapping[Fence, Fence]]] = {
    "provision": {"active": "active"},
    "restrict": {"active": "restricted", "restricted": "restricted"},
    "release": {"restricted": "active"},
    "fence": {"active": "fenced"},
    "take-back": {"fenced": "active"},
    "destroy": {"fenced": "destroyed"},
}
_REFUSALS: Final[Mapping[Fence, Why]] = {
    "active": "not-fenced",
    "restricted": "held",
    "fenced": "fenced",
    "destroyed": "destroyed",
}


def provision(known: KeptKeys | None, keys: str, fresh: Mapping[str, Wrapped]) -> Decided:
    """Give units that have none a key: of ``fresh``, by unit; others keep the key they have."""
    if known is None:
        return Accepted(KeptKeys(keys_id=keys, units=dict(fresh), version=1), ())
    if known.fence != "active":
        return Refused(Denied(known.fence))
    for unit in fresh:
        lost = known.fenced_unit(unit)
        if lost is not None:
            return Refused(Denied("destroyed" if lost.destroyed_at else "fenced"))
    missing = {unit: key for unit, key in fresh.items() if unit not in known.units}
    if not missing:
        return Unchanged(known)
    return Accepted(_next(known, units={**known.units, **missing}), ())


def rewrapped(known: KeptKeys | None, fresh: Mapping[str, Wrapped]) -> Decided:
    """Keep the same keys wrapped anew: of ``fresh``, by unit; nobody is told, for nothing changed.

    ``fresh`` was made of this very state; what moved on meanwhile fails on its version.
    """
    if known is None:
        return UNKNOWN
    units = {unit: key for unit, key in fresh.items() if unit in known.units}
    if not units:
        return Unchanged(known)
    return Accepted(_next(known, units={**known.units, **units}), ())


def restrict(known: KeptKeys | None, hold: str) -> Decided:
    """Place a hold: nothing may be destroyed, and only the person's own access reads (GDPR 18)."""
    if known is None:
        return UNKNOWN
    if known.fence not in STEPS["restrict"]:
        return Refused(Denied(_REFUSALS[known.fence]))
    if hold in known.holds:
        return Unchanged(known)
    return _told(
        KeysRestricted,
        _next(known, fence=STEPS["restrict"][known.fence], holds=(*known.holds, hold)),
    )


def release(known: KeptKeys | None, hold: str) -> Decided:
    """Lift a hold; with the last one the restriction ends."""
    if known is None:
        return UNKNOWN
    if hold not in known.holds:
        return Unchanged(known)
    left = tuple(one for one in known.holds if one != hold)
    fence: Fence = known.fence if left else STEPS["release"][known.fence]
    return _told(
        KeysReleased if not left else KeysRestricted, _next(known, fence=fence, holds=left)
    )


def fence(known: KeptKeys | None, keys: str, cause: str, *, at: datetime) -> Decided:
    """End all use of these keys; where there are none yet, none will ever be made."""
    if known is None:
        state = KeptKeys(keys_id=keys, fence="fenced", fenced_at=at, cause=cause, version=1)
        return _told(KeysFenced, state)
    if known.fence in ("fenced", "destroyed"):
        return Unchanged(known)
    if known.fence not in STEPS["fence"]:
        return Refused(Denied(_REFUSALS[known.fence]))
    return _told(KeysFenced, _next(known, fence="fenced", fenced_at=at, cause=cause))


def take_back(known: KeptKeys | None, cause: str) -> Decided:
    """Take a fence back while nothing is destroyed, for whom it was set."""
    if known is None:
        return UNKNOWN
    if known.fence == "active":
        return Unchanged(known)
    if known.fence not in STEPS["take-back"] or known.cause != cause:
        return Refused(Denied(_REFUSALS[known.fence]))
    confirmed = {unit: seen for unit, seen in known.confirmed.items() if unit != WHOLE}
    state = _next(known, fence="active", fenced_at=None, cause=None, confirmed=confirmed)
    return _told(KeysReleased, state)


def confirm(known: KeptKeys | None, unit: str = WHOLE, *, at: datetime) -> Decided:
    """Note that a fence was seen to stand, the whole's or a unit's own; ``at`` is taken after that.

    A unit behind the fence of the whole has none of its own: that one may be taken back.
    """
    if known is None:
        return UNKNOWN
    if (known.fenced_unit(unit) if unit else known.fenced_at) is None:
        return Refused(Denied(_REFUSALS[known.fence]))
    if unit in known.confirmed:
        return Unchanged(known)
    return Accepted(_next(known, confirmed={**known.confirmed, unit: at}), ())


def destroy(
    known: KeptKeys | None, *, at: datetime, after: timedelta, obeyed: Collection[str] = ()
) -> Decided:
    """Destroy fenced keys once nobody has them: so long ``after`` the fence was seen to stand.

    Or before, where this fence is among those that every process ``obeyed`` (``marks``).
    """
    if known is None:
        return UNKNOWN
    if known.fence == "destroyed":
        return Unchanged(known)
    if known.fence not in STEPS["destroy"]:
        return Refused(Denied(_REFUSALS[known.fence]))
    if not effective(known, WHOLE, at - after, obeyed):
        return Refused(Denied("too-early"))
    state = _next(known, fence="destroyed", destroyed_at=at, units={}, gone=(), confirmed={})
    return _told(KeysDestroyed, state)


def fence_unit(known: KeptKeys | None, unit: str, *, at: datetime) -> Decided:
    """End the use of one unit's key; it need not have one."""
    if known is None:
        return UNKNOWN
    if known.fence != "active":
        return Refused(Denied(_REFUSALS[known.fence]))
    if known.fenced_unit(unit) is not None:
        return Unchanged(known)
    gone = (*known.gone, FencedUnit(unit=unit, fenced_at=at))
    return _told(KeyUnitFenced, _next(known, gone=gone))


def destroy_unit(
    known: KeptKeys | None,
    unit: str,
    *,
    at: datetime,
    after: timedelta,
    obeyed: Collection[str] = (),
) -> Decided:
    """Destroy the key of one fenced unit, when ``destroy`` would."""
    if known is None:
        return UNKNOWN
    lost = known.fenced_unit(unit)
    if lost is None:
        return Refused(Denied(_REFUSALS[known.fence]))
    if lost.destroyed_at is not None:
        return Unchanged(known)
    if known.fence == "restricted":
        return Refused(Denied("held"))
    if not effective(known, unit, at - after, obeyed):
        return Refused(Denied("too-early"))
    done = lost.model_copy(update={"destroyed_at": at})
    state = _next(
        known,
        gone=tuple(done if one is lost else one for one in known.gone),
        units={name: key for name, key in known.units.items() if name != unit},
        confirmed={name: seen for name, seen in known.confirmed.items() if name != unit},
    )
    return _told(KeyUnitDestroyed, state)


def marks(known: KeptKeys | KeysState) -> dict[str, str]:
    """Return the fences that stand and under which nothing is destroyed yet, by unit.

    A fence that was taken back or lost, and set again, has another mark. A mark names nobody.
    """
    found = {one.unit: one.fenced_at for one in known.gone if one.destroyed_at is None}
    if known.fence == "fenced" and known.fenced_at is not None:
        found[WHOLE] = known.fenced_at
    return {unit: _mark(known.keys_id, unit, at) for unit, at in found.items()}


def effective(known: KeptKeys, unit: str, since: datetime, obeyed: Collection[str]) -> bool:
    """Say whether nobody has in hand what a fence is over: obeyed by all, or stood at ``since``.

    Who obeyed a fence heard of it, so it stood: nobody need have confirmed that one.
    """
    if marks(known).get(unit) in obeyed:
        return True
    seen = known.confirmed.get(unit)
    return seen is not None and seen <= since


def _mark(keys: str, unit: str, at: datetime) -> str:
    return sha256(f"{keys}.{unit} {rfc3339(at)}".encode()).hexdigest()[:MARK_DIGITS]


def _next(known: KeptKeys, **changes: object) -> KeptKeys:
    return known.model_copy(update={**changes, "version": known.version + 1})


def _told(kind: type[Event], state: KeptKeys) -> Accepted[KeptKeys]:
    return Accepted(state, (saying(kind, state),))
