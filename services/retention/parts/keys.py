"""What became of keys, for operators; and who may have some in hand, for erasures."""

from services.retention.api.keys import routes
from services.retention.store.rings import Rings
from services.retention.wiring import House, Part, Rooms

ROLE = "erasures"


async def open_part(house: House, _rooms: Rooms) -> Part:
    """Compose it."""
    watched = house.keys.rings
    running = {ROLE: {"rings": watched.run}} if isinstance(watched, Rings) else {}
    return Part(routes=routes(house.keys), running=running)
