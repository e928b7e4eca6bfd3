"""Applications of volunteers: kept apart from accounts, assessed, then archived (DOAJ-1b, 6c).

Decisions never see a name or an address: they get sealed records and blind indexes. Whoever applied
and each referee is a person of their own, under a key of their own, so that one can go alone.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Final, Protocol

from services.accounts.errors import Refusal
from shared.events.base import Event, State
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.personal import (
    AccountsRecordGone,
    AccountsRecordKept,
    BlindIndexed,
    Sealed,
    record_key,
)
from shared.events.volunteers import (
    VolunteerAccepted,
    VolunteerApplied,
    VolunteerArchived,
    VolunteerFact,
    VolunteerRejected,
    VolunteerState,
    VolunteerWhat,
)
from shared.privacy.personal import Personal, PersonalData

SELF: Final = "self"
CLS: Final = "volunteer-application"
PURPOSES: Final = ("volunteer-application",)


class Volunteer(PersonalData, schema="accounts.volunteer.v1"):
    """Who applied, as they wrote it themselves (DOAJ-1b1, 2c1)."""

    name: Annotated[str, Personal(CLS, PURPOSES, portable=True)]
    email: Annotated[str, Personal(CLS, PURPOSES, portable=True, address=True)]


class Referee(PersonalData, schema="accounts.volunteer-referee.v1"):
    """Somebody who may be asked about an applicant, as the applicant named them (DOAJ-1b2)."""

    name: Annotated[str, Personal(CLS, PURPOSES, source="applicant")]
    email: Annotated[str, Personal(CLS, PURPOSES, source="applicant", address=True)]


class KeptPart(State):
    """Somebody's record in an application, and the blind index of the address in it."""

    sealed: Sealed
    subject: BlindIndexed


class KeptVolunteer(VolunteerState):
    """An application's document; ``inviting``: its applicant is still to be offered an account.

    Of whoever was erased there is no part, and their pseudonym leads to nobody.
    """

    parts: tuple[KeptPart, ...]
    inviting: bool = False

    def part_of(self, person: str) -> KeptPart | None:
        """Return somebody's record, None where it was erased."""
        return next((part for part in self.parts if part.sealed.person == person), None)


Decided = Accepted[KeptVolunteer] | Unchanged[KeptVolunteer] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("volunteer-unknown"))


class Deciding(Protocol):
    """What the team decides of an application."""

    def __call__(self, known: KeptVolunteer | None, /, *, actor: str, now: datetime) -> Decided:
        """Decide it."""
        ...


def apply(
    known: KeptVolunteer | None, application: str, parts: tuple[KeptPart, ...], *, now: datetime
) -> Decided:
    """Keep an application: the applicant's record first, then those of referees."""
    if known is not None:
        return Unchanged(known)
    applicant, *referees = [part.sealed.person for part in parts]
    state = KeptVolunteer(
        application=application,
        applicant=applicant,
        referees=tuple(referees),
        applied_at=now,
        facts=(VolunteerFact(at=now, what="applied", actor=SELF),),
        parts=parts,
        version=1,
    )
    records = [_record(part, state.version) for part in parts]
    return Accepted(state, (*records, saying(VolunteerApplied, state)))


def accept(known: KeptVolunteer | None, *, category: str, actor: str, now: datetime) -> Decided:
    """Accept an application: its applicant is to be offered an account of this category."""
    if known is None:
        return UNKNOWN
    if known.status != "open":
        same = known.status == "accepted" and known.category == category
        return Unchanged(known) if same else _decided_already()
    changes = {"status": "accepted", "category": category, "inviting": True, "decided_at": now}
    state = _next(known, "accepted", actor, now, **changes)
    return Accepted(state, (saying(VolunteerAccepted, state),))


def reject(known: KeptVolunteer | None, *, actor: str, now: datetime) -> Decided:
    """Reject an application."""
    if known is None:
        return UNKNOWN
    if known.status != "open":
        return Unchanged(known) if known.status == "rejected" else _decided_already()
    state = _next(known, "rejected", actor, now, status="rejected", decided_at=now)
    return Accepted(state, (saying(VolunteerRejected, state),))


def archive(known: KeptVolunteer | None, *, actor: str, now: datetime) -> Decided:
    """Put a decided application away; one that is open stays with who assesses it (DOAJ-6c1)."""
    if known is None:
        return UNKNOWN
    if known.status == "open":
        return Refused(Refusal("volunteer-open", rule="DOAJ-6c1"))
    if known.archived_at is not None:
        return Unchanged(known)
    state = _next(known, "archived", actor, now, archived_at=now)
    return Accepted(state, (saying(VolunteerArchived, state),))


def invited(known: KeptVolunteer | None) -> Decided:
    """Write down that the applicant was offered an account."""
    if known is None:
        return UNKNOWN
    if not known.inviting:
        return Unchanged(known)
    changes = {"inviting": False, "version": known.version + 1}
    return Accepted(known.model_copy(update=changes), ())


def erase(known: KeptVolunteer | None, people: Collection[str]) -> Decided:
    """Erase the records of some of those who stand in an application; the others' stay."""
    if known is None:
        return UNKNOWN
    gone = [part for part in known.parts if part.sealed.person in people]
    if not gone:
        return Unchanged(known)
    version = known.version + 1
    parts = tuple(part for part in known.parts if part not in gone)
    # Nobody is left to be offered an account.
    inviting = known.inviting and known.applicant not in people
    state = known.model_copy(update={"parts": parts, "inviting": inviting, "version": version})
    records = tuple(
        AccountsRecordGone(record_key=record_key(part.sealed), version=version) for part in gone
    )
    return Accepted(state, records)


def _decided_already() -> Refused[Refusal]:
    return Refused(Refusal("volunteer-decided", rule="DOAJ-6c2"))


def _next(
    known: KeptVolunteer, what: VolunteerWhat, actor: str, now: datetime, **changes: object
) -> KeptVolunteer:
    facts = (*known.facts, VolunteerFact(at=now, what=what, actor=actor))
    return known.model_copy(update={**changes, "facts": facts, "version": known.version + 1})


def _record(part: KeptPart, version: int) -> Event:
    return AccountsRecordKept(
        record_key=record_key(part.sealed),
        sealed=part.sealed,
        subjects=(part.subject,),
        version=version,
    )
