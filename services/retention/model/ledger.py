"""The ledger of what is gone for ever: one entry an erasure, numbered without a gap. Pure.

The head names the last entry and holds it whole: whoever takes the next number first enters what
the head holds, so that no number is lost where a process dies between the two writes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.retention.model.erasure_states import KeptErasure
from shared.events.base import State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.orders import KeptUnits, LedgerEntryWritten, LedgerState


class KeptHead(State):
    """The last entry, as it was first written."""

    last: LedgerState
    version: Version = 1


Followed = Accepted[KeptHead] | Unchanged[KeptHead] | Refused[None]


def first_entry(
    erasure: KeptErasure, keys: Sequence[KeptUnits], seq: int, *, now: datetime
) -> LedgerState:
    """Return the entry of an erasure before anything of it is destroyed."""
    return LedgerState(
        entry=erasure.erasure,
        seq=seq,
        records=tuple(keys),
        fenced_at=erasure.times.get("fenced", now),
        version=1,
    )


def follow(head: KeptHead | None, entry: LedgerState) -> Followed:
    """Make an entry the last one, under the next number; where it is the last already, leave it."""
    if head is None:
        return Accepted(KeptHead(last=entry.model_copy(update={"seq": 1})), ())
    if head.last.entry == entry.entry:
        return Unchanged(head)
    next_one = entry.model_copy(update={"seq": head.last.seq + 1})
    return Accepted(KeptHead(last=next_one, version=head.version + 1), ())


def catch_up(head: KeptHead | None, last: LedgerState) -> Followed:
    """Go on from the last entry that was published, where a store that was put back is behind."""
    if head is not None and head.last.seq >= last.seq:
        return Unchanged(head)
    return Accepted(KeptHead(last=last, version=head.version + 1 if head else 1), ())


def enter(
    known: LedgerState | None, entry: LedgerState
) -> Accepted[LedgerState] | Unchanged[LedgerState]:
    """Enter what the head holds, once."""
    if known is not None:
        return Unchanged(known)
    return Accepted(entry, (saying(LedgerEntryWritten, entry),))


def extend(
    known: LedgerState | None,
    entry: LedgerState,
    keys: Sequence[KeptUnits],
    levels: Mapping[str, datetime],
) -> Accepted[LedgerState] | Unchanged[LedgerState]:
    """Add keys that turned up later, or a level that was reached; nothing is ever taken out.

    A level has the time at which it was reached first.
    """
    if known is None:
        return enter(known, entry)
    more = tuple(one for one in keys if one not in known.records)
    fresh = {name: at for name, at in levels.items() if getattr(known, name) is None}
    if not more and not fresh:
        return Unchanged(known)
    changes = {**fresh, "records": (*known.records, *more), "version": known.version + 1}
    state = known.model_copy(update=changes)
    return Accepted(state, (saying(LedgerEntryWritten, state),))
