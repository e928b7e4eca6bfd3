"""Requests of people as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import Event
from shared.events.consent import NoticeRef
from shared.events.requests import RequestFact, RequestPause, RequestState, RequestTask
from tests.strategies.orders import DIGESTS, IDS
from tests.strategies.people import INSTANTS, NUMBERS, PEOPLE, WORDS

FACTS = st.builds(
    RequestFact,
    at=INSTANTS,
    what=st.sampled_from(["received", "confirmed", "reminded", "answered", "taken-back"]),
    actor=st.sampled_from(["self", "operator", "clock"]),
    about=st.none() | WORDS,
    due=st.none() | INSTANTS,
)
NOTICES = st.builds(NoticeRef, notice=WORDS, number=NUMBERS, label=WORDS, sha=DIGESTS)
REQUEST = {
    "request": IDS,
    "kinds": st.lists(WORDS, min_size=1, max_size=2).map(tuple),
    "channel": st.sampled_from(["web", "mail", "letter", "phone", "in-person"]),
    "person": PEOPLE,
    "status": st.sampled_from(["received", "confirming", "doing", "answered", "taken-back"]),
    "received_at": INSTANTS,
    "registered_at": INSTANTS,
    "confirmed_at": st.none() | INSTANTS,
    "ended_at": st.none() | INSTANTS,
    "identity": st.none() | WORDS,
    "represented": st.booleans(),
    "handler": PEOPLE | WORDS,
    "about_request": st.none() | IDS,
    "notice": st.none() | NOTICES,
    "pauses": st.lists(
        st.builds(RequestPause, reason=WORDS, since=INSTANTS, until=st.none() | INSTANTS),
        max_size=2,
    ).map(tuple),
    "extended_at": st.none() | INSTANTS,
    "tasks": st.lists(st.builds(RequestTask, task=WORDS, service=WORDS), max_size=2).map(tuple),
    "erasure": st.none() | IDS,
    "reason": st.none() | WORDS,
    "policy": WORDS,
    "facts": st.lists(FACTS, max_size=2).map(tuple),
    "version": NUMBERS,
}


def of(kind: type[Event]) -> st.SearchStrategy[Event] | None:
    """Return events of a class of this kind, None where it is none."""
    if not issubclass(kind, RequestState):
        return None
    return st.fixed_dictionaries(REQUEST).map(lambda said: kind(**said))
