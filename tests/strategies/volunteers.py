"""Events about applications of volunteers as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import Event
from shared.events.volunteers import VolunteerFact, VolunteerState
from tests.strategies.people import ACTORS, IDS, INSTANTS, PEOPLE, WORDS, Strategies


def fields(kind: type[Event]) -> Strategies:
    """Return the strategies of the fields of these events; none for others."""
    if not issubclass(kind, VolunteerState):
        return {}
    facts = st.builds(
        VolunteerFact, at=INSTANTS, what=st.sampled_from(["applied", "archived"]), actor=ACTORS
    )
    return {
        "application": IDS,
        "applicant": PEOPLE,
        "referees": st.lists(PEOPLE, max_size=2).map(tuple),
        "status": st.sampled_from(["open", "accepted", "rejected"]),
        "category": st.none() | WORDS,
        "applied_at": INSTANTS,
        "decided_at": st.none() | INSTANTS,
        "archived_at": st.none() | INSTANTS,
        "facts": st.lists(facts, max_size=2).map(tuple),
    }
