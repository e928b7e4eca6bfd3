"""How the keys of an erasure stand: what may be done to each, and what is waited for. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
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


def unconfirmed(
    records: Iterable[KeptUnits], documents: Mapping[str, KeptKeys], obeyed: Collection[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the fences that nobody confirmed and not everybody obeyed, by document and unit."""
    return tuple(
        (known.keys_id, unit)
        for known, unit in _standing(records, documents, obeyed)
        if unit not in known.confirmed
    )


def effective_at(
    records: Iterable[KeptUnits],
    documents: Mapping[str, KeptKeys],
    after: timedelta,
    obeyed: Collection[str] = (),
) -> datetime | None:
    """Return when nobody has any of these keys in hand any more; None where that is so already.

    A key that was destroyed is in nobody's hand, and one whose fence everybody ``obeyed`` neither.
    Of fences that nobody confirmed it cannot be said.
    """
    return max(
        (
            known.confirmed[unit] + after
            for known, unit in _standing(records, documents, obeyed)
            if unit in known.confirmed
        ),
        default=None,
    )


def by_turns(fenced: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Put together what is done at once: of each document one unit, by the names of documents."""
    turns: list[dict[str, str]] = []
    for keys, unit in fenced:
        turn = next((one for one in turns if keys not in one), None)
        if turn is None:
            turn = {}
            turns.append(turn)
        turn[keys] = unit
    return turns


def _standing(
    records: Iterable[KeptUnits], documents: Mapping[str, KeptKeys], obeyed: Collection[str]
) -> Iterator[tuple[KeptKeys, str]]:
    """Yield the fences under which somebody may still have a key, with their documents."""
    for record in records:
        known = documents.get(record.keys_id)
        if known is None or known.fence == "destroyed":
            continue
        standing = marks(known)
        for unit in fences(record, known):
            if unit in standing and standing[unit] not in obeyed:
                yield known, unit
