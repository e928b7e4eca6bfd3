"""Contacts of organisations: each role of an organisation is a seat, which one person has.

The seat's document holds its person's sealed record, so that naming, agreeing and leaving are one
compare-and-set each. Of whoever left, nothing stays but that their address is not asked again:
a suppression, which leads to nobody (CRP-4g).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final

from services.accounts.errors import Refusal
from services.accounts.model.prefixes import Said
from shared.events.base import Event
from shared.events.contacts import (
    ContactAgreed,
    ContactCorrected,
    ContactFact,
    ContactNamed,
    ContactOptedOut,
    ContactRemoved,
    ContactState,
    ContactWhat,
)
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.personal import (
    AccountsRecordGone,
    AccountsRecordKept,
    BlindIndexed,
    Sealed,
    record_key,
)
from shared.policy.contacts import NamingRow
from shared.privacy.personal import Personal, PersonalData

MOST_FACTS: Final = 500  # the first and the newest; what lies between them is dropped beyond that
RECORD: Final = "contact"  # the one personal record of a contact, and the unit of its key

ContactName = Annotated[
    str, Personal("contact-role", purposes=("membership", "role-mail"), source="colleague")
]
ContactEmail = Annotated[
    str,
    Personal(
        "contact-role",
        purposes=("invoices", "metadata-reports", "membership", "role-mail", "security"),
        source="colleague",
        address=True,
    ),
]


class ContactDetails(PersonalData, schema="accounts.contact.v1"):
    """All that is held of a contact."""

    name: ContactName
    email: ContactEmail


class KeptSeat(ContactState):
    """A seat's document.

    ``left`` are suppressions of who opted out of this role here; ``unsettled`` says that its
    contact was not asked yet.
    """

    details: Sealed | None = None
    subjects: tuple[BlindIndexed, ...] = ()
    left: tuple[str, ...] = ()
    unsettled: bool = False


Decided = Accepted[KeptSeat] | Unchanged[KeptSeat] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("contact-unknown"))
VOID: Final[Refused[Refusal]] = Refused(Refusal("link-void"))
OPTED_OUT: Final[Refused[Refusal]] = Refused(
    Refusal("contact-opted-out", rule="CRP-4g", places=("/email",))
)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody to be a contact, by pseudonym; ``subjects`` are the address's indexes, newest last.

    ``suppressions`` is what the address would have left behind, had it opted out here before.
    """

    organisation: int
    role: str
    contact: str
    details: Sealed
    subjects: tuple[str, ...]
    suppressions: tuple[str, ...] = ()

    @property
    def seat(self) -> str:
        """The seat's key."""
        return seat_key(self.organisation, self.role)


def seat_key(organisation: int, role: str) -> str:
    """Return the key of a role's document."""
    return f"{organisation}|{role}"


def may_name(
    known: KeptSeat | None, suppressions: Collection[str], naming: NamingRow, *, said: Said
) -> Refused[Refusal] | None:
    """Refuse whoever opted out of this role before, and more namings than a role is given."""
    if known is None:
        return None
    if set(known.left) & set(suppressions):
        return OPTED_OUT
    since = said.now - naming.within
    recent = sum(one.what == "named" and one.at > since for one in known.facts)
    if recent >= naming.most:
        return Refused(Refusal("too-many-contacts", rule=naming.clause))
    return None


def name(known: KeptSeat | None, new: Named, naming: NamingRow, *, said: Said) -> Decided:
    """Give a seat to somebody, who is asked whether they agree; the same again is no change."""
    if has(known, new.subjects):
        assert known is not None
        return Unchanged(known)
    refused = may_name(known, new.suppressions, naming, said=said)
    return refused or _seated(known, new, said)


def open_seat(known: KeptSeat | None, new: Named, *, said: Said) -> Decided:
    """Give a seat to whom an application named; whatever came of it since stays."""
    return Unchanged(known) if known is not None else _seated(None, new, said)


def has(known: KeptSeat | None, subjects: Collection[str]) -> bool:
    """Say whether the seat is the holder's of an address, by any version of its index."""
    return known is not None and bool(set(known.subjects) & set(subjects))


def correct(known: KeptSeat | None, contact: str, details: Sealed, *, said: Said) -> Decided:
    """Mend what a contact is called; they need not agree again."""
    if known is None or known.contact != contact:
        return Refused(Refusal("contact-moved"))
    state = _next(known, "corrected", contact, said, details=details)
    return Accepted(state, (_record(state, details), saying(ContactCorrected, state)))


def agree(known: KeptSeat | None, contact: str, *, said: Said) -> Decided:
    """Let a contact agree; who is the contact no more cannot."""
    if known is None or known.contact != contact:
        return VOID
    if known.standing == "agreed":
        return Unchanged(known)
    state = _next(known, "agreed", contact, said, standing="agreed")
    return Accepted(state, (saying(ContactAgreed, state),))


def leave(
    known: KeptSeat | None, contact: str | None, suppression: str | None, *, said: Said
) -> Decided:
    """Let a contact opt out, whatever was before; who is the contact no more gets none anyway."""
    if known is None:
        return VOID
    if contact is None or known.contact != contact:
        return Unchanged(known)
    left = (*known.left, suppression) if suppression else known.left
    state = _next(known, "opted-out", contact, said, **_vacant(said), left=left)
    return Accepted(state, (*_gone(known, state), saying(ContactOptedOut, state)))


def remove(known: KeptSeat | None, *, said: Said) -> Decided:
    """Take a role from its contact."""
    if known is None:
        return UNKNOWN
    if known.contact is None:
        return Unchanged(known)
    state = _next(known, "removed", known.contact, said, **_vacant(said))
    return Accepted(state, (*_gone(known, state), saying(ContactRemoved, state)))


def erase(known: KeptSeat | None, people: Collection[str], *, said: Said) -> Decided:
    """Take a role from a contact who is erased; whoever has it by now keeps it."""
    if known is None or known.contact not in people:
        return Unchanged(known) if known else UNKNOWN
    return remove(known, said=said)


def asked(known: KeptSeat | None, contact: str | None) -> Decided:
    """Note that a contact's mail waits to be sent; no event."""
    if known is None:
        return UNKNOWN
    if known.contact != contact or not known.unsettled:
        return Unchanged(known)
    fields = {"unsettled": False, "version": known.version + 1}
    return Accepted(known.model_copy(update=fields), ())


def _seated(known: KeptSeat | None, new: Named, said: Said) -> Decided:
    vacant = known or KeptSeat(
        seat=new.seat,
        organisation=new.organisation,
        role=new.role,
        standing="vacant",
        version=1,
    )
    facts = vacant.facts
    if vacant.contact is not None:
        facts = (*facts, _fact("replaced", vacant.contact, said))
    state = vacant.model_copy(
        update={
            "standing": "asked",
            "contact": new.contact,
            "details": new.details,
            "subjects": new.subjects[-1:],
            "wanted_since": None,
            "unsettled": True,
            "facts": _bounded((*facts, _fact("named", new.contact, said))),
            "version": known.version + 1 if known else 1,
        }
    )
    gone = _gone(vacant, state)
    return Accepted(state, (*gone, _record(state, new.details), saying(ContactNamed, state)))


def _vacant(said: Said) -> dict[str, object]:
    return {
        "standing": "vacant",
        "contact": None,
        "details": None,
        "subjects": (),
        "wanted_since": said.now,
        "unsettled": False,
    }


def _next(
    known: KeptSeat, what: ContactWhat, contact: str, said: Said, /, **changes: object
) -> KeptSeat:
    facts = _bounded((*known.facts, _fact(what, contact, said)))
    return known.model_copy(update={**changes, "facts": facts, "version": known.version + 1})


def _fact(what: ContactWhat, contact: str, said: Said) -> ContactFact:
    return ContactFact(
        at=said.now,
        what=what,
        contact=contact,
        actor=said.actor,
        policy_version=said.policy_version,
    )


def _bounded(facts: tuple[ContactFact, ...]) -> tuple[ContactFact, ...]:
    return facts if len(facts) <= MOST_FACTS else (facts[0], *facts[-(MOST_FACTS - 1) :])


def _gone(before: KeptSeat, state: KeptSeat) -> tuple[Event, ...]:
    """Say that the record of whoever had the seat is kept no longer."""
    if before.details is None:
        return ()
    key = record_key(before.details)
    return (AccountsRecordGone(record_key=key, version=state.version),)


def _record(state: KeptSeat, details: Sealed) -> Event:
    return AccountsRecordKept(
        record_key=record_key(details),
        sealed=details,
        subjects=state.subjects,
        version=state.version,
    )
