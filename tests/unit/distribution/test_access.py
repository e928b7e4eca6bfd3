"""Whose agreement runs, and what an indexer may do then."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.access import CREDENTIALS, Agreements, due
from shared.events import CredentialIssued, Meta, Received
from shared.kafka import rights
from shared.kafka.knowledge import Knowledge
from shared.kafka.rights import Right
from shared.kafka.topics import Audience
from shared.web.callers import _caller

START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(-3, 3).map(lambda hours: START + timedelta(hours=hours))
ORGANISATIONS = (7, 8, 78)
BOTH: set[Audience] = {"public", "plus"}


@st.composite
def tokens(draw: st.DrawFn) -> list[CredentialIssued]:
    """Draw tokens and logins of a few organisations, each at a version of its own."""
    return [
        CredentialIssued(
            credential=f"token:{number:064x}",
            organisation=draw(st.sampled_from(ORGANISATIONS)),
            scopes=draw(st.sampled_from([("plus",), ("deposit", "admin"), ("deposit", "plus")])),
            valid_from=draw(st.none() | INSTANTS),
            valid_until=draw(st.none() | INSTANTS),
            revoked=draw(st.booleans()),
            version=draw(st.integers(1, 3)),
        )
        for number in draw(st.lists(st.integers(0, 3), max_size=6))
    ]


def heard(said: list[CredentialIssued]) -> tuple[Agreements, Knowledge]:
    knowledge = Knowledge((CREDENTIALS,), "nowhere", timedelta(seconds=5))
    agreements = Agreements(knowledge)
    for event in said:
        knowledge._learn(CREDENTIALS, Received(event, Meta("1", "/services/accounts", "")), event)
    return agreements, knowledge


@pytest.mark.clause("CRR-6")
@given(tokens(), INSTANTS)
def test_an_agreement_runs_at_the_broker_while_one_of_its_tokens_is_good_at_the_web(
    said: list[CredentialIssued], now: datetime
) -> None:
    agreements, knowledge = heard(said)
    assert agreements.running(now) == {
        state.organisation
        for state in knowledge.held(CREDENTIALS, CredentialIssued)
        if not state.revoked and _caller("plus", state).reader(now).plus
    }


@given(tokens(), INSTANTS)
def test_nothing_begins_or_ends_before_the_next_change(
    said: list[CredentialIssued], now: datetime
) -> None:
    agreements, _ = heard(said)
    seconds = min(agreements.until_change(now), 86_400.0)
    assert seconds > 0
    just_before = now + timedelta(seconds=seconds) - timedelta(microseconds=1)
    assert agreements.running(just_before) == agreements.running(now)


STANDING = [rights.of_indexer(one, "p.") for one in ORGANISATIONS]
WITH_PLUS = [rights.of_indexer(one, "p.", audiences=BOTH) for one in ORGANISATIONS]
STRAYS = {
    Right("indexer-7", "write", "topic", "p.distribution.open.v1"),
    Right("indexer-8", "all", "topic", "p.", "prefixed"),
    Right("indexer-9", "read", "topic", "p.distribution.plus.v1"),
    Right("indexer-78", "read", "group", "p.", "prefixed"),
    Right("distribution", "write", "topic", "p.distribution.plus.v1"),
}


@pytest.mark.clause("CRR-6")
@given(
    st.sets(st.sampled_from(sorted(frozenset[Right]().union(*WITH_PLUS) | STRAYS))),
    st.sets(st.sampled_from((*ORGANISATIONS, 9))),
)
def test_who_is_known_has_its_products_and_nobody_else_anything(
    there: set[Right], running: set[int]
) -> None:
    found = due(there, running, "p.")
    for organisation, standing, plus in zip(ORGANISATIONS, STANDING, WITH_PLUS, strict=True):
        known = rights.groups_of(organisation, "p.") in there
        mine = {one for one in found if one.user == rights.indexer(organisation)}
        assert mine == ((plus if organisation in running else standing) if known else set())
    assert {one.user for one in found} <= set(map(rights.indexer, ORGANISATIONS))
    assert due(found, running, "p.") == found
