"""The composition root of retention: the only file that knows all of it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.retention.api import site
from services.retention.commands import Keys
from services.retention.parts import PARTS
from services.retention.settings import Settings
from services.retention.store import open_keys, prepare, sources
from services.retention.store.rings import Rings
from services.retention.wiring import House, Part, Rooms
from shared.kafka.relay import Relay
from shared.mongo import Database, Lease, connect
from shared.policy.personal import load_personal
from shared.policy.retention import load_retention
from shared.privacy.blind import BlindIndex
from shared.privacy.keyfile import load_or_create
from shared.privacy.presence import COLLECTION as RINGS
from shared.privacy.rings import DATABASE, key_ring
from shared.runtime import log
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, OperatorsAlone, Pace, serve
from shared.web.alone import health_alone

SERVICE: Final = "retention"
ROLES: Final = ("api", "relay", "reactions", "clocks", "erasures", "deliver")


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    health = Health()
    async with AsyncExitStack() as stack:
        database = await _opened(settings, SERVICE, stack)
        keys = await _opened(settings, DATABASE, stack)
        await prepare(database, keys)
        relay = Relay(
            SERVICE,
            sources(database, keys),
            Lease(database["leases"], "relay", settings.replica_name),
            settings.kafka_bootstrap,
            settings.topic_prefix,
            health=health,
            nudge_seconds=settings.nudge_seconds,
        )
        house, fences = housed(
            settings, database, keys, relay, health=health, roles=frozenset(roles)
        )
        rooms, running = Rooms(), dict[str, Role]()
        parts = [await open_part(house, rooms) for open_part in PARTS]
        for part in parts:
            for role in roles:
                running |= part.running.get(role, {})
        running["keys"] = fences  # whatever runs here may have keys, and says when it drops them
        if "api" in roles:
            running["api"] = answering(settings, parts, health, stack)
        if "relay" in roles:
            running["relay"] = relay.run
        if "api" not in roles:
            running["health"] = health_alone(SERVICE, health, settings)
        await run_roles(running, drain_seconds=settings.drain_seconds)


def housed(
    settings: Settings,
    database: Database,
    keys: Database,
    relay: Relay,
    *,
    health: Health,
    roles: frozenset[str],
) -> tuple[House, Role]:
    """Compose what every part may use, and the role that hears of fences."""
    personal = load_personal(settings.policies_dir / "personal.toml")
    schedule = load_retention(settings.policies_dir / "retention.toml")
    schedule.require(classes=[row.id for row in personal.file.classes])
    ring, fences = key_ring(settings, keys, personal)
    wake = relay.bell.ring if "relay" in roles else unheard
    after = personal.file.keys.usable + personal.file.keys.skew
    house = House(
        settings=settings,
        database=database,
        key_documents=keys,
        keys=Keys(open_keys(keys, wake), after, rings=Rings(keys[RINGS], after)),
        ring=ring,
        index=BlindIndex(settings.shared_keys),
        personal=personal,
        schedule=schedule,
        health=health,
        clock=SYSTEM,
        wake=wake,
        roles=roles,
        broker_time=fences.knowledge.broker_time,
    )
    return house, fences.run


def answering(
    settings: Settings, parts: Sequence[Part], health: Health, stack: AsyncExitStack
) -> Role:
    """Compose the HTTP interface."""
    callers = Callers(
        OperatorsAlone(),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    routes = [route for part in parts for route in part.routes]
    return partial(
        serve,
        site(routes, health=health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )


async def _opened(settings: Settings, name: str, stack: AsyncExitStack) -> Database:
    return await stack.enter_async_context(
        connect(settings.mongodb_url, settings.database_prefix + name, settings.mongodb_driver)
    )
