"""A store beside the ledger of erasures: behind, level, or ahead."""

from datetime import UTC, datetime
from typing import Final

import pytest

from shared.events.orders import KeptUnits, LedgerEntryWritten, LedgerState
from shared.privacy.ledger import Applied, compare, hashed

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
X: Final = "00000000-0000-4000-8000-00000000000a"
PERSON: Final = f"p{'a' * 32}"


def an_entry(
    version: int = 1, *, certified: bool = False, units: tuple[str, ...] = ()
) -> LedgerState:
    return LedgerEntryWritten(
        entry=X,
        seq=1,
        records=(KeptUnits(keys_id=f"{PERSON}.account", units=units),),
        fenced_at=AT,
        certified_at=AT if certified else None,
        version=version,
    )


def applied(entry: LedgerState) -> dict[str, Applied]:
    return {X: Applied(entry.version, hashed(entry))}


@pytest.mark.law("P2")
def test_a_store_that_was_put_back_is_behind_whether_or_not_its_erasure_was_certified() -> None:
    certified = an_entry(3, certified=True)
    assert compare({X: certified}, {}, {}, starting=True).due == (X,)
    # Its order stands: it was given, and what this copy did of it is not known.
    for answered in (True, False):
        assert compare({X: an_entry()}, {}, {X: answered}, starting=True).due == (X,)


@pytest.mark.law("P6")
def test_a_fence_alone_erases_nothing_for_it_may_be_taken_back() -> None:
    for starting in (True, False):
        compared = compare({X: an_entry()}, {}, {}, starting=starting)
        assert (compared.due, compared.noted, compared.ahead) == ((), (), ())


def test_an_order_of_this_moment_is_left_to_who_answers_it_and_noted_then() -> None:
    assert compare({X: an_entry()}, {}, {X: False}, starting=False).due == ()
    assert compare({X: an_entry()}, {}, {X: True}, starting=False).noted == (X,)


def test_an_entry_that_went_further_is_only_noted_and_one_that_names_more_is_applied() -> None:
    before = an_entry(units=("one",))
    same = an_entry(2, certified=True, units=("one",))
    more = an_entry(2, certified=True, units=("one", "two"))
    assert compare({X: same}, applied(before), {}, starting=True).noted == (X,)
    assert compare({X: more}, applied(before), {}, starting=True).due == (X,)
    assert compare({X: before}, applied(before), {}, starting=True) == compare(
        {}, {}, {}, starting=True
    )


@pytest.mark.law("P2")
def test_a_ledger_that_lacks_what_a_store_has_applied_was_put_back() -> None:
    assert compare({}, applied(an_entry()), {}, starting=True).ahead == (X,)
    newer = an_entry(2, certified=True)
    assert compare({X: an_entry()}, applied(newer), {}, starting=True).ahead == (X,)
