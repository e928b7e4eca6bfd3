"""Applications of volunteers: decided once, archived after that, each person on their own."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.accounts.model import volunteers
from services.accounts.model.volunteers import KeptPart, KeptVolunteer, Referee, Volunteer
from shared.events.decisions import Accepted, Unchanged
from shared.events.personal import AccountsRecordKept, Sealed
from shared.events.volunteers import VolunteerState
from tests.unit.accounts.given import AT, accepted, refused

APPLICATION = "01900000-0000-7000-8000-000000000001"
WHO = tuple(f"p{number:032x}" for number in (1, 2))
STAFF = f"staff:{'p' + 'f' * 32}"
LATER = AT + timedelta(days=3)


def part(person: str, schema: str) -> KeptPart:
    sealed = Sealed(
        schema_id=schema,
        person=person,
        cls="volunteer-application",
        unit=APPLICATION,
        record=APPLICATION,
        values={"/name": f"pe1.{person}.volunteer-application.{APPLICATION}.{'x' * 40}"},
    )
    return KeptPart(sealed=sealed, subject=f"bi1.{person[1:]}{person[1:]}")


PARTS = (
    part(WHO[0], "accounts.volunteer.v1"),
    part(WHO[1], "accounts.volunteer-referee.v1"),
)


def an_application() -> KeptVolunteer:
    return accepted(volunteers.apply(None, APPLICATION, PARTS, now=AT))


def decided(how: str, state: KeptVolunteer, **more: Any) -> Any:
    said = {"actor": STAFF, "now": LATER} | more
    return getattr(volunteers, how)(state, **said)


@pytest.mark.clause("DOAJ-1b1")
def test_an_application_holds_names_and_addresses_and_nothing_else_of_anybody() -> None:
    for kind in (Volunteer, Referee):
        assert set(kind.model_fields) == {"name", "email"}
        with pytest.raises(ValidationError):
            kind(name="X", email="x@y.example", phone="1")  # type: ignore[call-arg]
    assert {one.source for one in Referee.fields_.values()} == {"applicant"}


@pytest.mark.clause("DOAJ-1b1")
def test_each_person_of_an_application_has_a_record_of_their_own_and_its_fact_has_none() -> None:
    kept = volunteers.apply(None, APPLICATION, PARTS, now=AT)
    assert isinstance(kept, Accepted)
    *records, fact = kept.events
    assert [one.sealed.person for one in records if isinstance(one, AccountsRecordKept)] == [*WHO]
    assert [one.subjects for one in records if isinstance(one, AccountsRecordKept)] == [
        (one.subject,) for one in PARTS
    ]
    assert set(fact.model_dump()) == set(VolunteerState.model_fields)
    assert "pe1." not in fact.model_dump_json()
    assert "bi1." not in fact.model_dump_json()


@pytest.mark.clause("DOAJ-6c1")
def test_what_is_open_is_not_archived_and_what_was_decided_is_not_decided_otherwise() -> None:
    state = an_application()
    assert refused(decided("archive", state)) == "volunteer-open"
    taken = accepted(decided("accept", state, category="volunteer"))
    assert decided("accept", taken, category="volunteer") == Unchanged(taken)
    assert refused(decided("accept", taken, category="ambassador")) == "volunteer-decided"
    assert refused(decided("reject", taken)) == "volunteer-decided"
    turned = accepted(decided("reject", state))
    assert decided("reject", turned) == Unchanged(turned)
    assert refused(decided("accept", turned, category="volunteer")) == "volunteer-decided"


@pytest.mark.clause("DOAJ-6c2")
def test_both_dates_that_a_clock_may_start_from_are_kept() -> None:
    turned = accepted(decided("reject", an_application()))
    away = accepted(decided("archive", turned, now=LATER + timedelta(days=1)))
    assert (away.applied_at, away.decided_at) == (AT, LATER)
    assert away.archived_at == LATER + timedelta(days=1)
    assert away.status == "rejected"
    assert decided("archive", away) == Unchanged(away)
    assert [fact.what for fact in away.facts] == ["applied", "rejected", "archived"]


@pytest.mark.clause("DOAJ-1b3")
def test_an_acceptance_is_an_invitation_that_is_written_down_once() -> None:
    taken = accepted(decided("accept", an_application(), category="volunteer"))
    assert taken.inviting
    asked = volunteers.invited(taken)
    assert isinstance(asked, Accepted)
    assert (asked.state.inviting, asked.events) == (False, ())
    assert volunteers.invited(asked.state) == Unchanged(asked.state)
    assert not accepted(decided("reject", an_application())).inviting
