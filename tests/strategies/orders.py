"""Orders, evidence and ledger entries as hypothesis may make them."""

from hypothesis import strategies as st

from shared.events import Event
from shared.events.orders import (
    Blocker,
    ControlPlanted,
    EvidenceState,
    KeptUnits,
    LedgerState,
    LookedAt,
    OrderState,
    Tombstoned,
)
from tests.strategies.consent import INSTANTS, NUMBERS, PEOPLE, WORDS
from tests.strategies.personal import CLASSES, SEALED

IDS = st.uuids(version=4).map(str)
DIGESTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
COUNTS = st.integers(0, 1000)
CONTROLS = st.from_regex(r"pe1\.p[0-9a-f]{32}\.control\.control\.[0-9a-f]{64}", fullmatch=True)
ROOMS = st.text(" ", max_size=20)
VERSIONS = st.integers(1, 1000)
RECORDS = st.lists(
    st.builds(
        KeptUnits,
        keys_id=st.builds("{}.{}".format, PEOPLE, CLASSES),
        units=st.lists(WORDS, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
ORDER = {
    "order": IDS,
    "erasure": IDS,
    "kind": st.sampled_from(["look", "erase"]),
    "services": st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    "subjects": st.none() | SEALED,
    "records": RECORDS,
    "classes": st.lists(CLASSES, max_size=2).map(tuple),
    "exempt": st.lists(CLASSES, max_size=2).map(tuple),
    "tells": st.booleans(),
    "given_at": INSTANTS,
    "ended_at": st.none() | INSTANTS,
    "version": NUMBERS,
}
EVIDENCE = {
    "order": IDS,
    "erasure": IDS,
    "kind": st.sampled_from(["look", "erase"]),
    "service": NAMES,
    "outcome": st.sampled_from(["found", "erased", "nothing-found", "exempt", "could-not-look"]),
    "looked": st.lists(
        st.builds(
            LookedAt,
            collection=st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True),
            matched=COUNTS,
            erased=COUNTS,
            kept=COUNTS,
        ),
        max_size=2,
    ).map(tuple),
    "keys_found": RECORDS,
    "exempted": st.lists(CLASSES, max_size=2).map(tuple),
    "blockers": st.lists(st.builds(Blocker, what=NAMES, count=NUMBERS), max_size=1).map(tuple),
    "processors": st.lists(NAMES, max_size=2).map(tuple),
    "tombstones": st.lists(
        st.builds(Tombstoned, topic=NAMES, partition=COUNTS, count=NUMBERS), max_size=2
    ).map(tuple),
    "told": st.none() | SEALED,
    "manifest": DIGESTS,
    "reason": st.none() | NAMES,
    "looked_at": INSTANTS,
    "version": NUMBERS,
}
LEDGER = {
    "entry": IDS,
    "seq": NUMBERS,
    "records": RECORDS,
    "fenced_at": INSTANTS,
    "unreadable_at": st.none() | INSTANTS,
    "certified_at": st.none() | INSTANTS,
    "version": NUMBERS,
}


def of(kind: type[Event]) -> st.SearchStrategy[Event] | None:
    """Return events of a class of this kind, None where it is none."""
    if kind is ControlPlanted:
        return st.builds(
            ControlPlanted, control=NAMES, envelope=CONTROLS, room=ROOMS, version=VERSIONS
        )
    for state, fields in (
        (OrderState, ORDER),
        (EvidenceState, EVIDENCE),
        (LedgerState, LEDGER),
    ):
        if issubclass(kind, state):
            return st.fixed_dictionaries(fields).map(lambda said: kind(**said))
    return None
