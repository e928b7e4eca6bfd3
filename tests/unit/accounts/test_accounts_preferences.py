"""Preferences: one setting a prefix, one default an account, dated facts of both."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.model.organisations import Assignment, choose_default
from services.accounts.model.prefixes import (
    MOST_FACTS,
    KeptPrefix,
    assign,
    choose,
    choose_by_request,
    copy_default,
    decided_at,
)
from shared.events import (
    AccountDefaultSet,
    PreferenceFact,
    PrefixAssigned,
    PrefixState,
    ReferencePreferenceSet,
    Setting,
)
from shared.events.decisions import Accepted, Unchanged
from shared.policy import effective_setting, history, setting_at
from tests.unit.accounts.given import (
    AT,
    POLICY,
    a_prefix,
    accepted,
    an_organisation,
    refused,
    said,
)

SETTINGS = st.sampled_from([None, *get_args(Setting)])


def in_force(prefix: KeptPrefix, at: datetime = AT) -> str:
    return effective_setting(POLICY, prefix.setting, prefix.account_default, at).setting


@pytest.mark.clause("CRR-8")
def test_unset_is_limited_for_a_new_prefix_and_not_applied_before_the_policy() -> None:
    prefix = a_prefix()
    assert (prefix.setting, prefix.facts) == (None, ())
    assert in_force(prefix) == "limited"
    for day, setting in (("2017-12-31", "open"), ("2018-01-01", "limited")):
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        assert setting_at(POLICY, prefix.facts, at).setting == setting


@pytest.mark.clause("CRR-8")
def test_what_was_open_before_the_policy_stays_open() -> None:
    prefix = a_prefix(setting="open", since=date(2015, 3, 1))
    assert in_force(prefix) == "open"
    assert prefix.facts[0].at == datetime(2015, 3, 1, tzinfo=UTC)
    for year in (2014, 2016, 2018, 2025):
        assert setting_at(POLICY, prefix.facts, datetime(year, 6, 1, tzinfo=UTC)).setting == "open"


def test_a_prefix_has_one_owner_and_is_assigned_once() -> None:
    known = a_prefix()
    assignment = known.assignment
    again = assign(known, assignment, an_organisation(), said=said())
    assert isinstance(again, Unchanged)
    other = assign(known, assignment, an_organisation(79, "Other"), said=said())
    assert refused(other) == "prefix-owned-by-another"
    named = Assignment(prefix="10.5555", name="Another name")
    differently = assign(known, named, an_organisation(), said=said())
    assert refused(differently) == "prefix-assigned-differently"


@pytest.mark.clause("CRR-4")
def test_a_new_prefix_has_its_accounts_default() -> None:
    owner = accepted(choose_default(an_organisation(), "closed", actor="operator"))
    decided = assign(None, Assignment(prefix="10.5555", name="P"), owner, said=said())
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], PrefixAssigned)
    assert in_force(decided.state) == "closed"
    assert isinstance(copy_default(decided.state, owner, said=said()), Unchanged)


@pytest.mark.clause("CRR-9")
def test_a_choice_is_recorded_old_and_new_with_actor_time_and_policy() -> None:
    known = a_prefix()
    decided = choose(known, 78, "closed", said=said("organisation:78", minutes=1))
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], ReferencePreferenceSet)
    assert isinstance(choose(decided.state, 78, "closed", said=said()), Unchanged)
    back = accepted(choose(decided.state, 78, None, said=said(minutes=2)))
    changes = history(POLICY, back.facts)
    assert [(one.before.setting, one.after.setting, one.actor) for one in changes] == [
        ("limited", "closed", "organisation:78"),
        ("closed", "limited", "operator"),
    ]
    assert {one.policy_version for one in changes} == {POLICY.version}
    assert [fact.version for fact in back.facts] == [2, 3]
    assert [decided_at(back, version) for version in (1, 2, 3)] == [
        AT,
        AT + timedelta(minutes=1),
        AT + timedelta(minutes=2),
    ]


def test_somebody_elses_prefix_is_not_there() -> None:
    known, stranger = a_prefix(), an_organisation(79, default_version=5)
    assert refused(choose(known, 79, "closed", said=said())) == "prefix-not-owned"
    assert refused(choose(None, 78, "closed", said=said())) == "prefix-not-owned"
    assert refused(copy_default(known, stranger, said=said())) == "prefix-not-owned"


@pytest.mark.clause("CRR-4")
@given(own=SETTINGS, first=SETTINGS, second=SETTINGS)
def test_an_older_default_never_replaces_a_newer_one(own: Any, first: Any, second: Any) -> None:
    owner = an_organisation()
    known = accepted(choose(a_prefix(), 78, own, said=said())) if own else a_prefix()
    older = owner.model_copy(update={"account_default": first, "default_version": 2})
    newer = owner.model_copy(update={"account_default": second, "default_version": 3})
    decided = copy_default(known, newer, said=said())
    assert isinstance(decided, Accepted)
    assert isinstance(decided.events[0], AccountDefaultSet)
    assert decided.state.account_default == second
    assert isinstance(copy_default(decided.state, older, said=said()), Unchanged)
    # An own choice goes before the account's (CRR-9 before CRR-4), null leaves it to the account.
    assert in_force(decided.state) == (own or second or "limited")


@pytest.mark.clause("CRR-3")
def test_no_state_has_a_place_for_a_choice_per_work_title_or_service() -> None:
    for state in (PrefixState, PreferenceFact):
        chosen = {
            name for name, field in state.model_fields.items() if "open" in repr(field.annotation)
        }
        assert chosen == {"setting", "account_default"}


@pytest.mark.clause("CRR-9")
def test_a_request_is_carried_out_once_and_never_over_a_later_choice() -> None:
    known = a_prefix()

    def asked(state: KeptPrefix, setting: Any, minutes: float) -> Any:
        return choose_by_request(
            state, 78, setting, said=said("support-request:1", minutes=minutes), asked_at=AT
        )

    done = accepted(asked(known, "closed", 1))
    later = accepted(choose(done, 78, "open", said=said(minutes=2)))
    assert isinstance(asked(later, "closed", 3), Unchanged)
    before_it_was_tried = accepted(choose(known, 78, "open", said=said(minutes=2)))
    assert isinstance(asked(before_it_was_tried, "closed", 3), Unchanged)
    assert refused(asked(known.model_copy(update={"owner": 79}), "closed", 1)) == (
        "prefix-not-owned"
    )


def test_facts_are_bounded_and_say_from_when_on_they_are_whole() -> None:
    state = a_prefix()
    for minute in range(MOST_FACTS + 1):
        setting: Setting = "closed" if minute % 2 else "open"
        state = accepted(choose(state, 78, setting, said=said(minutes=minute + 1)))
    assert len(state.facts) == MOST_FACTS
    assert state.complete_since == AT + timedelta(minutes=2)
    assert decided_at(state, 2) is None
    assert decided_at(state, state.version) == AT + timedelta(minutes=MOST_FACTS + 1)
    PrefixState.model_validate({name: getattr(state, name) for name in PrefixState.model_fields})
