"""Erasures: asked for, carried out step by step, proven."""

from collections.abc import Sequence
from functools import partial

from services.retention.api.erasures import routes
from services.retention.commands.erasures import Erasures
from services.retention.erasure.again import Again
from services.retention.erasure.running import ROLE, Running
from services.retention.erasure.saga import Saga
from services.retention.store.erasures import GROUP, TABLE, TOPICS, open_erasures
from services.retention.wiring import House, Part, Rooms
from shared.events import Received
from shared.events.orders import EvidenceState
from shared.kafka.consume import Consumer
from shared.mongo import projecting
from shared.mongo.turns import Turns
from shared.policy.erasure import load_erasure


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""
    policy = load_erasure(house.settings.policies_dir / "erasure.toml")
    store = open_erasures(house.database, wake=house.wake, clock=house.clock)
    saga = Saga(house, rooms, policy, store)
    running = Running(saga, Turns(house.database["leases"], ROLE, house.settings.replica_name))
    erasures = Erasures(saga, running.touch if ROLE in house.roles else lambda _erasure: None)
    rooms.erasing = erasures
    again = Again(saga, house.health)
    looping = again.behind(partial(running.run, health=house.health))
    return Part(
        routes=routes(erasures),
        running={ROLE: {"again": again.run, ROLE: looping, GROUP: hearing(house, running).run}},
    )


def hearing(house: House, running: Running) -> Consumer:
    """Compose what keeps the evidence of all services."""
    keep = projecting(house.database, TABLE)

    async def handle(batch: Sequence[Received]) -> None:
        await keep(batch)
        for received in batch:
            if isinstance(received.event, EvidenceState):
                running.touch(received.event.erasure)

    settings = house.settings
    return Consumer(
        GROUP,
        TOPICS,
        "retention",
        handle,
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=house.health,
        member=settings.replica or None,
    )
