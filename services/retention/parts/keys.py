"""What became of keys, for operators."""

from services.retention.api.keys import routes
from services.retention.wiring import House, Part, Rooms


async def open_part(house: House, _rooms: Rooms) -> Part:
    """Compose it."""
    return Part(routes=routes(house.keys))
