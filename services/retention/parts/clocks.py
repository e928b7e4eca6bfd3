"""Clocks: the stream that hears facts, the loop that acts on what is due, and their routes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from services.retention.api.clocks import routes
from services.retention.commands.clocks import Clocks
from services.retention.commands.dues import Dues
from services.retention.commands.facts import Facts
from services.retention.commands.refold import Refolding
from services.retention.commands.timing import Timing
from services.retention.model.mapping import TOPICS
from services.retention.store.bursts import open_bursts
from services.retention.store.claims import Claims
from services.retention.store.hearing import Hearing
from services.retention.store.records import open_records
from services.retention.stream import Stream
from services.retention.wiring import House, Part, Rooms
from shared.events import Received
from shared.kafka.faust_edge import named
from shared.kafka.topics import declared
from shared.mongo import store_time
from shared.policy.retention import Schedule
from shared.policy.roles import load_roles
from shared.runtime.loops import step_forever
from shared.runtime.service import Role

GROUP: Final = "retention.clocks"
STALL_SECONDS: Final = 60.0


async def open_part(house: House, rooms: Rooms) -> Part:
    """Compose it."""

    def schedule() -> Schedule:
        return rooms.schedules.current() if rooms.schedules else house.schedule

    records = open_records(house.database, schedule, house.clock)
    claims = Claims(records, house.clock)
    clocks = Clocks(house, rooms, records, claims)
    rooms.clocks = clocks
    rooms.keeps = clocks
    roles = load_roles(house.settings.policies_dir / "roles.toml")
    volunteers = {role for row in roles.file.categories for role in row.volunteers_get}
    facts = Facts(records, volunteers)
    refolding = Refolding(house, rooms, records)

    async def hear(batch: Sequence[Received]) -> None:
        await refolding.schedule()
        written = await facts.hear(batch)
        if rooms.holds is not None and written:
            await rooms.holds.joining(written)

    hearing = Hearing(
        house.database,
        places(house.settings.topic_prefix),
        timedelta(seconds=house.settings.heard_seconds),
        house.clock.now,
    )
    dues = Dues(
        house,
        rooms,
        claims,
        hearing.all_heard,
        timing_of(house),
        open_bursts(house.database),
        held_seconds=house.settings.held_seconds,
    )
    running: dict[str, Role] = {
        "facts": Stream(
            GROUP,
            TOPICS,
            "retention",
            hear,
            house.settings.kafka_bootstrap,
            house.settings.topic_prefix,
            house.health,
            house.clock,
            member=house.settings.replica or None,
            stall_seconds=STALL_SECONDS,
            tell=hearing.note,
        ).run,
        "dues": _stepping(house, "dues", dues.step, house.settings.clocks_seconds),
        "folds": _stepping(house, "folds", refolding.step, 1.0),
    }
    return Part(routes=routes(clocks), running={"clocks": running})


def timing_of(house: House) -> Timing:
    """Compare this machine's clock with the store's and the broker's."""

    async def broker() -> datetime | None:
        return house.broker_time()

    skew = timedelta(seconds=house.settings.clock_skew_seconds)
    return Timing(house.clock, house.health, (partial(store_time, house.database), broker), skew)


def places(prefix: str) -> frozenset[str]:
    """Return every partition that facts come from."""
    return frozenset(
        named(prefix + topic, partition)
        for topic in TOPICS
        for partition in range(declared()[topic].partitions)
    )


def _stepping(house: House, name: str, step: Callable[[], Awaitable[bool]], every: float) -> Role:
    async def run(draining: asyncio.Event) -> None:
        await step_forever(name, step, draining, health=house.health, every=every, within=60.0)

    return run
