"""Several things in hand at once: each once at a time, so many at most, none held up by another."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Hands:
    """What is worked on, by name; ``most`` is how many at the same time."""

    most: int
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _group: asyncio.TaskGroup | None = None

    def __contains__(self, name: str) -> bool:
        """Say whether a thing is in hand."""
        return name in self._tasks

    @property
    def free(self) -> int:
        """How many more may be taken."""
        return self.most - len(self._tasks)

    def take(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin work on a thing that is not in hand; only while they are open."""
        if self._group is None or name in self._tasks:
            work.close()
            raise RuntimeError(f"{name} cannot be taken in hand now")
        self._tasks[name] = task = self._group.create_task(work, name=name)
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    @asynccontextmanager
    async def open(self, seconds: float | None = None) -> AsyncIterator[None]:
        """Let things be taken in hand; at the end what is left has so many seconds, then it is cut.

        None: it has all the time that it needs. Work that raises ends all the others, and this.
        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
                if self._tasks:
                    await asyncio.wait(list(self._tasks.values()), timeout=seconds)
                for task in self._tasks.values():
                    task.cancel()
            finally:
                self._group = None
