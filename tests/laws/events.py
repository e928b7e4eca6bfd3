"""Events as hypothesis may make them: every class of the registry, from its own declaration."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from shared.events import REGISTRY, Event, TitleState
from shared.events.accounts import PreferenceFact
from shared.events.distribution import Standing
from tests.strategies import (
    consent,
    contacts,
    orders,
    owners,
    people,
    personal,
    requests,
    tree,
    volunteers,
)

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SETTINGS = st.sampled_from(["closed", "limited", "open"])
PREFIXES = st.integers(1000, 999_999_999).map(lambda n: f"10.{n}")
DOIS = st.builds(
    lambda prefix, rest: f"{prefix}/{rest}",
    PREFIXES,
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=20),
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TITLES = st.builds(
    "{}:{}".format,
    st.sampled_from(["journal", "book", "conference"]),
    st.from_regex(r"[0-9]{4}-[0-9]{3}[0-9X]|97[89][0-9]{10}|[a-z|]{1,9}", fullmatch=True),
)
COUNTS = st.integers(0, 2**31)
REFERENCES = st.lists(
    st.fixed_dictionaries({"key": TEXTS}, optional={"DOI": DOIS, "unstructured": TEXTS}),
    max_size=4,
)
WORKS = st.fixed_dictionaries(
    {"type": st.sampled_from(["journal-article", "posted-content"])},
    optional={"title": st.lists(TEXTS, max_size=2), "reference": REFERENCES, "page": TEXTS},
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "account_default": st.none() | SETTINGS,
    "at": INSTANTS,
    "assigned_at": INSTANTS,
    "cause": TEXTS,
    "completed_at": st.none() | INSTANTS,
    "created": INSTANTS,
    "credential": st.from_regex(r"(login|token):[0-9a-f]{64}", fullmatch=True),
    "deposited": INSTANTS,
    "doi": DOIS,
    "facts": st.lists(
        st.builds(
            PreferenceFact,
            at=INSTANTS,
            setting=st.none() | SETTINGS,
            actor=TEXTS,
            policy_version=TEXTS,
        ),
        max_size=2,
    ).map(tuple),
    "failure_count": COUNTS,
    "isbns": st.lists(TEXTS, max_size=2).map(tuple),
    "issns": st.lists(TEXTS, max_size=2).map(tuple),
    "location": st.none() | TEXTS,
    "name": TEXTS,
    "names": st.lists(TEXTS, max_size=2).map(tuple),
    "organisation": st.integers(1, 2**53 - 1),
    "outlets": st.lists(TEXTS, max_size=2).map(tuple),
    "owner": st.integers(1, 2**53 - 1),
    "owner_name": TEXTS,
    "owner_prefix": PREFIXES,
    "password_hash": st.none() | TEXTS,
    "prefix": PREFIXES,
    "prefix_version": st.integers(1, 2**31),
    "received_at": INSTANTS,
    "record_count": COUNTS,
    "registered_at": INSTANTS,
    "replica": NAMES,
    "revoked": st.booleans(),
    "scopes": st.lists(st.sampled_from(["deposit", "admin", "plus"]), max_size=3).map(tuple),
    "setting": st.none() | SETTINGS,
    "standing": st.builds(
        Standing,
        prefix=st.none() | PREFIXES,
        name=st.none() | TEXTS,
        setting=st.none() | SETTINGS,
        policy_version=TEXTS,
    ),
    "status": st.sampled_from(["queued", "completed"]),
    "stopping": st.booleans(),
    "subject": DOIS,
    "submission": NAMES,
    "success_count": COUNTS,
    "title": st.none() | TITLES,
    "timestamp": st.from_regex(r"[0-9]{1,32}", fullmatch=True),
    "valid_from": st.none() | INSTANTS,
    "valid_until": st.none() | INSTANTS,
    "version": st.integers(1, 2**31),
    "warning_count": COUNTS,
    "work": WORKS,
    "work_version": st.integers(1, 2**31),
}
OF_TITLES = {"subject": TITLES, "doi": st.none() | DOIS}  # where a name means something else


def of(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Return events of one class; a field without a strategy here is an error to mend here."""
    for of_room in (personal.of, orders.of, requests.of, tree.of):
        whole = of_room(kind)
        if whole is not None:
            return whole
    titles = OF_TITLES if issubclass(kind, TitleState) else {}
    rooms = (consent, contacts, owners, people, volunteers)
    known = FIELDS | titles
    for room in rooms:
        known |= room.fields(kind)
    required = {n: known[n] for n, field in kind.model_fields.items() if field.is_required()}
    optional = {n: known[n] for n, field in kind.model_fields.items() if not field.is_required()}
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: kind(**fields))


def _of_topics(*topics: str) -> st.SearchStrategy[Event]:
    return st.one_of(*(of(kind) for kind in REGISTRY.values() if kind.topic in topics))


def any_events() -> st.SearchStrategy[Event]:
    return st.one_of(*(of(kind) for kind in REGISTRY.values()))


def accounts_events() -> st.SearchStrategy[Event]:
    return _of_topics("accounts.organisations.v1", "accounts.prefixes.v1")


def works_events() -> st.SearchStrategy[Event]:
    return _of_topics("deposits.works.v1")
