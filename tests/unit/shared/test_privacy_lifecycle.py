"""What may become of keys: the table of steps, and when destruction is not too early."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events.decisions import Accepted, Refused, Unchanged
from shared.events.retention import KeysDestroyed, KeysState
from shared.privacy import lifecycle
from shared.privacy.lifecycle import KeptKeys, Wrapped

AT = datetime(2026, 1, 1, tzinfo=UTC)
AFTER = timedelta(seconds=31)
KEYS = "p" + "0" * 32 + ".account"
KEY = Wrapped(epoch=1, key="d3JhcHBlZA==", made_at=AT)


def state(decided: Any) -> KeptKeys:
    """Return what a step led to."""
    assert isinstance(decided, Accepted | Unchanged), decided
    found: KeptKeys = decided.state
    return found


def why(decided: Any) -> str:
    """Return why a step may not be taken."""
    assert isinstance(decided, Refused), decided
    return str(decided.reason.why)


@pytest.fixture
def kept() -> KeptKeys:
    return state(lifecycle.provision(None, KEYS, {"one": KEY, "two": KEY}))


@pytest.mark.law("P2")
def test_a_destruction_counts_from_when_a_fence_was_seen_to_stand(kept: KeptKeys) -> None:
    fenced = state(lifecycle.fence(kept, KEYS, "request-1", at=AT))
    # Whoever fenced may have been frozen for an hour before that was written.
    later = AT + timedelta(hours=1)
    assert why(lifecycle.destroy(fenced, at=later, after=AFTER)) == "too-early"
    seen = state(lifecycle.confirm(fenced, at=later))
    assert why(lifecycle.destroy(seen, at=later + AFTER / 2, after=AFTER)) == "too-early"
    done = lifecycle.destroy(seen, at=later + AFTER, after=AFTER)
    assert isinstance(done, Accepted)
    assert (done.state.fence, done.state.units) == ("destroyed", {})
    (event,) = done.events
    assert isinstance(event, KeysDestroyed)
    assert KEY.key not in event.model_dump_json()


@pytest.mark.law("P2")
def test_what_was_destroyed_stays_destroyed(kept: KeptKeys) -> None:
    fenced = state(lifecycle.confirm(state(lifecycle.fence(kept, KEYS, "r", at=AT)), at=AT))
    gone = state(lifecycle.destroy(fenced, at=AT + AFTER, after=AFTER))
    assert why(lifecycle.provision(gone, KEYS, {"three": KEY})) == "destroyed"
    assert why(lifecycle.take_back(gone, "r")) == "destroyed"
    assert why(lifecycle.restrict(gone, "case")) == "destroyed"
    assert state(lifecycle.fence(gone, KEYS, "r", at=AT)) == gone
    assert state(lifecycle.destroy(gone, at=AT, after=AFTER)) == gone


@pytest.mark.law("P2")
def test_a_person_who_has_no_keys_yet_is_fenced_all_the_same() -> None:
    fenced = state(lifecycle.fence(None, KEYS, "request-1", at=AT))
    assert why(lifecycle.provision(fenced, KEYS, {"one": KEY})) == "fenced"


@pytest.mark.law("P4")
def test_holds_prevent_fences_and_last_until_the_last_is_lifted(kept: KeptKeys) -> None:
    held = state(lifecycle.restrict(state(lifecycle.restrict(kept, "a")), "b"))
    assert why(lifecycle.fence(held, KEYS, "r", at=AT)) == "held"
    assert why(lifecycle.fence_unit(held, "one", at=AT)) == "held"
    one_left = state(lifecycle.release(held, "a"))
    assert one_left.fence == "restricted"
    assert state(lifecycle.release(one_left, "b")).fence == "active"


@pytest.mark.law("P4")
def test_a_hold_that_comes_behind_a_unit_s_fence_keeps_its_key(kept: KeptKeys) -> None:
    fenced = state(lifecycle.fence_unit(kept, "one", at=AT))
    seen = state(lifecycle.confirm(fenced, "one", at=AT))
    held = state(lifecycle.restrict(seen, "case"))
    assert why(lifecycle.destroy_unit(held, "one", at=AT + AFTER, after=AFTER)) == "held"


@pytest.mark.law("P2")
def test_one_record_s_key_goes_and_the_others_and_later_ones_are_untouched(kept: KeptKeys) -> None:
    seen = state(lifecycle.confirm(state(lifecycle.fence_unit(kept, "one", at=AT)), "one", at=AT))
    gone = state(lifecycle.destroy_unit(seen, "one", at=AT + AFTER, after=AFTER))
    assert set(gone.units) == {"two"}
    assert why(lifecycle.provision(gone, KEYS, {"one": KEY})) == "destroyed"
    assert set(state(lifecycle.provision(gone, KEYS, {"three": KEY})).units) == {"two", "three"}
    assert state(lifecycle.destroy_unit(gone, "one", at=AT, after=AFTER)) == gone


def test_a_fence_is_taken_back_by_whom_it_was_set_for_and_counts_anew_afterwards(
    kept: KeptKeys,
) -> None:
    seen = state(lifecycle.confirm(state(lifecycle.fence(kept, KEYS, "r", at=AT)), at=AT))
    assert why(lifecycle.take_back(seen, "another")) == "fenced"
    active = state(lifecycle.take_back(seen, "r"))
    assert (active.fence, active.units, active.fenced_at) == ("active", kept.units, None)
    again = state(lifecycle.fence(active, KEYS, "r", at=AT + AFTER))
    assert why(lifecycle.destroy(again, at=AT + 2 * AFTER, after=AFTER)) == "too-early"


def test_what_services_hear_holds_no_key(kept: KeptKeys) -> None:
    assert "units" not in KeysState.model_fields
    for decided in (
        lifecycle.fence(kept, KEYS, "r", at=AT),
        lifecycle.fence_unit(kept, "one", at=AT),
        lifecycle.restrict(kept, "case"),
    ):
        assert isinstance(decided, Accepted)
        assert all(KEY.key not in one.model_dump_json() for one in decided.events)


@pytest.mark.law("P2")
def test_a_unit_s_fence_counts_from_its_own_not_from_one_of_the_whole_that_was_taken_back(
    kept: KeptKeys,
) -> None:
    whole = state(lifecycle.fence(kept, KEYS, "r", at=AT))
    assert why(lifecycle.confirm(whole, "one", at=AT)) == "fenced"
    active = state(lifecycle.take_back(whole, "r"))
    later = AT + timedelta(hours=1)
    fenced = state(lifecycle.fence_unit(active, "one", at=later))
    assert why(lifecycle.destroy_unit(fenced, "one", at=later, after=AFTER)) == "too-early"
