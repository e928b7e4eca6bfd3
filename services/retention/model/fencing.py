"""How the keys of an erasure stand: what may be done to each, and what is waited for. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.events.orders import KeptUnits
from shared.events.retention import Fence
from shared.privacy.lifecycle import WHOLE, KeptKeys, marks

Stand = Literal["open", "held", "other", "fenced", "gone"]
_OF_WHOLE: Final[Mapping[Fence, Stand]] = {"destroyed": "gone", "restricted": "held"}


def stand(record: KeptUnits, known: KeptKeys | None, cause: str) -> Stand:
    """Say how the keys of a record stand, for the erasure that is ``cause``.

    ``other``: another erasure fenced them all, and may still be taken back. Units are nobody's.
    """
    if known is None:
        return "gone" if record.units else "open"
    if known.fence == "fenced":
        return "fenced" if known.cause == cause else "other"
    if known.fence != "active":
        return _OF_WHOLE[known.fence]
    lost = [known.fenced_unit(unit) for unit in record.units]
    if not lost or any(one is None for one in lost):
        return "open"
    return "gone" if all(one is not None and one.destroyed_at for one in lost) else "fenced"


def fences(record: KeptUnits, known: KeptKeys) -> tuple[str, ...]:
    """Return which fences of a document are to stand: the whole's, or those of its units."""
    if known.fence != "active":
        return (WHOLE,)
    return record.units


def effective_at(
    records: Iterable[KeptUnits],
    documents: Mapping[str, KeptKeys],
    after: timedelta,
    obeyed: Collection[str] = (),
) -> datetime | None:
    """Return when nobody has any of these keys in hand any more; None where that is so already.

    A key that was destroyed is in nobody's hand, and one whose fence everybody ``obeyed`` neither.
    """
    found: list[datetime] = []
    for record in records:
        known = documents.get(record.keys_id)
        if known is None or known.fence == "destroyed":
            continue
        standing = marks(known)
        for unit in fences(record, known):
            seen = known.confirmed.get(unit)
            if seen is not None and standing.get(unit) not in obeyed:
                found.append(seen + after)
    return max(found, default=None)
