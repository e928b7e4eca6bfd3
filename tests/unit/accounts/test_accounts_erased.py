"""What erasing somebody makes of the documents of accounts: their part goes, others stay."""

import pytest

from services.accounts.model import contacts, deletions, memberships, volunteers
from services.accounts.model.people import RETENTION
from shared.events.contacts import ContactRemoved
from shared.events.decisions import Accepted, Unchanged
from shared.events.people import PersonClosed
from shared.events.personal import AccountsRecordGone
from tests.unit.accounts import given_contacts as given
from tests.unit.accounts.given import AT, accepted, refused, said
from tests.unit.accounts.test_accounts_deletions import going
from tests.unit.accounts.test_accounts_people import a_person
from tests.unit.accounts.test_accounts_volunteers import PARTS, WHO, an_application, decided


def gone(decision: object) -> list[str]:
    """Return the keys that are told to be gone, and see that they are told first."""
    assert isinstance(decision, Accepted)
    kinds = [isinstance(one, AccountsRecordGone) for one in decision.events]
    assert kinds == sorted(kinds, reverse=True)
    return [one.key for one in decision.events if isinstance(one, AccountsRecordGone)]


@pytest.mark.clause("DOAJ-9a4")
@pytest.mark.parametrize("before", [a_person(), going()])
def test_an_account_is_closed_whatever_it_waits_for_and_keeps_no_details(
    before: deletions.KeptPerson,
) -> None:
    decision = deletions.erase(before, now=AT)
    assert gone(decision) == [f"{before.person}|account|details"]
    state = accepted(decision)
    assert (state.status, state.details, state.subjects, state.password_hash, state.roles) == (
        "closed",
        None,
        (),
        None,
        (),
    )
    assert (state.facts[-1].what, state.facts[-1].actor) == ("closed", RETENTION)
    assert isinstance(decision, Accepted)
    assert isinstance(decision.events[-1], PersonClosed)
    assert deletions.erase(state, now=AT) == Unchanged(state)
    assert refused(deletions.erase(None, now=AT)) == "person-unknown"


@pytest.mark.clause("DOAJ-9a4")
def test_a_referee_goes_without_the_applicant_and_the_applicant_without_the_referee() -> None:
    state = an_application()
    for person, other in (WHO, reversed(WHO)):
        decision = volunteers.erase(state, {person})
        assert gone(decision) == [f"{person}|volunteer-application|{state.application}"]
        left = accepted(decision)
        assert left.part_of(person) is None
        assert left.part_of(other) in PARTS
        assert (left.applicant, left.referees, left.status) == (WHO[0], (WHO[1],), "open")
        assert volunteers.erase(left, {person}) == Unchanged(left)


def test_whoever_was_erased_is_offered_no_account_any_more() -> None:
    state = accepted(decided("accept", an_application(), category="volunteer"))
    assert state.inviting
    assert not accepted(volunteers.erase(state, {WHO[0]})).inviting
    assert accepted(volunteers.erase(state, {WHO[1]})).inviting


@pytest.mark.clause("DOAJ-9a4")
def test_an_application_for_membership_lets_one_contact_go_and_keeps_the_others() -> None:
    state = given.an_application()
    first, *others = state.proposed
    decision = memberships.erase(state, {first.contact})
    assert gone(decision) == [f"{first.contact}|contact-role|contact"]
    left = accepted(decision)
    assert left.proposed == tuple(others)
    assert memberships.erase(left, {first.contact}) == Unchanged(left)


@pytest.mark.clause("DOAJ-9a4")
def test_a_role_becomes_vacant_unless_somebody_else_has_it_by_now() -> None:
    state = given.a_seat()
    assert state.contact is not None
    assert contacts.erase(state, {given.pseudonym(9)}, said=said(RETENTION)) == Unchanged(state)
    decision = contacts.erase(state, {state.contact}, said=said(RETENTION))
    assert gone(decision) == [f"{state.contact}|contact-role|contact"]
    left = accepted(decision)
    assert (left.standing, left.contact, left.details, left.subjects) == ("vacant", None, None, ())
    assert left.facts[-1].actor == RETENTION
    assert isinstance(decision, Accepted)
    assert isinstance(decision.events[-1], ContactRemoved)
    assert contacts.erase(left, {state.contact}, said=said(RETENTION)) == Unchanged(left)
