"""Shelves of what is due: each is asked for, by as many at a time as there is room for."""

import pytest

from shared.mongo.shelves import EVERY_SHELF, MOMENT, SHELVES, Round, shelf_of
from shared.runtime.clock import ManualClock


def test_a_key_is_always_on_the_same_shelf_and_keys_are_on_all_of_them() -> None:
    assert shelf_of("10.5555/a") == shelf_of("10.5555/a")
    assert {shelf_of(f"10.5555/{number}") for number in range(5_000)} == set(EVERY_SHELF)


@pytest.mark.parametrize("width", [1, 3, 100, SHELVES])
def test_a_round_comes_by_each_shelf_once_wherever_it_begins(width: int) -> None:
    one = Round(wanted=10, width=width, clock=ManualClock())
    next(one.once())
    given = [shelf for shelves in one.once() for shelf in shelves]
    assert sorted(given) == list(EVERY_SHELF)


def test_looks_are_as_wide_as_what_they_find_lets_them_be() -> None:
    one = Round(wanted=1_000, clock=ManualClock())
    while one.width < SHELVES:
        one.met(0)
    held = dict.fromkeys(EVERY_SHELF, 800)  # some 100,000 came
    sizes = []
    for _ in range(3):
        for shelves in one.once():
            sizes.append(sum(held[shelf] for shelf in shelves))
            one.met(sizes[-1])
    assert max(sizes[20:]) <= 1_600


def test_where_little_is_found_a_round_is_one_look_and_none_is_after_a_while() -> None:
    clock = ManualClock()
    one = Round(wanted=1_000, clock=clock)
    for _ in one.once():
        one.met(0)
    assert len(list(one.once())) == 1
    clock.advance(MOMENT + 0.1)  # whoever recounts much comes back to more
    assert len(next(one.once())) == 1
