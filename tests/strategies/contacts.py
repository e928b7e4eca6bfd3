"""Events about contacts and memberships as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import ContactState, Event, MembershipState
from shared.events.contacts import ContactFact, MembershipFact
from tests.strategies.people import ACTORS, IDS, INSTANTS, PEOPLE, WORDS, Strategies

NUMBERS = st.integers(1, 2**53 - 1)


def fields(kind: type[Event]) -> Strategies:
    """Return the strategies of the fields of these events; none for others."""
    if issubclass(kind, ContactState):
        facts = st.builds(
            ContactFact,
            at=INSTANTS,
            what=st.sampled_from(["named", "agreed", "opted-out"]),
            contact=PEOPLE,
            actor=ACTORS,
            policy_version=st.text(max_size=20),
        )
        return {
            "seat": st.builds("{}|{}".format, NUMBERS, WORDS),
            "organisation": NUMBERS,
            "role": WORDS,
            "standing": st.sampled_from(["asked", "agreed", "vacant"]),
            "contact": st.none() | PEOPLE,
            "wanted_since": st.none() | INSTANTS,
            "facts": st.lists(facts, max_size=2).map(tuple),
        }
    if issubclass(kind, MembershipState):
        facts = st.builds(
            MembershipFact,
            at=INSTANTS,
            what=WORDS,
            on=st.none() | st.dates(),
            actor=ACTORS,
        )
        return {
            "application": IDS,
            "status": st.sampled_from(["inactive", "active", "refused", "withdrawn"]),
            "organisation": st.none() | NUMBERS,
            "facts": st.lists(facts, max_size=2).map(tuple),
        }
    return {}
