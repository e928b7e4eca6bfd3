"""The parts of retention, in the order in which they are opened: each may use those before it."""

from collections.abc import Awaitable, Callable
from typing import Final

from services.retention.parts import keys, requests
from services.retention.wiring import House, Part, Rooms

OpenPart = Callable[[House, Rooms], Awaitable[Part]]
PARTS: Final[tuple[OpenPart, ...]] = (keys.open_part, requests.open_part)
