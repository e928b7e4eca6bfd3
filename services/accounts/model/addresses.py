"""Claims on addresses: whose a blind index is, so that no address is two people's.

An address is reserved first, then its person's document is written, then the claim is confirmed.
What counts is the person's document: a claim of somebody who does not have the address, and whose
time is up, is free. Claims stand under every version of the index that is in use, so that those
who write the old one and those who write the new one meet.
"""

from datetime import datetime

from services.accounts.errors import Refusal
from shared.events.base import Instant, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.personal import BlindIndexed, Pseudonym


class KeptClaim(State):
    """Whose an address is, or is about to become until ``until``; nobody's, once it was freed."""

    index: BlindIndexed
    person: Pseudonym | None
    until: Instant | None = None
    version: Version


Decided = Accepted[KeptClaim] | Unchanged[KeptClaim] | Refused[Refusal]
TAKEN = Refused(Refusal("address-taken"))


def reserve(
    known: KeptClaim | None,
    index: str,
    person: str,
    *,
    holder_has_it: bool,
    now: datetime,
    until: datetime,
) -> Decided:
    """Reserve an address for a person.

    ``holder_has_it`` says whether the document of whoever is named by ``known`` has the address.
    """
    if known is None:
        return Accepted(KeptClaim(index=index, person=person, until=until, version=1), ())
    if known.person == person:
        if known.until is None:
            return Unchanged(known)
        return _changed(known, person, until)
    if holder_has_it or (known.until is not None and now < known.until):
        return TAKEN
    return _changed(known, person, until)


def confirm(known: KeptClaim | None, person: str) -> Decided:
    """Make a reservation a claim without an end."""
    if known is None or known.person != person:
        return TAKEN
    return Unchanged(known) if known.until is None else _changed(known, person, None)


def free(known: KeptClaim | None, person: str) -> Decided:
    """Let go of the address of a person whose account was deleted; it says nothing of them then."""
    if known is None:
        return TAKEN
    return Unchanged(known) if known.person != person else _changed(known, None, None)


def _changed(known: KeptClaim, person: str | None, until: datetime | None) -> Decided:
    changes = {"person": person, "until": until, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())
