"""The schedule of faults: the same by the same seed, and in an hour everything there is."""

import pytest

from tests.fire import faults
from tests.fire.faults import Fault, Targets, schedule
from tests.fire.run import large, points_of

SLOTS = large()
TARGETS = Targets(
    [one.name for one in SLOTS],
    receiving=("deposits-api",),
    points=points_of(SLOTS),
    joining=("projector-b", "projector-c"),
    platform=True,
    full=True,
)
KINDS = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}


def test_a_seed_makes_one_schedule_and_another_one_another() -> None:
    assert schedule(1, 600, TARGETS) == schedule(1, 600, TARGETS)
    assert schedule(1, 600, TARGETS) != schedule(2, 600, TARGETS)


@pytest.mark.parametrize("seed", range(20))
def test_in_an_hour_everything_happens_and_all_of_it_ends(seed: int) -> None:
    planned = schedule(seed, 3600, TARGETS)
    assert {one.what for one in planned} == KINDS
    assert all(one.at > 0 and one.at + one.seconds < 3600 for one in planned)
    assert [one.at for one in planned] == sorted(one.at for one in planned)
    # Each process is killed, and each sleeps longer than its leases.
    for slot in SLOTS:
        befallen = [one for one in planned if one.target == slot.name]
        assert befallen
    paused = {one.target for one in planned if one.what == faults.PAUSE and one.seconds > 10}
    assert len(paused) > len(SLOTS) / 2


def test_what_cannot_be_broken_is_left_alone() -> None:
    bare = Targets(["accounts"])
    assert all(one.target in {"accounts", ""} for one in schedule(1, 3600, bare))


def test_no_clock_that_receives_deposits_runs_an_hour_ahead() -> None:
    jumps: list[Fault] = [
        one
        for seed in range(50)
        for one in schedule(seed, 3600, TARGETS)
        if one.what == faults.JUMP and one.target == "deposits-api"
    ]
    assert jumps
    assert max(one.much for one in jumps) == 30.0
