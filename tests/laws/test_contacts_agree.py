"""Nobody is mailed for a further role who did not agree to it, whatever was said in which order."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.model import contacts
from services.accounts.model.contacts import KeptSeat
from services.accounts.model.role_mails import worth
from shared.events.decisions import Accepted, Refused
from shared.policy.uses import Allowed, use_allowed
from tests.unit.accounts.given import said
from tests.unit.accounts.given_contacts import CONTACTS, left_by, named

PEOPLE = ("a", "b", "c")
NAMING = CONTACTS.file.naming
ROLES = CONTACTS.file.roles


@dataclass
class Said:
    """Who has the role, by the pseudonym of that naming, and who said what of themselves."""

    holder: tuple[str, str] | None = None  # person, pseudonym
    agreed: bool = False
    left: set[str] = field(default_factory=set)
    namings: int = 0


PROGRAMS = st.lists(
    st.tuples(
        st.sampled_from(("name", "name", "agree", "leave", "remove", "late-agree", "late-leave")),
        st.sampled_from(PEOPLE),
    ),
    max_size=20,
)


@pytest.mark.clause("CRP-4g")
@given(PROGRAMS)
def test_a_role_is_mailed_for_as_its_present_contact_said(
    program: list[tuple[str, str]],
) -> None:
    known: KeptSeat | None = None
    told, former = Said(), ["f" * 32]
    for number, (verb, who) in enumerate(program):
        at = said(minutes=number)
        if verb == "name":
            new = named(who, number)
            decided = contacts.name(known, new, NAMING, said=at)
            same = told.holder is not None and told.holder[0] == who
            barred = who in told.left or told.namings >= NAMING.most
            assert isinstance(decided, Refused) == (barred and not same)
            if not same and not barred:
                former += [told.holder[1]] if told.holder else []
                told.holder, told.agreed = (who, new.contact), False
                told.namings += 1
        elif verb in {"agree", "late-agree"}:
            pseudonym = told.holder[1] if told.holder and verb == "agree" else former[-1]
            decided = contacts.agree(known, pseudonym, said=at)
            assert isinstance(decided, Refused) == (verb == "late-agree" or told.holder is None)
            told.agreed |= not isinstance(decided, Refused)
        elif verb in {"leave", "late-leave"}:
            mine = verb == "leave" and told.holder is not None
            pseudonym = told.holder[1] if told.holder and mine else former[-1]
            person = told.holder[0] if told.holder else who
            decided = contacts.leave(known, pseudonym, left_by(person), said=at)
            assert isinstance(decided, Refused) == (known is None)  # never blocked
            if told.holder is not None and mine:
                told.left.add(told.holder[0])
                former.append(told.holder[1])
                told.holder, told.agreed = None, False
        else:
            decided = contacts.remove(known, said=at)
            former += [told.holder[1]] if told.holder else []
            told.holder, told.agreed = None, False
        if isinstance(decided, Accepted):
            known = decided.state
        assert_mailed_as_said(known, told)


def assert_mailed_as_said(known: KeptSeat | None, told: Said) -> None:
    held = known is not None and known.contact is not None
    assert held == (told.holder is not None)
    if known is None or told.holder is None:
        assert known is None or (known.details, known.subjects) == (None, ())
        return
    assert known.contact == told.holder[1]
    for row in ROLES:
        answer = use_allowed(CONTACTS.uses, CONTACTS.mail(row), worth([known], "absent"))
        asks = CONTACTS.uses.basis(row.purpose) == "consent"
        assert isinstance(answer, Allowed) == (told.agreed or not asks)
