"""A membership is active from the last of its three facts on, in whatever order they are told."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.model import memberships
from services.accounts.model.memberships import End, KeptMembership
from shared.events.contacts import MembershipActivated
from shared.events.decisions import Accepted, Refused
from tests.unit.accounts.given import AT, accepted, refused
from tests.unit.accounts.given_contacts import CONTACTS, an_application

STEPS = CONTACTS.steps
DAYS = tuple(AT.date() - timedelta(days=number) for number in range(3))
ENDS: tuple[End, ...] = ("refused", "withdrawn")


@dataclass
class Told:
    """What was told and believed, first word first; ``active`` counts how often it became so."""

    steps: dict[str, date] = field(default_factory=dict)
    ended: str | None = None
    active: int = 0

    @property
    def status(self) -> str:
        return self.ended or ("active" if set(self.steps) == set(STEPS) else "inactive")


def believed(told: Told, step: str, on: date) -> bool:
    """Say whether a fact counts, as the texts read: none after an end, none told otherwise."""
    return told.ended is None and told.steps.get(step, on) == on


PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(DAYS)),
        # Ends come seldom, or few programs would get to an active membership.
        st.tuples(st.sampled_from((*ENDS, *STEPS, *STEPS)), st.just(DAYS[0])),
    ),
    max_size=14,
)


@pytest.mark.clause("CRP-4a")
@pytest.mark.clause("CRP-4b")
@given(PROGRAMS)
def test_it_is_active_exactly_when_all_three_stand_on_record(
    program: list[tuple[str, date]],
) -> None:
    known: KeptMembership = an_application()
    told = Told()
    for number, (verb, day) in enumerate(program):
        now = AT + timedelta(minutes=number)
        if verb in STEPS:
            yes = believed(told, verb, day)
            decided = memberships.record(known, verb, day, steps=STEPS, actor="operator", now=now)
            if yes:
                told.steps[verb] = day
        else:
            yes = told.status in {"inactive", verb}
            decided = memberships.end(known, verb, actor="operator", now=now)  # type: ignore[arg-type]
            if yes:
                told.ended = verb
        assert isinstance(decided, Refused) != yes
        if isinstance(decided, Accepted):
            known = decided.state
            told.active += any(isinstance(one, MembershipActivated) for one in decided.events)
        assert (known.status, known.steps) == (told.status, told.steps)
        assert (known.organisation is None) == (told.status != "active")
    assert told.active == (told.status == "active")


@pytest.mark.clause("CRP-4b")
@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_the_third_fact_makes_it_active_in_all_six_orders(order: tuple[str, ...]) -> None:
    known = an_application()
    for step in order:
        assert (known.status, known.organisation) == ("inactive", None)
        decided = memberships.record(known, step, DAYS[0], steps=STEPS, actor="operator", now=AT)
        known = accepted(decided)
    assert (known.status, known.organisation) == ("active", known.number)
    assert known.unsettled
    for how in ENDS:
        assert refused(memberships.end(known, how, actor="operator", now=AT)) == (
            "membership-active"
        )
