"""People who have an account: what they are to others, and their details as ciphertext.

Decisions never see a name or an address: they get sealed records and blind indexes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from services.accounts.errors import Refusal
from shared.events.base import Event
from shared.events.decisions import Accepted, Refused, Unchanged, saying
from shared.events.people import (
    PersonDetailsCorrected,
    PersonFact,
    PersonPasswordChanged,
    PersonRegistered,
    PersonRolesSet,
    PersonState,
    PersonWhat,
)
from shared.events.personal import AccountsRecordKept, BlindIndexed, Sealed, record_key
from shared.privacy.personal import Personal, PersonalData

MOST_FACTS: Final = 500  # the first and the newest; what lies between them is dropped beyond that
RECORD: Final = "details"  # the one personal record of an account, and the unit of its key
SELF: Final = "self"
RETENTION: Final = "retention"  # who erases

Name = Annotated[
    str,
    Personal("account", purposes=("account-admin", "update-question"), portable=True),
]
Email = Annotated[
    str,
    Personal(
        "account",
        purposes=(
            "account-admin",
            "security",
            "update-question",
            "status-change",
            "dashboard-change",
            "feature",
            "metadata-question",
            "application-question",
        ),
        portable=True,
        address=True,
    ),
]


class PersonDetails(PersonalData, schema="accounts.person-details.v1"):
    """All that an account holds of a person beside the hash of a password (DOAJ-1a2)."""

    name: Name | None = None
    email: Email


class KeptPerson(PersonState):
    """A person's document; of one whose account was deleted it holds neither details nor index."""

    details: Sealed | None
    subjects: tuple[BlindIndexed, ...]
    password_hash: str | None = None


Decided = Accepted[KeptPerson] | Unchanged[KeptPerson] | Refused[Refusal]
UNKNOWN: Final[Refused[Refusal]] = Refused(Refusal("person-unknown"))


@dataclass(frozen=True, slots=True)
class New:
    """A person who confirmed an address."""

    person: str
    category: str
    details: Sealed
    subjects: tuple[str, ...]
    roles: tuple[str, ...] = ()
    invited_by: str | None = None


def register(known: KeptPerson | None, new: New, *, now: datetime) -> Decided:
    """Make the account of a person whose address was confirmed; once."""
    if known is not None:
        return Unchanged(known)
    what: PersonWhat = "invited" if new.invited_by else "registered"
    state = KeptPerson(
        person=new.person,
        category=new.category,
        roles=new.roles,
        registered_at=now,
        facts=(PersonFact(at=now, what=what, actor=new.invited_by or SELF),),
        details=new.details,
        subjects=new.subjects,
        version=1,
    )
    return Accepted(state, (_record(state, new.details), saying(PersonRegistered, state)))


def rename(known: KeptPerson | None, details: Sealed, *, actor: str, now: datetime) -> Decided:
    """Replace the details of a person whose address stays."""
    if known is None or known.status == "closed":
        return UNKNOWN
    state = changed(known, "name-changed", actor, now, details=details)
    return Accepted(state, (_record(state, details), saying(PersonDetailsCorrected, state)))


def change_address(
    known: KeptPerson | None,
    details: Sealed,
    subjects: tuple[str, ...],
    *,
    actor: str,
    now: datetime,
) -> Decided:
    """Let an address that was confirmed take the place of the former (DOAJ-1a8)."""
    if known is None or known.status == "closed":
        return UNKNOWN
    if known.subjects == subjects:
        return Unchanged(known)
    state = changed(known, "address-changed", actor, now, details=details, subjects=subjects)
    return Accepted(state, (_record(state, details), saying(PersonDetailsCorrected, state)))


def set_password(
    known: KeptPerson | None, password_hash: str | None, *, actor: str, now: datetime
) -> Decided:
    """Keep the hash of a new password; null voids the password, as staff may."""
    if known is None or known.status == "closed":
        return UNKNOWN
    what: PersonWhat = "password-set" if password_hash else "password-reset"
    state = changed(known, what, actor, now, password_hash=password_hash)
    return Accepted(state, (saying(PersonPasswordChanged, state),))


def set_roles(
    known: KeptPerson | None,
    roles: tuple[str, ...],
    *,
    among: Collection[str],
    actor: str,
    now: datetime,
) -> Decided:
    """Give a person these roles and no others; all must be rows of the policy."""
    if known is None or known.status == "closed":
        return UNKNOWN
    unknown = tuple(f"/roles/{place}" for place, role in enumerate(roles) if role not in among)
    if unknown:
        return Refused(Refusal("role-unknown", rule="DOAJ-4a2", places=unknown))
    wanted = tuple(sorted(set(roles)))
    if wanted == known.roles:
        return Unchanged(known)
    state = changed(known, "roles-set", actor, now, roles=wanted)
    return Accepted(state, (saying(PersonRolesSet, state),))


def changed(
    known: KeptPerson, what: PersonWhat, actor: str, now: datetime, **changes: object
) -> KeptPerson:
    """Return the next state of a person, with the dated fact of what changed it."""
    facts = (*known.facts, PersonFact(at=now, what=what, actor=actor))
    if len(facts) > MOST_FACTS:
        facts = (facts[0], *facts[-(MOST_FACTS - 1) :])
    return known.model_copy(update={**changes, "facts": facts, "version": known.version + 1})


def _record(state: KeptPerson, details: Sealed) -> Event:
    return AccountsRecordKept(
        record_key=record_key(details),
        sealed=details,
        subjects=state.subjects,
        version=state.version,
    )
