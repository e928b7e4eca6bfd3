"""What accounts does when something was told: of owners by deposits, of volunteers by itself.

One row for each event: what is kept of it, and what follows from it. Both may be done again, for
events come again after a crash; that is how what was begun is finished.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from services.accounts.commands import closing, volunteers
from services.accounts.commands.persons import People
from services.accounts.store import OWNED
from shared.events import Event, OwnerState, Received
from shared.events.owners import OwnerChanged, OwnerReleased
from shared.events.volunteers import VolunteerAccepted
from shared.mongo import Database, Put, apply_writes
from shared.mongo.projecting import Projection, projected
from shared.runtime.faults import Busy, Transient

GROUP: Final = "accounts.people"
TOPICS: Final = ("deposits.owners.v1", "accounts.volunteers.v1")

Reaction = Callable[[People, Any, str | None], Awaitable[None]]


def owned(event: OwnerState, _received: Received) -> list[Put]:
    """Keep what hangs on an account."""
    return [Put(OWNED, event.person, event.version, {"state": event.model_dump_json()})]


KEPT: Final[Mapping[type[Event], Projection]] = {OwnerChanged: owned, OwnerReleased: owned}
FOLLOWS: Final[Mapping[type[Event], Reaction]] = {
    OwnerChanged: closing.released,
    OwnerReleased: closing.released,
    VolunteerAccepted: volunteers.accepted,
}


async def obey(people: People, database: Database, batch: Sequence[Received]) -> None:
    """Take in a batch. Raises ``Transient``."""
    await apply_writes(database, projected(KEPT, batch))
    for received in batch:
        follow = FOLLOWS.get(type(received.event))
        if follow is None:
            continue
        try:
            await follow(people, received.event, received.meta.correlation)
        except Busy as fault:
            raise Transient(str(fault)) from fault
