"""What other services say of people, for tests of clocks: events as their writers send them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.events.owners import Holding, OwnerChanged
from shared.events.people import Closing, PersonClosed, PersonFact, PersonRegistered, PersonRolesSet
from shared.events.volunteers import VolunteerApplied, VolunteerArchived, VolunteerFact

DAY = timedelta(days=1)


def moment(text: str) -> datetime:
    """Return a moment in UTC: a date, or a date and a time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pseudonym(number: int) -> str:
    """Return somebody's pseudonym."""
    return f"p{number:032x}"


def application(number: int) -> str:
    """Return an application's id."""
    return f"00000000-0000-7000-8000-{number:012x}"


def registered(number: int, on: str, *, roles: Sequence[str] = ()) -> PersonRegistered:
    """Say that somebody has an account."""
    at = moment(on)
    return PersonRegistered(
        person=pseudonym(number),
        category="publisher",
        roles=tuple(roles),
        registered_at=at,
        facts=(PersonFact(at=at, what="registered", actor="self"),),
        version=1,
    )


def with_roles(before: PersonRegistered, on: str, *roles: str, version: int = 2) -> PersonRolesSet:
    """Say that somebody was given these roles and no others."""
    fact = PersonFact(at=moment(on), what="roles-set", actor="operator")
    changes = {"roles": roles, "facts": (*before.facts, fact), "version": version}
    return PersonRolesSet.model_validate(before.model_dump() | changes)


def closed(before: PersonRegistered, on: str, *, version: int = 3) -> PersonClosed:
    """Say that somebody's account was deleted."""
    fact = PersonFact(at=moment(on), what="closed", actor="self")
    changes = {
        "status": "closed",
        "facts": (*before.facts, fact),
        "closing": Closing(attempt=2, since=moment(on), actor="self"),
        "version": version,
    }
    return PersonClosed.model_validate(before.model_dump() | changes)


def owning(number: int, *journals: str, version: int = 1) -> OwnerChanged:
    """Say which journals hang on somebody's account."""
    held = tuple(Holding(journal=one, turn=1) for one in journals)
    return OwnerChanged(person=pseudonym(number), heard=1, journals=held, version=version)


def applied(number: int, on: str, *, referees: int = 1) -> VolunteerApplied:
    """Say that a volunteer applied, with referees."""
    at = moment(on)
    return VolunteerApplied(
        application=application(number),
        applicant=pseudonym(number),
        referees=tuple(pseudonym(10_000_000 + 10 * number + n) for n in range(referees)),
        applied_at=at,
        facts=(VolunteerFact(at=at, what="applied", actor="self"),),
        version=1,
    )


def archived(number: int, on: str, *, decided: str | None = None) -> VolunteerArchived:
    """Say that an application was rejected and archived."""
    before = applied(number, "2020-01-01")
    rejected = moment(decided or on) - DAY
    facts = (
        VolunteerFact(at=rejected, what="rejected", actor="staff:" + pseudonym(1)),
        VolunteerFact(at=moment(on), what="archived", actor="staff:" + pseudonym(1)),
    )
    changes = {
        "status": "rejected",
        "decided_at": rejected,
        "archived_at": moment(on),
        "facts": (*before.facts, *facts),
        "version": 3,
    }
    return VolunteerArchived.model_validate(before.model_dump() | changes)
