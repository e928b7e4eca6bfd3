"""The long form of the fire: an hour by default, the faults of a seed, the verdict in the end.

``SOAK_SECONDS``, ``SEED``, ``SABOTAGE`` and ``HISTORY_DIR`` choose (docs/under-fire.md).
"""

import os
from pathlib import Path
from typing import Final

import pytest

from shared.kafka import topics
from tests.fire.checks import worth_it
from tests.fire.disks import Disks, owned_platform
from tests.fire.faults import Targets, schedule
from tests.fire.history import History
from tests.fire.load import Crowd, percentiles
from tests.fire.run import Fire, Plan, judged, large, points_of, sabotaged
from tests.processes import Place

SECONDS: Final = float(os.environ.get("SOAK_SECONDS", "3600"))
SEED: Final = int(os.environ.get("SEED", "1"))
SABOTAGE: Final = os.environ.get("SABOTAGE", "")
FOLDER: Final = Path(os.environ.get("HISTORY_DIR", ".local/fire"))
CROWD_SECONDS: Final = 400  # from one crowd to the next


@pytest.mark.soak
@pytest.mark.law("L1")
@pytest.mark.law("L2")
@pytest.mark.law("L3")
@pytest.mark.law("L4")
@pytest.mark.law("L5")
@pytest.mark.timeout(SECONDS + 1200)
async def test_no_law_breaks_under_a_long_fire(tmp_path: Path) -> None:
    slots = sabotaged(large(), SABOTAGE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"seed-{SEED}{SABOTAGE and '-without-'}{SABOTAGE}.jsonl"
    file.unlink(missing_ok=True)  # it stays, whatever becomes of the run
    with owned_platform() as (platform, folders):
        if not folders:
            print("no file system may be mounted here: no disk is filled")  # noqa: T201
        await topics.create(platform.kafka_bootstrap, prefix="fire.")
        place = Place(platform.kafka_bootstrap, platform.mongodb_url, "fire.", tmp_path)
        targets = Targets(
            [one.name for one in slots],
            receiving=("deposits-api",),
            points=points_of(slots),
            joining=("projector-b", "projector-c"),
            platform=True,
            full=bool(folders),
        )
        crowds = [(at, Crowd(seconds=20.0)) for at in range(120, int(SECONDS) - 60, CROWD_SECONDS)]
        plan = Plan(SEED, SECONDS, slots, schedule(SEED, SECONDS, targets), crowds=crowds)
        history = History(file)
        disks = Disks(folders) if folders else None
        await Fire(plan, place, history, platform, disks).burn()
        run = judged(history)
        for kind in ("deposit", "read"):
            print(percentiles(run.entries, kind))  # noqa: T201
        assert worth_it(run) == []
