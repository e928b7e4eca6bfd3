"""Epochs: one begins at a time, the last ones stand, and what ended is known from then on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.model import epochs as model
from services.retention.model.epochs import BEFORE, KEPT, KeptEpochs
from shared.events.decisions import Refused

AT = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY = timedelta(hours=12)


def state(done: Any) -> KeptEpochs:
    assert not isinstance(done, Refused)
    found = done.state
    assert isinstance(found, KeptEpochs)
    return found


def rotated(known: KeptEpochs, at: datetime, *, alive: int = 2) -> KeptEpochs:
    """Begin an epoch at ``at``; it takes over and others end half an hour later each."""
    known = state(model.begin(known, [], at=at))
    known = state(model.swept(known, known.newest.number, at=at + HOUR / 2))
    for one in model.ending(known, alive):
        known = state(model.gone(known, one.number, at=at + HOUR))
    return known


@pytest.fixture
def known() -> KeptEpochs:
    return state(model.adopt(None, [1], at=AT - EVERY))


def test_epochs_from_before_anybody_counted_are_written_down_once(known: KeptEpochs) -> None:
    assert [one.made_at for one in known.epochs] == [BEFORE]
    assert state(model.adopt(known, [1, 7], at=AT)) is known


def test_an_epoch_begins_by_the_clock_and_not_while_another_takes_over(known: KeptEpochs) -> None:
    assert not model.due(known, EVERY, at=AT - HOUR)
    assert model.due(known, EVERY, at=AT)
    begun = state(model.begin(known, [], at=AT))
    assert isinstance(model.begin(begun, [], at=AT + HOUR), Refused)
    assert not model.due(begun, EVERY, at=AT + 2 * EVERY)
    assert model.ending(begun, 2) == ()
    taken = state(model.swept(begun, 2, at=AT + HOUR))
    assert not model.due(taken, EVERY, at=AT + EVERY - HOUR)
    assert model.due(taken, EVERY, at=AT + EVERY)


def test_a_number_is_never_used_twice(known: KeptEpochs) -> None:
    known = state(model.begin(known, [9], at=AT))
    assert known.newest.number == 10
    known = state(model.swept(known, 10, at=AT))
    assert state(model.begin(known, [1], at=AT)).newest.number == 11


@pytest.mark.law("P2")
def test_a_key_is_irrecoverable_once_every_epoch_that_stood_is_gone(known: KeptEpochs) -> None:
    first = rotated(known, AT)
    assert [one.number for one in first.standing] == [1, 2]
    destroyed = AT + 2 * HOUR
    second = rotated(first, AT + EVERY)
    assert model.irrecoverable_at(second, AT - HOUR) == AT + EVERY + HOUR
    assert model.irrecoverable_at(second, destroyed) is None
    third = rotated(second, AT + 2 * EVERY)
    assert model.irrecoverable_at(third, destroyed) == AT + 2 * EVERY + HOUR
    assert model.irrecoverable_at(third, AT + 3 * EVERY) is None


@pytest.mark.law("P2")
@given(st.integers(2, 4), st.integers(1, 8), st.integers(0, 8 * 24))
def test_a_copy_is_of_no_use_after_as_many_periods_as_epochs_stand(
    alive: int, rounds: int, half_hours: int
) -> None:
    known = state(model.adopt(None, [1], at=AT - EVERY))
    since = AT + timedelta(minutes=30 * half_hours)
    for number in range(1, rounds + alive + 2):
        known = rotated(known, AT + number * EVERY, alive=alive)
        assert len(known.standing) <= alive
        at = model.irrecoverable_at(known, since)
        stood = [one for one in known.epochs if one.made_at <= since]
        assert (at is None) == any(one.gone_at is None for one in stood)
        assert at is None or since < at <= max(since, AT + EVERY) + EVERY * alive + HOUR


def test_what_ended_long_ago_is_forgotten_but_for_when(known: KeptEpochs) -> None:
    for number in range(KEPT + 20):
        known = rotated(known, AT + number * EVERY)
    assert len(known.epochs) == KEPT + 2
    assert known.forgotten is not None
    assert model.irrecoverable_at(known, AT - HOUR) == known.forgotten
    assert model.irrecoverable_at(known, AT + 30 * EVERY) == AT + 32 * EVERY + HOUR
