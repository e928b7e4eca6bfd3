"""Interleavings as a program: actors pause at every await, and a choice says who goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

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
            if kill and self.choose(20) == 19:
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


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run one example on a loop of its own."""
    loop = asyncio.SelectorEventLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
