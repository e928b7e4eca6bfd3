"""Codes that were mailed: each of one confirmation, for a few tries and minutes (DOAJ-1a10).

A code is kept as a keyed hash, so that the store alone lets nobody try codes at leisure. What an
unconfirmed request says is kept under a key of its own and goes with the code.
"""

from collections.abc import Mapping
from datetime import datetime

from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import no
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.orders import Word
from shared.events.personal import BlindIndexed, Pseudonym


class Pending(State):
    """What was asked and nobody confirmed yet, under a key of its own, wrapped under an epoch's."""

    epoch: int
    key: str
    values: Mapping[str, str]


class KeptChallenge(State):
    """A code by its keyed hash: whoever shows it reads the mail of ``subjects``.

    ``pending`` and what stands beside it become a request under this number once the code is used;
    ``request`` is one that staff had put on record before.
    """

    confirmation: str
    code: str
    person: Pseudonym
    subjects: tuple[BlindIndexed, ...]
    made_at: Instant
    until: Instant
    asked_at: Instant
    kinds: tuple[Word, ...] = ()
    pending: Pending | None = None
    request: str | None = None
    tries: int = 0
    spent: bool = False
    version: Version = 1


Decided = Accepted[KeptChallenge] | Unchanged[KeptChallenge] | Refused[Refusal]
WRONG: Refused[Refusal] = no("code-wrong")


def make(known: KeptChallenge | None, new: KeptChallenge) -> Decided:
    """Keep a new code; of one confirmation there is one, the last that was made.

    Whoever makes another knows that the one before was never mailed.
    """
    version = 1 if known is None else known.version + 1
    return Accepted(new.model_copy(update={"version": version}), ())


def tried(known: KeptChallenge | None, *, right: bool, now: datetime, tries: int) -> Decided:
    """Count a try: a right one spends the code, and may come again while it would still count.

    Whether it was right the state says: ``spent``. A code that is unknown, too old or was tried too
    often is refused in the same words as a wrong one.
    """
    if known is None or now >= known.until or known.tries >= tries:
        return WRONG
    if right:
        if known.spent:
            return Unchanged(known)
        changes: dict[str, object] = {"spent": True}
    else:
        changes = {"tries": known.tries + 1}
    return Accepted(known.model_copy(update={**changes, "version": known.version + 1}), ())


def emptied(known: KeptChallenge | None) -> Decided:
    """Forget what it held: that stands in the request by now."""
    if known is None:
        return WRONG
    if known.pending is None:
        return Unchanged(known)
    changes = {"pending": None, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())
