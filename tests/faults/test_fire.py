"""The registry under fire, and a checker that judges by the record of it (docs/under-fire.md)."""

from pathlib import Path
from typing import Final

import pytest

from tests.fire import faults
from tests.fire.checks import worth_it
from tests.fire.faults import Fault
from tests.fire.history import History
from tests.fire.load import Crowd, percentiles
from tests.fire.run import Fire, Plan, crowded, judged, small
from tests.processes import Place

pytestmark = pytest.mark.alone
# Some of each that a shared broker and store bear; the faults of a step come together.
SHORT: Final = (
    (Fault(0, faults.POISON_WORKS), Fault(0, faults.KILLS, "projector-a", 1.0)),
    (Fault(0, faults.POISON_GATE), Fault(0, faults.KILLS, "deposits", 0.5)),
    (Fault(0, faults.REPLAY), Fault(0, faults.TERM, "reader")),
)
LONGER: Final = (
    *SHORT,
    (Fault(0, faults.JUMP, "accounts", 1.0, 3600.0), Fault(0, faults.LEAVE, "projector-b", 0.5)),
    (Fault(0, faults.PAUSE, "reader", 2.0), Fault(0, faults.KILLS, "accounts", 0.5)),
    (Fault(0, faults.PAUSE, "accounts", 1.0), Fault(0, faults.TERM, "products-a")),
)


@pytest.mark.soak
@pytest.mark.law("L1")
@pytest.mark.law("L2")
@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.law("L5")
@pytest.mark.timeout(480)  # half a minute on a machine that has nothing else to do
@pytest.mark.parametrize(
    "steps", [SHORT, pytest.param(LONGER, marks=pytest.mark.soak)], ids=["some", "every"]
)
async def test_no_law_breaks_under_a_short_fire(
    place: Place, tmp_path: Path, steps: tuple[tuple[Fault, ...], ...]
) -> None:
    plan = Plan(1, 0.0, small(), steps=steps, pace=0.3, probe_seconds=1.0, depositors=3, readers=4)
    history = History(tmp_path / "history.jsonl")
    await Fire(plan, place, history).burn()
    assert worth_it(judged(history)) == []


@pytest.mark.soak
@pytest.mark.law("L1")
@pytest.mark.timeout(480)
async def test_hundreds_at_once_are_served_or_told_to_come_back_and_nothing_accepted_is_lost(
    place: Place, tmp_path: Path
) -> None:
    crowd = Crowd(depositors=200, readers=100, slow=20, seconds=60.0, enough=300)
    plan = Plan(1, 0.0, crowded(), crowds=[(0.0, crowd)], pace=None, patience=120.0)
    history = History(tmp_path / "history.jsonl")
    await Fire(plan, place, history).burn()
    run = judged(history)
    for kind in ("deposit", "read"):
        print(percentiles(run.entries, kind))  # noqa: T201
    accepted, refused = run.ok("deposit"), [one for one in run.of("deposit") if one.get("retry")]
    assert len(accepted) >= 100
    assert len([one for one in refused if one["slug"] == "queue-full"]) >= 300
    # Nobody was left without an answer, and who dripped was let go.
    assert len(accepted) + len(refused) == len(run.of("deposit"))
    assert {one["status"] for one in run.of("slow") if one["what"] == "drip"} == {408}
