"""Deleting an account: asked for, taken back, made possible by a replacement, carried out.

An account goes once nothing hangs on it (DOAJ-8a2). Who says so is not asked but answers: each
deletion has a number, the version of the person that asked for it, and counts the answer that names
this number alone. So an answer to a deletion that was taken back deletes nothing.
"""

from datetime import datetime
from typing import Final, Protocol

from services.accounts.errors import Refusal
from services.accounts.model.people import RETENTION, UNKNOWN, KeptPerson, changed
from services.accounts.model.people import Decided as PersonDecided
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.people import (
    Closing,
    PersonClosed,
    PersonClosing,
    PersonReopened,
    PersonReplaced,
)
from shared.events.personal import AccountsRecordGone, BlindIndexed, Pseudonym, record_key

NOT_ASKED: Final[Refused[Refusal]] = Refused(Refusal("deletion-unknown", rule="DOAJ-8a1"))
VOID: Final[Refused[Refusal]] = Refused(Refusal("offer-void", rule="DOAJ-8a3"))


class KeptOffer(State):
    """Journals of somebody who wants to go, offered to whoever reads the mail of ``subjects``.

    ``code`` is the hash of what was mailed; ``attempt`` the deletion that it is about.
    """

    code: str
    person: Pseudonym
    attempt: Version
    subjects: tuple[BlindIndexed, ...]
    made_at: Instant
    until: Instant
    accepted_by: Pseudonym | None = None
    version: Version = 1


OfferDecided = Accepted[KeptOffer] | Unchanged[KeptOffer] | Refused[Refusal]


class Deciding(Protocol):
    """What a holder or staff decide of the deletion of an account."""

    def __call__(self, known: KeptPerson | None, /, *, actor: str, now: datetime) -> PersonDecided:
        """Decide it."""
        ...


def ask(known: KeptPerson | None, *, actor: str, now: datetime) -> PersonDecided:
    """Begin a deletion; one that waits already goes on waiting."""
    if known is None or known.status == "closed":
        return UNKNOWN
    if known.closing is not None:
        return Unchanged(known)
    closing = Closing(attempt=known.version + 1, since=now, actor=actor)
    state = changed(known, "closing", actor, now, status="closing", closing=closing)
    return Accepted(state, (saying(PersonClosing, state),))


def take_back(known: KeptPerson | None, *, actor: str, now: datetime) -> PersonDecided:
    """End a deletion that was not carried out; what was handed over meanwhile stays there."""
    if known is None or known.status == "closed":
        return UNKNOWN
    if known.closing is None:
        return NOT_ASKED
    state = changed(known, "reopened", actor, now, status="active", closing=None)
    return Accepted(state, (saying(PersonReopened, state),))


def replace(
    known: KeptPerson | None, by: KeptPerson | None, *, attempt: int, now: datetime
) -> PersonDecided:
    """Let ``by`` take the journals over; who accepts first is the replacement (DOAJ-8a3)."""
    closing = known.closing if known else None
    if known is None or closing is None or closing.attempt != attempt or known.status == "closed":
        return VOID
    if by is None or by.status == "closed":
        return UNKNOWN
    if by.person == known.person or by.status == "closing":
        return Refused(Refusal("replacement-goes-too", rule="DOAJ-8a3"))
    if closing.replacement is not None:
        accepted = closing.replacement == by.person
        return Unchanged(known) if accepted else Refused(Refusal("replacement-found"))
    closing = closing.model_copy(update={"replacement": by.person})
    actor = f"person:{by.person}"
    state = changed(known, "replacement-accepted", actor, now, closing=closing)
    return Accepted(state, (saying(PersonReplaced, state),))


def close(known: KeptPerson | None, *, attempt: int, now: datetime) -> PersonDecided:
    """Carry a deletion out, if it is this one and still stands.

    Name, address and password go with it, the record on its topic too; the facts stay.
    """
    if known is None:
        return UNKNOWN
    closing = known.closing
    if known.status != "closing" or closing is None or closing.attempt != attempt:
        return Unchanged(known)
    return _closed(known, closing.actor, now)


def erase(known: KeptPerson | None, *, now: datetime) -> PersonDecided:
    """Close an account whose holder is erased, whatever it waits for; the facts stay."""
    if known is None:
        return UNKNOWN
    if known.status == "closed" and known.details is None and not known.subjects:
        return Unchanged(known)
    return _closed(known, RETENTION, now)


def _closed(known: KeptPerson, actor: str, now: datetime) -> PersonDecided:
    gone = {"details": None, "subjects": (), "password_hash": None, "roles": ()}
    state = changed(known, "closed", actor, now, status="closed", **gone)
    records = (
        (AccountsRecordGone(record_key=record_key(known.details), version=state.version),)
        if known.details
        else ()
    )
    return Accepted(state, (*records, saying(PersonClosed, state)))


def offer(known: KeptOffer | None, new: KeptOffer) -> OfferDecided:
    """Keep an offer; a code is never made twice."""
    return Accepted(new, ()) if known is None else Unchanged(known)


def counts(
    known: KeptOffer | None, by: KeptPerson | None, *, now: datetime
) -> Refused[Refusal] | None:
    """Refuse an offer that is unknown, too old, or was made to another address, in one way."""
    if known is None or by is None or now >= known.until:
        return VOID
    return None if set(known.subjects) & set(by.subjects) else VOID


def accepted(known: KeptOffer | None, by: str) -> OfferDecided:
    """Write down who accepted an offer."""
    if known is None or known.accepted_by == by:
        return VOID if known is None else Unchanged(known)
    changes = {"accepted_by": by, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())
