"""A store beside the ledger of erasures: behind, level, or ahead."""

import gc
import tracemalloc
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Event, Meta, from_record, to_record
from shared.events.orders import KeptUnits, LedgerEntryWritten, LedgerState
from shared.kafka.follow import Batch
from shared.privacy.ledger import Ahead, Applied, LedgerGate, compare, hashed
from tests.laws.memory_store import Database

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
X: Final = "00000000-0000-4000-8000-00000000000a"
PERSON: Final = f"p{'a' * 32}"


def an_entry(
    version: int = 1, *, certified: bool = False, units: tuple[str, ...] = (), entry: str = X
) -> LedgerState:
    return LedgerEntryWritten(
        entry=entry,
        seq=1,
        records=(KeptUnits(keys_id=f"{PERSON}.account", units=units),),
        fenced_at=AT,
        certified_at=AT if certified else None,
        version=version,
    )


def named(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def applied(entry: LedgerState) -> dict[str, Applied]:
    return {X: Applied(entry.version, hashed(entry))}


@pytest.mark.law("P2")
def test_a_store_that_was_put_back_is_behind_whether_or_not_its_erasure_was_certified() -> None:
    certified = an_entry(3, certified=True)
    assert compare({X: certified}, {}, {}, starting=True).due == (X,)
    # Its order stands: it was given, and what this copy did of it is not known.
    for answered in (True, False):
        assert compare({X: an_entry()}, {}, {X: answered}, starting=True).due == (X,)


def test_a_fence_alone_erases_nothing_for_it_may_be_taken_back() -> None:
    for starting in (True, False):
        compared = compare({X: an_entry()}, {}, {}, starting=starting)
        assert (compared.due, compared.noted, compared.level) == ((), (), ())


def test_an_order_of_this_moment_is_left_to_who_answers_it_and_noted_then() -> None:
    assert compare({X: an_entry()}, {}, {X: False}, starting=False).due == ()
    assert compare({X: an_entry()}, {}, {X: True}, starting=False).noted == (X,)


def test_an_entry_that_went_further_is_only_noted_and_one_that_names_more_is_applied() -> None:
    before = an_entry(units=("one",))
    same = an_entry(2, certified=True, units=("one",))
    more = an_entry(2, certified=True, units=("one", "two"))
    assert compare({X: same}, applied(before), {}, starting=True).noted == (X,)
    assert compare({X: more}, applied(before), {}, starting=True).due == (X,)
    level = compare({X: before}, applied(before), {}, starting=True)
    assert (level.due, level.noted, level.level) == ((), (), (X,))


@pytest.mark.law("P2")
@given(
    st.dictionaries(st.integers(0, 3), st.integers(1, 3)),
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=12),
)
def test_a_ledger_that_lacks_what_a_store_has_applied_was_put_back(
    store: dict[int, int], read: list[tuple[int, int]]
) -> None:
    ahead = Ahead({named(number): version for number, version in store.items()})
    newest: dict[int, int] = {}
    for number, version in read:
        # In the order of a log: a version never goes down.
        newest[number] = max(version, newest.get(number, 0))
        ahead.see(an_entry(newest[number], entry=named(number)))
    lacks = {named(one) for one, version in store.items() if newest.get(one, 0) < version}
    assert set(ahead.versions) == lacks


def test_an_entry_that_says_no_more_than_was_applied_is_not_kept() -> None:
    ahead = Ahead({X: 2})
    assert ahead.see(an_entry(1))
    assert ahead.see(an_entry(2))
    assert not ahead.see(an_entry(3))
    assert not ahead.see(an_entry(1, entry=named(7)))


@dataclass(frozen=True)
class Read:
    """A record as the broker gives it."""

    key: bytes | None
    value: bytes | None
    headers: Any


class Nobody:
    """Obeys nothing: no order stands here."""

    async def hear(self, _batch: Any) -> None:
        return

    async def standing(self, _names: Any) -> list[Any]:
        return []


async def kept(entries: int) -> tuple[int, LedgerGate]:
    """Follow a ledger that is applied here; return the bytes that are kept for good, and the gate.

    One more is fenced, and waits.
    """
    applied: Any = Database()["ledger"]
    said = [an_entry(3, certified=True, entry=named(number)) for number in range(entries)]
    for one in said:
        await applied.update_one(
            {"_id": one.entry}, {"$set": {"version": 3, "records": hashed(one)}}, upsert=True
        )
    meta = Meta("id", "/services/retention", "2026-01-01T00:00:00Z")
    sent = [to_record(cast("Event", one), meta) for one in [*said, an_entry(entry=named(entries))]]
    del said
    gate = LedgerGate(cast("Any", Nobody()), applied, "")
    for one in sent:  # pydantic remembers some thousands of the texts that it read last
        from_record(one.key, one.value, one.headers)
    gc.collect()
    tracemalloc.start()
    gate._ahead = await gate._noted()
    for start in range(0, len(sent), 1000):
        page = [
            (("retention.ledger.v1", 0), Read(one.key, one.value, one.headers))
            for one in sent[start : start + 1000]
        ]
        behind = max(len(sent) - start - 1000, 0)
        await gate._take(Batch(cast("Any", tuple(page)), {}, behind))
    del page
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, gate


async def test_memory_does_not_grow_with_the_ledger() -> None:
    few, _ = await kept(100)
    many, gate = await kept(2000)
    assert gate.passed.is_set()
    assert list(gate._behind) == [named(2000)]  # a fence alone waits, however long
    assert many - few < 50_000
