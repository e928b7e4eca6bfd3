"""A prefix that goes to another organisation: what moves along, what does not, who sees what."""

from datetime import timedelta

import pytest

from services.accounts.model.organisations import Taking, choose_default, settled, take_over
from services.accounts.model.prefixes import (
    assign,
    choose,
    copy_default,
    decided_at,
    owner_at,
    transfer,
)
from shared.events import PrefixTransferred
from shared.events.decisions import Accepted, Unchanged
from shared.policy import effective_setting, setting_at
from tests.unit.accounts.given import (
    AT,
    POLICY,
    a_prefix,
    accepted,
    an_organisation,
    refused,
    said,
)

PRESS, OTHER = an_organisation(), an_organisation(79, "Other")


def taking(seen: int = 1, name: str = "Other Press") -> Taking:
    return Taking(prefix="10.5555", name=name, seen=seen)


@pytest.mark.clause("CRR-4")
def test_the_setting_does_not_move_along_and_the_new_owners_default_applies() -> None:
    known = accepted(choose(a_prefix(PRESS), 78, "open", said=said(minutes=1)))
    owner = accepted(choose_default(OTHER, "closed", actor="operator"))
    decided = transfer(known, taking(seen=2), owner, said=said(minutes=2))
    assert isinstance(decided, Accepted)
    (event,) = decided.events
    assert isinstance(event, PrefixTransferred)
    assert (event.owner, event.owner_name, event.setting) == (79, "Other Press", None)
    assert (event.account_default, event.version) == ("closed", 3)
    state = decided.state
    assert effective_setting(POLICY, state.setting, state.account_default, AT).setting == "closed"
    assert setting_at(POLICY, state.facts, AT + timedelta(minutes=1)).setting == "open"
    assert setting_at(POLICY, state.facts, AT + timedelta(minutes=2)).setting == "closed"
    assert decided_at(state, 3) == AT + timedelta(minutes=2)


def test_a_transfer_is_dated_even_where_nothing_else_changes() -> None:
    state = accepted(transfer(a_prefix(PRESS), taking(), OTHER, said=said(minutes=1)))
    assert [(fact.actor, fact.setting, fact.version) for fact in state.facts] == [
        ("operator", None, 2)
    ]
    assert owner_at(state, AT) == 78
    assert owner_at(state, AT + timedelta(minutes=1)) == 79


def test_only_the_owner_of_the_moment_chooses_and_is_followed() -> None:
    state = accepted(transfer(a_prefix(PRESS), taking(), OTHER, said=said()))
    assert refused(choose(state, 78, "open", said=said())) == "prefix-not-owned"
    before = accepted(choose_default(PRESS, "open", actor="operator"))
    assert refused(copy_default(state, before, said=said())) == "prefix-not-owned"
    after = accepted(choose_default(OTHER, "closed", actor="operator"))
    assert accepted(copy_default(state, after, said=said())).account_default == "closed"
    assert accepted(choose(state, 79, "open", said=said())).setting == "open"


def test_a_transfer_happens_once_and_only_to_the_version_that_was_seen() -> None:
    known = a_prefix(PRESS)
    state = accepted(transfer(known, taking(), OTHER, said=said()))
    assert isinstance(transfer(state, taking(), OTHER, said=said()), Unchanged)
    moved = accepted(choose(known, 78, "open", said=said()))
    assert refused(transfer(moved, taking(seen=1), OTHER, said=said())) == "version-differs"
    assert refused(transfer(None, taking(), OTHER, said=said())) == "prefix-unknown"
    # A promise of long ago does not take it back from whoever has it now.
    third = an_organisation(80, "Third")
    gone = accepted(transfer(state, taking(seen=2), third, said=said()))
    assert refused(transfer(gone, taking(seen=1), OTHER, said=said())) == "version-differs"


def test_a_prefix_given_on_counts_as_assigned_to_its_new_owner() -> None:
    known = a_prefix(PRESS)
    state = accepted(transfer(known, taking(), OTHER, said=said()))
    assert isinstance(assign(state, state.assignment, OTHER, said=said()), Unchanged)
    assert refused(assign(state, known.assignment, PRESS, said=said())) == "prefix-owned-by-another"


def test_a_promise_stands_until_it_was_carried_out() -> None:
    promised = accepted(take_over(OTHER, taking()))
    assert (promised.taking, promised.unsettled) == ((taking(),), True)
    assert isinstance(take_over(promised, taking()), Unchanged)
    assert isinstance(settled(promised, seen=promised.version - 1), Unchanged)
    assert accepted(settled(promised, seen=promised.version)).taking == ()
    assert refused(take_over(None, taking())) == "organisation-unknown"
