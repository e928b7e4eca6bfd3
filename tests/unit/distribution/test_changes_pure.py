"""The parts of the feed that decide and do nothing else: tokens, parameters, order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.changes.asking import PRESENT, Asked, parse
from services.distribution.changes.cursor import places, read, write
from services.distribution.changes.entries import Entry
from services.distribution.changes.tail import Tail, passed
from services.distribution.rest.failure import Failure
from shared.runtime.health import Health

KEY = b"k" * 32


@given(st.lists(st.integers(0, 2**60), min_size=len(places()), max_size=len(places())))
def test_a_position_is_read_back_from_its_token_and_from_no_other(offsets: list[int]) -> None:
    positions = dict(zip(places(), offsets, strict=True))
    token = write(positions, key=KEY)
    assert read(token, key=KEY) == positions
    assert read(token, key=b"another") is None
    for place in (0, len(token) // 2):
        other = "A" if token[place] != "A" else "B"
        assert read(token[:place] + other + token[place + 1 :], key=KEY) is None


@pytest.mark.parametrize("token", ["", "x", "*", "%%", "AAAA" * 40, "é"])
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    assert read(token, key=KEY) is None


def test_parameters_are_read_and_all_that_is_wrong_is_listed() -> None:
    assert parse([]) == Asked(PRESENT, 100, 0)
    assert parse([("since", "2026-11-22"), ("rows", "7"), ("wait", "30"), ("mailto", "a")]) == (
        Asked(1_795_305_600_000, 7, 30)
    )
    assert parse([("since", "2026-11-22T00:00:00Z")]) == Asked(1_795_305_600_000)
    assert parse([("since", "token")]) == Asked("token")
    failures = parse([("rows", "1001"), ("wait", "x"), ("filter", "a:b"), ("rows2", "1")])
    assert isinstance(failures, list)
    assert [(type(one), one.value) for one in failures] == [
        (Failure, "filter"),
        (Failure, "rows2"),
        (Failure, "1001"),
        (Failure, "x"),
    ]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=40), st.integers(1, 9))
def test_pages_of_what_is_held_give_each_entry_once_and_each_partition_in_order(
    said: list[tuple[int, int]], most: int
) -> None:
    tail = Tail("", "", Health())
    some = places()[:4]
    tail._held = {place: [] for place in places()}
    tail._floor = dict.fromkeys(places(), 0)
    time = [0] * 4
    for part, later in said:  # within a partition the broker's time never goes back
        held = tail._held[some[part]]
        time[part] += later
        held.append(Entry(some[part], len(held), time[part], "work", "10.1/a", 1))
    tail._positions = {place: len(held) for place, held in tail._held.items()}
    read, positions = [], dict.fromkeys(places(), 0)
    while True:
        page = tail._newest(positions, most)
        read += page.entries
        positions = dict(page.positions)
        if len(page.entries) < most:
            break
    assert sorted(read, key=lambda one: one.order) == read
    assert len(read) == len(said) == len(set(read))
    assert positions == tail._positions
    assert passed({}, tuple(read)) == {p: n for p, n in positions.items() if n}
