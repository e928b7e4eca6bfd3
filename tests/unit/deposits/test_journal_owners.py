"""Whose journals are: one document for each, and a list of what hangs on an account."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.deposits.errors import OWNER_CLOSING, OWNER_FULL, OWNER_UNKNOWN
from services.deposits.model import owners
from services.deposits.model.owners import KeptJournal
from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.owners import (
    MOST_JOURNALS,
    Holding,
    OwnerChanged,
    OwnerReleased,
    OwnerState,
)
from shared.events.people import Closing, PersonState

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE, HEIR = (f"p{number:032x}" for number in (1, 2))
JOURNAL = "1111-1111"


def said(version: int, *, closing: int | None = None, heir: str | None = None) -> PersonState:
    asked = closing and Closing(attempt=closing, since=AT, actor="self", replacement=heir)
    return PersonState(
        person=ONE,
        category="account-holder",
        registered_at=AT,
        closing=asked or None,
        version=version,
    )


def known(*turns: int, **changes: Any) -> OwnerState:
    journals = tuple(Holding(journal=f"{turn:04}-0000", turn=turn) for turn in turns)
    state = OwnerState(person=ONE, heard=1, journals=journals, version=1)
    return state.model_copy(update=changes)


def after(decided: Any) -> OwnerState:
    assert isinstance(decided, Accepted), decided
    state: OwnerState = decided.state
    return state


def test_of_somebody_on_whom_nothing_hangs_nothing_is_told_before_they_want_to_go() -> None:
    first = owners.hear(None, said(1))
    assert isinstance(first, Accepted)
    assert first.events == ()
    heard = owners.hear(first.state, said(2))
    assert isinstance(heard, Accepted)
    assert (heard.state.heard, heard.events) == (2, ())


@pytest.mark.clause("DOAJ-8a2")
@pytest.mark.parametrize("before", [None, known()])
def test_whoever_wants_to_go_is_released_in_the_write_that_finds_nothing(
    before: OwnerState | None,
) -> None:
    decided = owners.hear(before, said(7, closing=7))
    assert isinstance(decided, Accepted)
    [event] = decided.events
    assert isinstance(event, OwnerReleased)
    assert event.released == 7
    assert after(decided).version == (before.version + 1 if before else 1)


@pytest.mark.clause("DOAJ-8a2")
def test_a_journal_keeps_an_account_until_it_leaves_the_list() -> None:
    waiting = owners.hear(known(3), said(7, closing=7))
    assert isinstance(waiting, Accepted)
    assert [type(event) for event in waiting.events] == [OwnerChanged]
    assert after(waiting).released is None
    moved = {"0003-0000": KeptJournal(journal="0003-0000", owner=HEIR, version=4)}
    gone = owners.let_go(after(waiting), moved)
    assert isinstance(gone, Accepted)
    assert [type(event) for event in gone.events] == [OwnerReleased]
    reopened = after(owners.hear(after(gone), said(8)))
    assert (reopened.closing, reopened.released) == (None, None)


def test_what_is_older_than_what_was_heard_changes_nothing() -> None:
    state = after(owners.hear(known(), said(8)))
    for version in (7, 8):
        assert owners.hear(state, said(version, closing=7)) == Unchanged(state)


def test_nothing_is_put_on_the_list_of_the_unknown_and_of_those_who_go() -> None:
    assert owners.reserve(None, {JOURNAL: 1}) == Refused(OWNER_UNKNOWN)
    assert owners.reserve(known(closing=7), {JOURNAL: 1}) == Refused(OWNER_CLOSING)
    full = known(*range(1, MOST_JOURNALS + 1))
    assert owners.reserve(full, {JOURNAL: 1}) == Refused(OWNER_FULL)
    assert owners.reserve(full, {"0001-0000": 1}) == Unchanged(full)


def test_a_reservation_is_for_a_turn_and_the_later_one_counts() -> None:
    state = after(owners.reserve(known(), {JOURNAL: 2}))
    assert owners.reserve(state, {JOURNAL: 2}) == Unchanged(state)
    later = after(owners.reserve(state, {JOURNAL: 5}))
    assert later.journals == (Holding(journal=JOURNAL, turn=5),)
    assert owners.reserve(later, {JOURNAL: 2}) == Unchanged(later)


@pytest.mark.parametrize(
    ("owner", "version", "stays"),
    [
        (HEIR, 5, False),  # that turn was another's
        (None, 5, False),  # or nobody's
        (ONE, 5, True),  # it is theirs
        (ONE, 9, True),  # also in a later turn
        (HEIR, 4, True),  # the turn is still to come
    ],
)
def test_an_entry_goes_once_its_turn_is_over_and_was_not_theirs(
    owner: str | None, version: int, *, stays: bool
) -> None:
    state = after(owners.reserve(known(), {JOURNAL: 5}))
    found = {JOURNAL: KeptJournal(journal=JOURNAL, owner=owner, version=version)}
    decided = owners.let_go(state, found)
    assert isinstance(decided, Unchanged) == stays


def test_a_turn_that_is_passed_over_comes_to_nothing_and_changes_no_owner() -> None:
    held = KeptJournal(journal=JOURNAL, owner=HEIR, version=4)
    holding = Holding(journal=JOURNAL, turn=5)
    passed = owners.pass_over(held, holding)
    assert isinstance(passed, Accepted)
    assert (passed.state.owner, passed.state.version) == (HEIR, 5)
    assert owners.pass_over(passed.state, holding) == Unchanged(passed.state)
    new = owners.pass_over(None, holding)
    assert isinstance(new, Accepted)
    assert (new.state.owner, new.state.version) == (None, 5)
