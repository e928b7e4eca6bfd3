"""The ledger: numbers without a gap, and nothing that was entered is ever taken out."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.model import ledger
from services.retention.model.ledger import KeptHead
from shared.events.decisions import Accepted, Unchanged
from shared.events.orders import KeptUnits, LedgerState

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def entry(number: int) -> LedgerState:
    records = (KeptUnits(keys_id=f"p{number:032x}.account"),)
    return LedgerState(
        entry=str(UUID(int=number + 1, version=4)), seq=1, records=records, fenced_at=AT, version=1
    )


@pytest.mark.law("P2")
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=40))
def test_numbers_have_no_gap_whoever_dies_between_the_two_writes(
    tried: list[tuple[int, int]],
) -> None:
    head: KeptHead | None = None
    entries: dict[str, LedgerState] = {}

    def enter(one: LedgerState) -> None:
        done = ledger.enter(entries.get(one.entry), one)
        entries[one.entry] = done.state

    for number, dies_after in tried:
        if entry(number).entry in entries:
            continue
        if head is not None:
            enter(head.last)
        if dies_after == 1:
            continue
        followed = ledger.follow(head, entry(number))
        assert isinstance(followed, Accepted | Unchanged)
        head = followed.state
        if dies_after == 2:
            continue
        enter(head.last)
    if head is not None:
        enter(head.last)
    assert sorted(one.seq for one in entries.values()) == list(range(1, len(entries) + 1))


def test_an_entry_grows_by_keys_and_levels_and_keeps_the_first_time_of_each() -> None:
    first = ledger.enter(None, entry(1)).state
    more = (KeptUnits(keys_id="p" + "9" * 32 + ".support"),)
    later = AT + timedelta(hours=1)
    grown = ledger.extend(first, first, more, {"unreadable_at": AT})
    assert isinstance(grown, Accepted)
    assert grown.state.records == (*first.records, *more)
    again = ledger.extend(grown.state, first, more, {"unreadable_at": later})
    assert isinstance(again, Unchanged)
    assert again.state.unreadable_at == AT


@pytest.mark.law("P2")
def test_a_head_that_was_put_back_goes_on_from_the_last_number_that_was_published() -> None:
    old = KeptHead(last=entry(1))
    last = entry(7).model_copy(update={"seq": 7})
    behind = ledger.catch_up(old, last)
    assert isinstance(behind, Accepted)
    assert (behind.state.last.seq, behind.state.version) == (7, 2)
    assert isinstance(ledger.catch_up(behind.state, entry(1)), Unchanged)
    assert isinstance(ledger.catch_up(behind.state, last), Unchanged)
    following = ledger.follow(behind.state, entry(8))
    assert isinstance(following, Accepted)
    assert following.state.last.seq == 8
    none_left = ledger.catch_up(None, last)
    assert isinstance(none_left, Accepted)
    assert none_left.state.last.seq == 7
