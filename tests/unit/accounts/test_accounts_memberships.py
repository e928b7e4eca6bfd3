"""Applications for membership: what they must name, what is refused, and what goes with them."""

from datetime import timedelta

import pytest

from services.accounts.model import memberships
from services.accounts.model.memberships import KeptMembership
from shared.events.contacts import MembershipApplied, MembershipWithdrawn
from shared.events.decisions import Accepted, Unchanged
from shared.events.personal import AccountsRecordGone, AccountsRecordKept
from tests.unit.accounts.given import AT, accepted, refused
from tests.unit.accounts.given_contacts import CONTACTS, an_application

TODAY = AT.date()


def record(known: KeptMembership | None, step: str, *, days: int = 0) -> memberships.Decided:
    on = TODAY + timedelta(days=days)
    steps = CONTACTS.steps
    return memberships.record(known, step, on, steps=steps, actor="operator", now=AT)


@pytest.mark.clause("CRP-4c")
@pytest.mark.parametrize("missing", CONTACTS.required)
def test_an_application_names_each_required_role(missing: str) -> None:
    named = set(CONTACTS.required) - {missing}
    said = {"required": CONTACTS.required, "known": CONTACTS.roles}
    decided = memberships.complete(named, **said)
    assert decided is not None
    assert decided.reason.places == (f"/contacts/{missing}",)
    assert decided.reason.rule == "CRP-4c"
    assert memberships.complete(CONTACTS.required, **said) is None
    assert memberships.complete([*CONTACTS.required, "voting"], **said) is None
    unknown = memberships.complete([*CONTACTS.required, "king"], **said)
    assert refused(unknown) == "contact-role-unknown"


@pytest.mark.clause("CRP-4a")
def test_an_application_is_inactive_and_keeps_its_contacts_as_ciphertext() -> None:
    known = an_application()
    assert (known.status, known.organisation, known.unsettled) == ("inactive", None, False)
    again = memberships.apply(known, None, now=AT)  # type: ignore[arg-type]
    assert isinstance(again, Unchanged)
    assert "proposed" not in MembershipApplied.model_fields
    assert {one.role for one in known.proposed} == set(CONTACTS.required)


def test_a_step_is_told_once_on_one_day_that_has_come() -> None:
    known = accepted(record(an_application(), "fee", days=-3))
    assert isinstance(record(known, "fee", days=-3), Unchanged)
    assert refused(record(known, "fee", days=-2)) == "step-recorded-otherwise"
    assert refused(record(known, "approval", days=1)) == "step-in-the-future"
    assert refused(record(known, "tea")) == "step-unknown"
    assert refused(record(None, "fee")) == "membership-unknown"


def test_who_was_named_goes_with_an_application_that_ends() -> None:
    known = an_application()
    decided = memberships.end(known, "withdrawn", actor="operator", now=AT)
    assert isinstance(decided, Accepted)
    *gone, event = decided.events
    assert isinstance(event, MembershipWithdrawn)
    assert all(isinstance(one, AccountsRecordGone) for one in gone)
    assert len(gone) == len(known.proposed)
    assert decided.state.proposed == ()
    assert refused(record(decided.state, "fee")) == "membership-closed"
    assert refused(memberships.end(decided.state, "refused", actor="x", now=AT)) == (
        "membership-closed"
    )
    assert refused(memberships.end(None, "refused", actor="x", now=AT)) == "membership-unknown"


def test_settling_lets_go_of_what_stands_with_the_organisation_by_then() -> None:
    known = an_application()
    for step in CONTACTS.steps:
        known = accepted(record(known, step))
    assert len(known.proposed) == len(CONTACTS.required)
    settled = accepted(memberships.settled(known))
    assert (settled.unsettled, settled.proposed, settled.status) == (False, (), "active")
    assert isinstance(memberships.settled(settled), Unchanged)


def test_each_contact_of_an_application_is_one_sealed_record() -> None:
    known = an_application()
    new = memberships.Application(known.application, known.number, known.name, None, known.proposed)
    decided = memberships.apply(None, new, now=AT)
    assert isinstance(decided, Accepted)
    *records, event = decided.events
    assert isinstance(event, MembershipApplied)
    assert all(isinstance(one, AccountsRecordKept) for one in records)
    assert len({one.key for one in records}) == len(CONTACTS.required)
