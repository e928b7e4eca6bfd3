"""Events of consent as hypothesis may make them."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from shared.events import ConsentState, Event, NoticeState, ProcessorState, ReaderReport
from shared.events.consent import (
    ConsentFact,
    Controller,
    NoticeRef,
    NoticeVersion,
    Officer,
    WithdrawalApplied,
)

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
PURPOSES = st.from_regex(r"[a-z][a-z-]{0,20}(:[a-z][a-z0-9-]{0,20})?", fullmatch=True)
SHAS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
SUBJECTS = st.from_regex(r"bi[1-9]\.[0-9a-f]{64}", fullmatch=True)
PEOPLE = st.from_regex(r"p[0-9a-f]{32}", fullmatch=True)
NUMBERS = st.integers(1, 2**31)
HAPPENED = ["requested", "given", "refused", "withdrawn", "expired", "reconfirmed"]
CHANNELS = ["link", "one-click", "letter", "e-mail", "telephone", "clock"]


def _tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=2).map(tuple)


REFS = st.builds(NoticeRef, notice=WORDS, number=NUMBERS, label=TEXTS, sha=SHAS)
FACTS = st.builds(
    ConsentFact,
    at=INSTANTS,
    what=st.sampled_from(HAPPENED),
    by=st.sampled_from(["person", "operator", "system"]),
    channel=st.sampled_from(CHANNELS),
    said_at=st.none() | INSTANTS,
    notice=st.none() | REFS,
    cause=st.none() | TEXTS,
    evidence=st.none() | TEXTS,
)
VERSIONS = st.builds(
    NoticeVersion,
    number=NUMBERS,
    label=TEXTS,
    sha=SHAS,
    language=TEXTS,
    change=st.sampled_from(["material", "editorial"]),
    purposes=_tuples(TEXTS),
    reviewed=TEXTS,
    controller=st.builds(Controller, name=TEXTS, address=TEXTS, jurisdiction=TEXTS, scope=TEXTS),
    officer=st.builds(Officer, role=TEXTS, name=TEXTS, email=TEXTS, post=TEXTS),
    feedback=TEXTS,
    published_at=INSTANTS,
    effective_at=INSTANTS,
)
FIELDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    NoticeState: {
        "notice": WORDS,
        "title": TEXTS,
        "versions": _tuples(VERSIONS),
        "version": NUMBERS,
    },
    ConsentState: {
        "consent": st.builds("{}|{}".format, SUBJECTS, PURPOSES),
        "subject": SUBJECTS,
        "purpose": PURPOSES,
        "person": PEOPLE,
        "standing": st.sampled_from([*HAPPENED[:-1], "erased"]),
        "notice": st.none() | REFS,
        "valid_until": st.none() | INSTANTS,
        "facts": _tuples(FACTS),
        "version": NUMBERS,
    },
    ReaderReport: {
        "replica": WORDS,
        "since": INSTANTS,
        "at": INSTANTS,
        "stopping": st.booleans(),
        "applied": _tuples(
            st.builds(WithdrawalApplied, withdrawal=WORDS, decided_at=INSTANTS, at=INSTANTS)
        ),
    },
    ProcessorState: {
        "processor": WORDS,
        "name": TEXTS,
        "kind": TEXTS,
        "purposes": _tuples(TEXTS),
        "fields": _tuples(TEXTS),
        "transfer": TEXTS,
        "policy_link": st.none() | TEXTS,
        "open_source": st.booleans(),
        "trust": st.none() | TEXTS,
        "active": st.booleans(),
        "version": NUMBERS,
    },
}


def fields(kind: type[Event]) -> dict[str, st.SearchStrategy[Any]]:
    """Return the strategies of a class's fields, where it is one of consent's."""
    return next((known for state, known in FIELDS.items() if issubclass(kind, state)), {})
