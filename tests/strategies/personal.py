"""Events of personal records and of keys as hypothesis may make them."""

from typing import Any

from hypothesis import strategies as st

from shared.events import Event
from shared.events.personal import PersonalRecordState, Sealed, record_key
from shared.events.retention import FencedUnit, KeysState
from tests.strategies.consent import INSTANTS, NUMBERS, PEOPLE, SUBJECTS, WORDS

CLASSES = st.from_regex(r"[a-z][a-z-]{0,20}", fullmatch=True)
SEALED = st.builds(
    Sealed,
    schema_id=st.from_regex(r"[a-z]{1,9}\.[a-z-]{1,9}\.v[1-9]", fullmatch=True),
    person=PEOPLE,
    cls=CLASSES,
    unit=WORDS,
    record=WORDS,
    values=st.just({"/email": f"pe1.p.account.u.{'A' * 40}"}),
)
KEYS = {
    "keys_id": st.builds("{}.{}".format, PEOPLE, CLASSES),
    "fence": st.sampled_from(["active", "restricted", "fenced", "destroyed"]),
    "holds": st.lists(WORDS, max_size=2).map(tuple),
    "fenced_at": st.none() | INSTANTS,
    "destroyed_at": st.none() | INSTANTS,
    "cause": st.none() | WORDS,
    "gone": st.lists(st.builds(FencedUnit, unit=WORDS, fenced_at=INSTANTS), max_size=2).map(tuple),
    "version": NUMBERS,
}


def of(kind: type[Event]) -> st.SearchStrategy[Event] | None:
    """Return events of a class of this kind, None where it is none."""
    if issubclass(kind, PersonalRecordState):
        return st.builds(_record, st.just(kind), SEALED, st.lists(SUBJECTS, max_size=2), NUMBERS)
    if issubclass(kind, KeysState):
        return st.fixed_dictionaries(KEYS).map(lambda fields: kind(**fields))
    return None


def _record(kind: type[Event], sealed: Sealed, subjects: list[str], version: int) -> Event:
    said: dict[str, Any] = {"sealed": sealed, "subjects": tuple(subjects), "version": version}
    return kind(record_key=record_key(sealed), **said)
