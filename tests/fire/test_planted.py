"""Planted faults: with a mechanism switched off the checker names the law, and with it nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.local.platform import Platform
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.fire import sabotage, scenes
from tests.fire.checks import Run, judge
from tests.processes import Place

Play = Callable[..., Awaitable[Run]]
PLANTED: list[Any] = [
    pytest.param(scenes.an_old_version_comes_again, sabotage.NO_GUARD, {"L2"}, id="guard"),
    pytest.param(
        scenes.a_relay_wakes_up_behind_its_successor, sabotage.NO_FENCE, {"L2"}, id="fence"
    ),
    pytest.param(
        scenes.nobody_hears_of_a_preference, sabotage.ALWAYS_FRESH, {"L3"}, id="watermark"
    ),
    pytest.param(
        scenes.a_consumer_dies_with_a_batch_in_hand,
        sabotage.COMMIT_FIRST,
        {"L2", "L5"},
        id="commit-order",
    ),
]


@pytest.mark.soak
@pytest.mark.law("L2")
@pytest.mark.law("L3")
@pytest.mark.law("L5")
@pytest.mark.parametrize(("play", "without", "broken"), PLANTED)
async def test_the_checker_finds_what_a_mechanism_keeps_out_and_nothing_where_it_is_there(
    platform: Platform, tmp_path: Path, play: Play, without: str, broken: set[str]
) -> None:
    async def played(name: str, *patches: str) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        prefix = f"p{new_id()[-8:]}."
        await topics.create(platform.kafka_bootstrap, prefix=prefix)
        return await play(
            Place(platform.kafka_bootstrap, platform.mongodb_url, prefix, folder), *patches
        )

    sound, planted = await asyncio.gather(played("with"), played("without", without))
    assert judge(sound).laws() == set(), judge(sound).text()
    assert judge(planted).laws() == broken, judge(planted).text()
