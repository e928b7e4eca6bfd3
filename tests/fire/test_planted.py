"""Planted faults: with a mechanism switched off the checker names the law, and with it nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.fire import sabotage, scenes
from tests.fire.checks import Run, judge
from tests.platform import Platform
from tests.processes import Place

Play = Callable[..., Awaitable[Run]]
# What is played, the patch that switches the mechanism off, and the laws that breaks.
PLANTED: Final[dict[str, tuple[Play, str, set[str]]]] = {
    "guard": (scenes.an_old_version_comes_again, sabotage.NO_GUARD, {"L2"}),
    "fence": (scenes.a_relay_wakes_up_behind_its_successor, sabotage.NO_FENCE, {"L2"}),
    "watermark": (scenes.nobody_hears_of_a_preference, sabotage.ALWAYS_FRESH, {"L3"}),
    "commit-order": (
        scenes.a_consumer_dies_with_a_batch_in_hand,
        sabotage.COMMIT_FIRST,
        {"L2", "L5"},
    ),
}


@pytest.fixture(scope="module")
async def played(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Run, Run]]:
    """Play every scene with its mechanism and without it, all at once: they mostly wait."""

    async def play(name: str, scene: Play, *patches: str) -> Run:
        folder = tmp_path_factory.mktemp(name)
        prefix = f"p{new_id()[-8:]}."
        await topics.create(platform.kafka_bootstrap, prefix=prefix)
        place = Place(platform.kafka_bootstrap, platform.mongodb_url, prefix, folder)
        return await scene(place, *patches)

    async def both(name: str, scene: Play, without: str) -> tuple[Run, Run]:
        sound, planted = await asyncio.gather(play(name, scene), play(name, scene, without))
        return sound, planted

    found: list[Any] = await asyncio.gather(
        *(both(name, scene, without) for name, (scene, without, _) in PLANTED.items())
    )
    return dict(zip(PLANTED, found, strict=True))


@pytest.mark.law("L2")
@pytest.mark.law("L3")
@pytest.mark.law("L5")
@pytest.mark.soak
@pytest.mark.parametrize("mechanism", PLANTED)
def test_the_checker_finds_what_a_mechanism_keeps_out_and_nothing_where_it_is_there(
    played: dict[str, tuple[Run, Run]], mechanism: str
) -> None:
    sound, planted = (judge(run) for run in played[mechanism])
    assert sound.laws() == set(), sound.text()
    assert planted.laws() == PLANTED[mechanism][2], planted.text()


def test_every_mechanism_that_a_long_run_may_go_without_is_planted_here() -> None:
    assert set(PLANTED) == set(sabotage.MECHANISMS)
