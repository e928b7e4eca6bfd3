"""Contacts and applications to begin with; a person is a letter, whose address is theirs alone."""

from services.accounts.model import contacts, memberships
from services.accounts.model.contacts import KeptSeat, Named
from services.accounts.model.memberships import Application, KeptMembership, Proposed
from shared.events.personal import Sealed
from shared.policy.contacts import load_contacts
from shared.policy.uses import load_uses
from tests.processes import ROOT
from tests.unit.accounts.given import AT, accepted, said

POLICIES = ROOT / "deploy" / "policies"
CONTACTS = load_contacts(POLICIES / "contacts.toml", load_uses(POLICIES))
NAMING = CONTACTS.file.naming
PRESS = 78


def pseudonym(number: int) -> str:
    return f"p{number:032x}"


def index_of(who: str) -> str:
    return f"bi1.{who.encode().hex():0>64}"


def left_by(who: str) -> str:
    return f"sup1.{who}"


def sealed(person: str) -> Sealed:
    return Sealed(
        schema_id="accounts.contact.v1",
        person=person,
        cls="contact-role",
        unit="contact",
        record="contact",
        values={"/email": f"pe1.{person}.contact-role.contact.{'x' * 40}"},
    )


def named(who: str, number: int, role: str = "production") -> Named:
    person = pseudonym(number)
    return Named(PRESS, role, person, sealed(person), (index_of(who),), (left_by(who),))


def a_seat(who: str = "a", number: int = 1, role: str = "production") -> KeptSeat:
    return accepted(contacts.name(None, named(who, number, role), NAMING, said=said()))


def an_application() -> KeptMembership:
    new = Application(
        application="01890000-0000-7000-8000-000000000001",
        number=1_795_000_000_000_001,
        name="Press",
        location=None,
        proposed=tuple(
            Proposed(
                role=role,
                contact=pseudonym(number),
                details=sealed(pseudonym(number)),
                subjects=(index_of("a"),),
            )
            for number, role in enumerate(CONTACTS.required)
        ),
    )
    return accepted(memberships.apply(None, new, now=AT))
