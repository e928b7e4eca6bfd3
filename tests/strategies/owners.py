"""Events about who owns journals as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import Event
from shared.events.owners import Holding, OwnerState
from tests.strategies.people import NUMBERS, PEOPLE, Strategies

JOURNALS = st.from_regex(r"[0-9]{4}-[0-9]{3}[0-9X]", fullmatch=True)


def fields(kind: type[Event]) -> Strategies:
    """Return the strategies of the fields of events about owners; none for others."""
    if not issubclass(kind, OwnerState):
        return {}
    holdings = st.builds(Holding, journal=JOURNALS, turn=NUMBERS)
    return {
        "person": PEOPLE,
        "heard": NUMBERS,
        "closing": st.none() | NUMBERS,
        "heir": st.none() | PEOPLE,
        "journals": st.lists(holdings, max_size=3).map(tuple),
        "released": st.none() | NUMBERS,
    }
