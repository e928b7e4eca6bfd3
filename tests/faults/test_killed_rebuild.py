"""Kill -9 of a rebuild at every named place: what is live serves on, and the next run goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest

from services.distribution.rebuild import wishes
from shared.kafka import topics
from shared.runtime.ids import new_id
from tests.events import speaking
from tests.platform import Platform
from tests.processes import Place, service, until
from tests.rebuilding import HUB, Press, Readers, alike, models_of, reading, rebuild

POINTS: Final = (
    "rebuild.begun",
    "rebuild.filled",
    "rebuild.checked",
    "rebuild.resting",
    "rebuild.switched",
    "search.rebuilt",
    "search.taken-over",
)
STORE: Final = ("--only", "store", "--pace", "full")


@pytest.fixture(scope="module")
async def house(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Place, Press]]:
    name = f"r{new_id()[:8]}."
    await topics.create(platform.kafka_bootstrap, prefix=name)
    folder = tmp_path_factory.mktemp("rebuild")
    place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, folder)
    async with speaking(place, "accounts", "deposits") as (accounts, deposits):
        press = Press(accounts, deposits)
        await press.enter(10)
        yield place, press


@pytest.mark.soak
@pytest.mark.law("L6")
async def test_a_rebuild_killed_anywhere_is_gone_on_with_and_readers_notice_nothing(
    house: tuple[Place, Press],
) -> None:
    place, press = house
    async with (
        service("distribution", place, REPLICA="one") as running,
        models_of(place) as models,
        reading(running, press),
    ):
        for point in POINTS:
            if not point.startswith("rebuild."):
                continue
            before = (await models.fresh()).live
            struck = await rebuild(place, *STORE, COLOPHON_CRASH=point)
            assert struck.status == -9, (point, struck.said)
            pointer = await models.fresh()
            over = point == "rebuild.switched"
            assert (pointer.live != before) is over, point
            assert (pointer.next is None) is over, point
            await press.deposit(HUB, f"10.5555/{point}")
            if not over:
                gone_on = await rebuild(place, *STORE)
                assert gone_on.status == 0, (point, gone_on.said)
            # A number is given once: what was begun is what is live now.
            pointer = await models.fresh()
            assert pointer.live == pointer.newest == before + 1, point
            await alike(models)


@pytest.mark.law("L6")
@pytest.mark.parametrize("point", [one for one in POINTS if one.startswith("search.")])
async def test_lists_killed_while_they_change_places_are_whole_afterwards(
    house: tuple[Place, Press], point: str
) -> None:
    place, press = house
    async with models_of(place) as models, asyncio.TaskGroup() as group:
        async with service("distribution", place, REPLICA="one", COLOPHON_CRASH=point) as dying:
            async with reading(dying, press):
                pass
            running = group.create_task(rebuild(place, "--only", "search"))
            assert await dying.ended() == -9
        async with service("distribution", place, REPLICA="one") as again:
            ran = await running
            assert ran.status == 0, ran.said
            assert "search index of one: done" in ran.said
            async with reading(again, press) as readers:
                await until(lambda: _looked(readers), what="readers")
        number = await wishes.wanted(models)
        shown = place.folder / "distribution" / "search"
        assert (shown / "live").read_text() == f"{number} index-{number}\n"
        assert [one.name for one in shown.glob("index*")] == [f"index-{number}"]


async def _looked(readers: Readers) -> bool:
    return readers.looks > 1
