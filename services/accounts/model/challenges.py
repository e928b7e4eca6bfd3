"""Codes that were mailed: what each proves, until when, and that it was used once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from services.accounts.errors import Refusal
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.people import Word
from shared.events.personal import BlindIndexed, Pseudonym

Proves = Literal["registration", "sign-in", "address"]


class Pending(State):
    """Details that nobody confirmed yet, under a key of their own, wrapped under an epoch's.

    A person's key is made with the account: of whoever never confirms an address nothing is left
    once the code is forgotten.
    """

    epoch: int
    key: str
    values: Mapping[str, str]


class KeptChallenge(State):
    """A code by its hash: that whoever shows it reads the mail of ``subjects``.

    ``pending`` is what the person's record becomes once the code is used.
    """

    code: str
    proves: Proves
    person: Pseudonym
    subjects: tuple[BlindIndexed, ...]
    made_at: Instant
    until: Instant
    pending: Pending | None = None
    category: Word | None = None
    roles: tuple[Word, ...] = ()
    invited_by: str | None = None
    spent: bool = False
    version: Version = 1


Decided = Accepted[KeptChallenge] | Unchanged[KeptChallenge] | Refused[Refusal]
WRONG: Refused[Refusal] = Refused(Refusal("code-wrong"))


def make(known: KeptChallenge | None, new: KeptChallenge) -> Decided:
    """Keep a new code; a code is never made twice."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def counts(known: KeptChallenge | None, *, now: datetime) -> Refused[Refusal] | None:
    """Refuse a code that is unknown, used or too old, all in the same words."""
    return WRONG if known is None or known.spent or now >= known.until else None


def spend(known: KeptChallenge | None, *, now: datetime) -> Decided:
    """Use a code; of several who use it at once one succeeds."""
    wrong = counts(known, now=now)
    if wrong is not None or known is None:
        return WRONG
    # What it held is forgotten with its use: it stands in the person's own document by now.
    changes = {"spent": True, "pending": None}
    return Accepted(known.model_copy(update={**changes, "version": known.version + 1}), ())
