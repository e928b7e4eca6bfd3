"""Interleavings as a program: actors pause at every await, and a choice says who goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

DIES = 20  # how a choice is asked whether somebody dies here: the last one says yes
Choose = Callable[[int], int]  # a number below its argument, drawn by hypothesis


@dataclass(slots=True)
class Turns:
    """Lets one of the actors that wait in ``pause`` go on at a time."""

    choose: Choose
    waiting: list["asyncio.Future[None]"] = field(default_factory=list)
    free: bool = False  # nobody waits any more

    async def pause(self) -> None:
        if self.free:
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(mine)
        await mine

    async def play(self, tasks: list["asyncio.Task[Any]"], *, kill: bool = False) -> None:
        """Run ``tasks`` to their end; with ``kill`` one of them may die at any of its awaits."""
        while True:
            await self._settle()
            self.waiting = [one for one in self.waiting if not one.done()]
            if not self.waiting:
                break
            if kill and self.choose(DIES) == DIES - 1:
                victim = tasks[self.choose(len(tasks))]
                victim.cancel()
                await self._settle()
                continue
            self.waiting.pop(self.choose(len(self.waiting))).set_result(None)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _settle(self) -> None:
        """Let everybody run until nobody can."""
        loop: Any = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # noqa: ASYNC110  (nothing tells that nobody can go on)
            await asyncio.sleep(0)


def in_bursts(data: st.DataObject) -> Callable[[int], int]:
    """Choose who goes on, mostly whoever went last: a slow one is overtaken by whole rounds."""

    def choose(count: int) -> int:
        if count == DIES:
            return count - 1 if data.draw(st.integers(0, 2 * DIES)) == 1 else 0
        return min(data.draw(st.integers(0, 4 * count)), count - 1)

    return choose


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one example on a loop of its own."""
    loop = asyncio.SelectorEventLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
