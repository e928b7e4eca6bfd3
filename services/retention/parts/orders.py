"""Retention obeys its own orders, for it holds requests of people itself."""

from typing import Final

from services.retention.holdings import holdings
from services.retention.parts.requests import requesting
from services.retention.wiring import House, Part, Rooms
from shared.events.orders import RetentionEvidenceGiven
from shared.mail.telling import Uses
from shared.privacy.ledger import LedgerGate
from shared.privacy.obeying import Obeying, answering, open_orders
from shared.privacy.rings import SOURCE

APPLIED: Final = "ledger_applied"  # beside the ledger itself: how far this store obeyed it


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    requests = await requesting(house, rooms)
    posting = requests.posting
    obeying = Obeying(
        "retention",
        RetentionEvidenceGiven,
        holdings(requests),
        house.ring,
        open_orders(house.database, SOURCE, wake=house.wake),
        tells=Uses(posting.gate.decisions, posting.mails.queue),
    )
    settings = house.settings
    gate = LedgerGate(
        obeying,
        house.database[APPLIED],
        settings.kafka_bootstrap,
        settings.topic_prefix,
        house.health,
    )
    roles = answering(obeying, settings, house.health, may=gate.passed)
    return Part(running={"reactions": {**roles, "ledger": gate.run}})
