"""The composition root of retention: the only file that knows all of it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.retention.api import site
from services.retention.commands import Keys
from services.retention.settings import Settings
from services.retention.store import open_keys, prepare, sources
from shared.kafka.relay import Relay
from shared.mongo import Lease, connect
from shared.policy.personal import load_personal
from shared.privacy.keyfile import load_or_create
from shared.privacy.rings import DATABASE
from shared.runtime import log
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, OperatorsAlone, Pace, serve
from shared.web.alone import health_alone

SERVICE: Final = "retention"
ROLES: Final = ("api", "relay")


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    health = Health()
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(
            connect(
                settings.mongodb_url, settings.database_prefix + DATABASE, settings.mongodb_driver
            )
        )
        await prepare(keys)
        relay = Relay(
            SERVICE,
            sources(keys),
            Lease(keys["leases"], "relay", settings.replica_name),
            settings.kafka_bootstrap,
            settings.topic_prefix,
            health=health,
        )
        period = load_personal(settings.policies_dir / "personal.toml").file.keys
        documents = open_keys(keys, relay.wake.set if "relay" in roles else lambda: None)
        running: dict[str, Role] = {}
        if "api" in roles:
            running["api"] = _api(
                settings, Keys(documents, period.usable + period.skew), health, stack
            )
        if "relay" in roles:
            running["relay"] = relay.run
        if "api" not in roles:
            running["health"] = health_alone(SERVICE, health, settings)
        await run_roles(running, drain_seconds=settings.drain_seconds)


def _api(settings: Settings, keys: Keys, health: Health, stack: AsyncExitStack) -> Role:
    callers = Callers(
        OperatorsAlone(),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    return partial(
        serve,
        site(keys, health=health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )
