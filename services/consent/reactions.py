"""What consent does when accounts told of people: what they said follows their accounts."""

from collections.abc import Sequence
from typing import Final

from services.consent.commands import holders
from services.consent.commands.context import Consenting
from shared.events import Received
from shared.events.people import PersonState
from shared.runtime.faults import Busy, Transient

GROUP: Final = "consent.holders"
TOPICS: Final = ("accounts.people.v1",)


async def obey(consenting: Consenting, batch: Sequence[Received]) -> None:
    """Take in a batch; all of it may come again. Raises ``Transient``."""
    for received in batch:
        if not isinstance(received.event, PersonState):
            continue
        try:
            await holders.hear(consenting, received.event)
        except Busy as fault:
            raise Transient(str(fault)) from fault
