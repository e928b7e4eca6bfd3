"""A bell between those who write and the one who carries on from there, in one process."""

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias

Ring: TypeAlias = Callable[[str], None]


def unheard(_name: str) -> None:
    """Ring where nobody listens in this process."""


@dataclass(slots=True)
class Bell:
    """Remembers who rang until that is heard; ``rung`` is set meanwhile."""

    rung: asyncio.Event = field(default_factory=asyncio.Event)
    _names: set[str] = field(default_factory=set)

    def ring(self, name: str) -> None:
        """Say that there is something under this name."""
        self._names.add(name)
        self.rung.set()

    def heard(self) -> AbstractSet[str]:
        """Return who rang since this was asked last."""
        names, self._names = self._names, set()
        self.rung.clear()
        return names
