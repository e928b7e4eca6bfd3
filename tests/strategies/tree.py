"""Events of the transparency log as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import Event
from shared.events.tree import CheckpointState, LeafState, LogKeysState
from tests.strategies.consent import INSTANTS, NUMBERS

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
PLACES = st.integers(0, 2**40)
LEAF = {
    "entry": PLACES.map("leaf-{}".format),
    "index": PLACES,
    "record": TEXTS,
    "leaf": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    "version": NUMBERS,
}
CHECKPOINT = {
    "entry": PLACES.map("checkpoint-{}".format),
    "size": st.integers(1, 2**40),
    "text": TEXTS,
    "signed_at": INSTANTS,
    "version": NUMBERS,
}
LOG_KEYS = {
    "entry": st.just("keys"),
    "keys": st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    "version": NUMBERS,
}


def of(kind: type[Event]) -> st.SearchStrategy[Event] | None:
    """Return events of a class of this kind, None where it is none."""
    for state, fields in (
        (LeafState, LEAF),
        (CheckpointState, CHECKPOINT),
        (LogKeysState, LOG_KEYS),
    ):
        if issubclass(kind, state):
            return st.fixed_dictionaries(fields).map(lambda said: kind(**said))
    return None
