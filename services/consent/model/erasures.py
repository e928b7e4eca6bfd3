"""What becomes of a consent when its person is erased, in steps that may each be repeated.

First nothing is left but a version that denies, and the proof beside it; then the proof is put
under its own number, elsewhere; then it is taken away here. The key, a keyed hash of an address and
a purpose, and the version stay: without them an old yes, read again, would be the newest word. They
say what a suppression says: that of this address there is none.
"""

from datetime import date, datetime
from typing import Final

from services.consent.errors import Refusal
from services.consent.model.consents import Decided, KeptConsent, told
from services.consent.model.proofs import proof_of
from shared.events.decisions import Accepted, Refused, Unchanged

NOBODY: Final = f"p{'0' * 32}"  # a pseudonym that nobody has
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("consent-unknown"))


def erase(known: KeptConsent | None, number: str, *, now: datetime, on: date) -> Decided:
    """Erase what somebody said; ``number`` is that of the proof, ``on`` the day.

    Not while the proof of an earlier one is still here.
    """
    if known is None:
        return UNKNOWN
    if known.erased or known.proof is not None:
        return Unchanged(known)
    state = KeptConsent(
        consent=known.consent,
        subject=known.subject,
        purpose=known.purpose,
        person=NOBODY,
        standing="erased",
        facts=(),
        erased_at=now,
        proof=proof_of(known, number, on=on),
        version=known.version + 1,
    )
    return told(state, "erased")


def moved(known: KeptConsent | None, number: str) -> Decided:
    """Take a proof away from here, once it lies where it is to stay."""
    if known is None:
        return UNKNOWN
    if known.proof is None or known.proof.proof != number:
        return Unchanged(known)
    changes = {"proof": None, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())
