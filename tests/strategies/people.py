"""Events about people as hypothesis may make them."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from shared.events import Event
from shared.events.people import (
    AccessState,
    Closing,
    EndedSignIn,
    PersonAccessState,
    PersonFact,
    PersonKeyState,
    PersonState,
    SigningKeyState,
)
from tests.strategies.consent import SUBJECTS

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PEOPLE = st.from_regex(r"p[0-9a-f]{32}", fullmatch=True)
WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,40}", fullmatch=True)
IDS = st.uuids().map(str)
NUMBERS = st.integers(1, 2**31)
ACTORS = st.sampled_from(["self", "operator"]) | PEOPLE.map("staff:{}".format)
KEYS = st.from_regex(r"token:[0-9a-f]{64}", fullmatch=True)
PUBLIC = st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True)
Strategies = dict[str, st.SearchStrategy[Any]]


def fields(kind: type[Event]) -> Strategies:
    """Return the strategies of the fields of events about people; none for others."""
    if issubclass(kind, PersonState):
        facts = st.builds(
            PersonFact, at=INSTANTS, what=st.sampled_from(["registered", "closed"]), actor=ACTORS
        )
        closing = st.builds(
            Closing,
            attempt=NUMBERS,
            since=INSTANTS,
            actor=ACTORS,
            replacement=st.none() | PEOPLE,
        )
        return {
            "person": PEOPLE,
            "closing": st.none() | closing,
            "category": WORDS,
            "roles": st.lists(WORDS, max_size=3).map(tuple),
            "status": st.sampled_from(["active", "closing", "closed"]),
            "facts": st.lists(facts, max_size=2).map(tuple),
            "subjects": st.lists(SUBJECTS, max_size=2).map(tuple),
        }
    if issubclass(kind, PersonAccessState):
        ended = st.builds(EndedSignIn, sid=IDS, until=INSTANTS)
        return {
            "credential": PEOPLE.map("person:{}".format),
            "tokens_since": st.none() | INSTANTS,
            "ended": st.lists(ended, max_size=2).map(tuple),
        }
    if issubclass(kind, PersonKeyState):
        return {
            "credential": KEYS,
            "person": PEOPLE,
            "scopes": st.lists(WORDS, max_size=3).map(tuple),
            "issued_at": INSTANTS,
            "replaces": st.none() | KEYS,
            "revoked_at": st.none() | INSTANTS,
            "revoked_by": st.none() | ACTORS,
        }
    if issubclass(kind, SigningKeyState):
        return {"credential": PUBLIC.map("signing:{}".format), "public": PUBLIC}
    if issubclass(kind, AccessState):
        return {
            "access": IDS,
            "actor": ACTORS,
            "person": PEOPLE,
            "action": WORDS,
            "reason": WORDS,
            "ticket": st.none() | st.from_regex(r"[A-Za-z0-9#._-]{1,64}", fullmatch=True),
            "policy_version": st.text(max_size=20),
        }
    return {}
