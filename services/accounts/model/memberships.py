"""Applications for membership, and when one is active (CRP-4a, 4b, 4c).

Inactive until every step of contacts.toml stands on record, in whatever order. Its document keeps
the contacts that were named, sealed, until the membership is active or was refused or withdrawn.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from services.accounts.errors import Refusal
from services.accounts.model.contacts import Named
from shared.events.base import Event, OrganisationId, State
from shared.events.contacts import (
    MembershipActivated,
    MembershipApplied,
    MembershipFact,
    MembershipRefused,
    MembershipState,
    MembershipStepRecorded,
    MembershipWithdrawn,
)
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.people import Word
from shared.events.personal import (
    AccountsRecordGone,
    AccountsRecordKept,
    BlindIndexed,
    Pseudonym,
    Sealed,
    record_key,
)

End = Literal["refused", "withdrawn"]
ENDED: Final[Mapping[End, type[Event]]] = {
    "refused": MembershipRefused,
    "withdrawn": MembershipWithdrawn,
}
APPLICANT: Final = "self"


class Proposed(State):
    """A contact as an application named it."""

    role: Word
    contact: Pseudonym
    details: Sealed
    subjects: tuple[BlindIndexed, ...]

    def of(self, organisation: int) -> Named:
        """Return it as a contact of the organisation that the membership made."""
        return Named(organisation, self.role, self.contact, self.details, self.subjects)


class KeptMembership(MembershipState):
    """A membership's document.

    ``number`` is what its organisation will be called by; ``unsettled`` says that the organisation
    and its contacts are still to be made.
    """

    number: OrganisationId
    proposed: tuple[Proposed, ...] = ()
    unsettled: bool = False

    @property
    def steps(self) -> dict[str, date]:
        """The steps that stand on record, with their days."""
        return {one.what: one.on for one in self.facts if one.on is not None}


Decided = Accepted[KeptMembership] | Unchanged[KeptMembership] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("membership-unknown"))
CLOSED: Final[Refused[Refusal]] = Refused(Refusal("membership-closed", rule="CRP-4b"))


@dataclass(frozen=True, slots=True)
class Application:
    """What was applied for, under ids of its own."""

    application: str
    number: int
    name: str
    location: str | None
    proposed: tuple[Proposed, ...]


def complete(
    named: Collection[str], *, required: Sequence[str], known: Collection[str]
) -> Refused[Refusal] | None:
    """Refuse an application that does not name every required role, or names another (CRP-4c)."""
    missing = tuple(f"/contacts/{role}" for role in required if role not in named)
    if missing:
        return Refused(Refusal("membership-incomplete", rule="CRP-4c", places=missing))
    unknown = tuple(f"/contacts/{role}" for role in sorted(set(named) - set(known)))
    if unknown:
        return Refused(Refusal("contact-role-unknown", rule="CRP-4g", places=unknown))
    return None


def apply(known: KeptMembership | None, new: Application, *, now: datetime) -> Decided:
    """Keep an application; it makes nobody a member."""
    if known is not None:
        return Unchanged(known)
    state = KeptMembership(
        application=new.application,
        name=new.name,
        location=new.location,
        status="inactive",
        number=new.number,
        proposed=new.proposed,
        facts=(MembershipFact(at=now, what="applied", actor=APPLICANT),),
        version=1,
    )
    records = tuple(_record(one) for one in new.proposed)
    return Accepted(state, (*records, saying(MembershipApplied, state)))


def record(
    known: KeptMembership | None,
    step: str,
    on: date,
    *,
    steps: Collection[str],
    actor: str,
    now: datetime,
) -> Decided:
    """Put a step on record; with the last of them the membership is active (CRP-4b)."""
    refused = _refused(known, step, on, steps, now)
    if refused is not None:
        return refused
    assert known is not None
    if step in known.steps:
        return Unchanged(known)
    facts = (*known.facts, MembershipFact(at=now, what=step, on=on, actor=actor))
    version = known.version + 1
    if set(steps) - {one.what for one in facts}:
        state = known.model_copy(update={"facts": facts, "version": version})
        return Accepted(state, (saying(MembershipStepRecorded, state),))
    active = MembershipFact(at=now, what="active", actor=actor)
    state = known.model_copy(
        update={
            "status": "active",
            "organisation": known.number,
            "unsettled": True,
            "facts": (*facts, active),
            "version": version,
        }
    )
    return Accepted(state, (saying(MembershipActivated, state),))


def end(known: KeptMembership | None, how: End, *, actor: str, now: datetime) -> Decided:
    """Refuse or withdraw an application, and let its contacts go.

    An active membership has no way back: no clause gives one.
    """
    if known is None:
        return UNKNOWN
    if known.status == how:
        return Unchanged(known)
    if known.status == "active":
        return Refused(Refusal("membership-active", rule="CRP-4b"))
    if known.status != "inactive":
        return CLOSED
    fact = MembershipFact(at=now, what=how, actor=actor)
    state = known.model_copy(
        update={
            "status": how,
            "proposed": (),
            "facts": (*known.facts, fact),
            "version": known.version + 1,
        }
    )
    gone = tuple(
        AccountsRecordGone(record_key=record_key(one.details), version=state.version)
        for one in known.proposed
    )
    return Accepted(state, (*gone, saying(ENDED[how], state)))


def erase(known: KeptMembership | None, people: Collection[str]) -> Decided:
    """Erase some of the contacts that an application named; it stays, and may name others."""
    if known is None:
        return UNKNOWN
    gone = [one for one in known.proposed if one.contact in people]
    if not gone:
        return Unchanged(known)
    version = known.version + 1
    proposed = tuple(one for one in known.proposed if one not in gone)
    state = known.model_copy(update={"proposed": proposed, "version": version})
    records = tuple(
        AccountsRecordGone(record_key=record_key(one.details), version=version) for one in gone
    )
    return Accepted(state, records)


def settled(known: KeptMembership | None) -> Decided:
    """Note that the organisation is there, and its contacts stand with it."""
    if known is None:
        return UNKNOWN
    if not known.unsettled:
        return Unchanged(known)
    fields = {"unsettled": False, "proposed": (), "version": known.version + 1}
    return Accepted(known.model_copy(update=fields), ())


def _refused(
    known: KeptMembership | None, step: str, on: date, steps: Collection[str], now: datetime
) -> Refused[Refusal] | None:
    if step not in steps:
        return Refused(Refusal("step-unknown", rule="CRP-4b"))
    if known is None:
        return UNKNOWN
    if known.status not in {"inactive", "active"}:
        return CLOSED
    if on > now.date():
        return Refused(Refusal("step-in-the-future", rule="CRP-4b", places=("/on",)))
    if known.steps.get(step, on) != on:
        return Refused(Refusal("step-recorded-otherwise", rule="CRP-4b", places=("/on",)))
    return None


def _record(one: Proposed) -> Event:
    # The version that its seat will begin with: what is said there is the same.
    return AccountsRecordKept(
        record_key=record_key(one.details), sealed=one.details, subjects=one.subjects, version=1
    )
