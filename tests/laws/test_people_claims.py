"""One address is one person's, in whatever order those who want it take their steps.

A writer that is frozen between its last look at the time and its write of the person is not among
these steps: it would have to stand still for what is left of its reservation.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.accounts.model.addresses import KeptClaim, confirm, reserve
from shared.events.decisions import Accepted, Refused
from tests.unit.accounts.given import AT

INDEXES = ("bi1." + "a" * 64, "bi2." + "b" * 64)
RESERVED = timedelta(minutes=10)
PEOPLE = tuple(f"p{number:032x}" for number in range(1, 4))


@dataclass
class Registry:
    """Claims and whom the address belongs to, as the store would hold them."""

    claims: dict[str, KeptClaim] = field(default_factory=dict)
    has_it: set[str] = field(default_factory=set)
    elapsed: timedelta = timedelta(0)
    reserved: dict[str, timedelta] = field(default_factory=dict)  # by person: until when
    told: set[str] = field(default_factory=set)  # whose claim was confirmed

    def reserve(self, person: str, indexes: tuple[str, ...]) -> None:
        """Reserve under each index, the oldest first; give up at the first that is taken."""
        until = self.elapsed + RESERVED
        for index in indexes:
            known = self.claims.get(index)
            decided = reserve(
                known,
                index,
                person,
                holder_has_it=known is not None and known.person in self.has_it,
                now=AT + self.elapsed,
                until=AT + until,
            )
            if isinstance(decided, Refused):
                self.reserved.pop(person, None)
                return
            self.claims[index] = decided.state
        self.reserved[person] = until

    def write(self, person: str) -> None:
        """Write the person, while the reservation lasts."""
        until = self.reserved.get(person)
        if until is not None and self.elapsed < until:
            self.has_it.add(person)

    def confirm(self, person: str, indexes: tuple[str, ...]) -> None:
        """Confirm the claims of a person who was written."""
        if person not in self.has_it:
            return
        for index in indexes:
            decided = confirm(self.claims.get(index), person)
            assert not isinstance(decided, Refused)
            if isinstance(decided, Accepted):
                self.claims[index] = decided.state
        self.told.add(person)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("reserve", "write", "confirm")),
            st.sampled_from(PEOPLE),
            # Who still has the first version of the index alone, and who has both.
            st.sampled_from((INDEXES[:1], INDEXES)),
        ),
        st.tuples(st.just("wait"), st.integers(1, 900)),
    ),
    max_size=40,
)


@given(STEPS)
def test_an_address_is_never_two_peoples(steps: list[tuple[object, ...]]) -> None:
    registry = Registry()
    for step in steps:
        match step:
            case ("wait", int(seconds)):
                registry.elapsed += timedelta(seconds=seconds)
            case ("reserve", str(person), tuple(indexes)):
                registry.reserve(person, indexes)
            case ("write", str(person), _):
                registry.write(person)
            case ("confirm", str(person), _) if person in registry.has_it:
                registry.confirm(person, tuple(registry.claims))
        assert len(registry.has_it) <= 1
        assert registry.told <= registry.has_it


@given(st.sampled_from(PEOPLE), st.integers(600, 100_000))
def test_what_a_dead_writer_reserved_is_free_when_its_time_is_up(person: str, after: int) -> None:
    registry = Registry()
    registry.reserve(PEOPLE[0], INDEXES)
    registry.elapsed += timedelta(seconds=after)
    registry.reserve(person, INDEXES)
    registry.write(person)
    registry.confirm(person, INDEXES)
    assert registry.told == {person}
