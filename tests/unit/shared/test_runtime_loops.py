"""The loop of steps goes on through faults, follows up at once, and rests where nothing is due."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.runtime.faults import Busy, Superseded, Transient
from shared.runtime.health import Health
from shared.runtime.loops import step_forever
from tests.laws.memory_log import VirtualLoop, now


def play(story: Callable[[], Awaitable[None]]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()


@pytest.mark.parametrize("last", [False, True], ids=["ends", "one-more"])
def test_steps_follow_at_once_where_there_is_more_and_else_after_a_rest(
    last: bool,  # noqa: FBT001
) -> None:
    async def story() -> None:
        times: list[float] = []
        health, draining, wake = Health(), asyncio.Event(), asyncio.Event()

        async def step() -> bool:
            times.append(now())
            match len(times):
                case 1:
                    return True
                case 2:
                    raise Transient("the store is away")
                case 3:
                    raise Busy("too much at once")
            return False

        running = asyncio.ensure_future(
            step_forever(
                "counts",
                step,
                draining,
                health=health,
                every=10,
                within=60,
                wake=wake,
                last=last,
            )
        )
        await asyncio.sleep(25)
        assert times == [0, 0, 10, 20]
        assert [part.name for part in health.liveness()] == ["counts"]
        wake.set()
        await asyncio.sleep(1)
        assert times[4:] == [25]
        draining.set()
        await running
        assert times[5:] == ([26] if last else [])
        assert health.liveness() == []

    play(story)


def test_a_loop_that_is_to_drain_from_the_start_takes_its_last_step_alone() -> None:
    async def story() -> None:
        draining = asyncio.Event()
        draining.set()
        taken: list[str] = []

        async def more(name: str) -> bool:
            taken.append(name)
            return True

        for name, last in (("none", False), ("one", True)):
            await step_forever(
                name,
                lambda name=name: more(name),  # type: ignore[misc]
                draining,
                health=Health(),
                every=1,
                within=60,
                last=last,
            )
        assert taken == ["one"]

    play(story)


def test_what_does_not_pass_by_itself_ends_the_loop() -> None:
    async def story() -> None:
        async def step() -> bool:
            raise Superseded("somebody newer does this")

        with pytest.raises(Superseded):
            await step_forever("one", step, asyncio.Event(), health=Health(), every=1, within=60)

    play(story)
