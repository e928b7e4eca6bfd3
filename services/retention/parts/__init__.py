"""The parts of retention, in the order in which they are opened: each may use those before it."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.retention.parts import (
    clocks,
    erasures,
    holds,
    keys,
    packages,
    physical,
    requests,
    tree,
)
from services.retention.wiring import House, Part, Rooms

OpenPart = Callable[[House, Rooms], Awaitable[Part]]
PARTS: Final[tuple[OpenPart, ...]] = (
    keys.open_part,
    tree.open_part,
    physical.open_part,
    holds.open_part,
    erasures.open_part,
    clocks.open_part,
    packages.open_part,
    requests.open_part,
)
