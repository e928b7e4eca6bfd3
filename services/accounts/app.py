"""The composition root of accounts: the only file that knows all of it."""

import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.accounts import projections, receipts
from services.accounts.acks import Acks
from services.accounts.api import site
from services.accounts.commands.context import Accounts
from services.accounts.commands.settling import settle_forever
from services.accounts.directory import follow_organisations
from services.accounts.settings import Settings
from services.accounts.store import open_store, prepare, sources
from shared import policy
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.relay import Relay
from shared.mongo import Database, Lease, connect, projecting
from shared.privacy.keyfile import load_or_create
from shared.runtime import log
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Pace, serve
from shared.web.alone import health_alone

SERVICE: Final = "accounts"
ROLES: Final = ("api", "relay", "reactions")
CREDENTIALS: Final = "accounts.credentials.v1"


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    health = Health()
    name = settings.database_prefix + SERVICE
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            connect(settings.mongodb_url, name, settings.mongodb_driver)
        )
        acks = Acks()
        relay = relaying(settings, database, acks, health)
        store = open_store(database, wake=relay.wake.set if "relay" in roles else lambda: None)
        await prepare(database)
        await receipts.prepare(database)
        accounts = Accounts(
            store,
            policy.load(settings.policies_dir / "references.toml"),
            load_or_create(settings.login_key_file),
            settings.ack_seconds,
            acks,
        )
        parts: dict[str, Role] = {}
        if "api" in roles:
            parts |= answering(settings, accounts, health, stack)
        if "relay" in roles:
            parts["relay"] = relay.run
        if "reactions" in roles:
            parts |= reacting(settings, accounts, health)
        if "api" not in roles:
            parts["health"] = health_alone(SERVICE, health, settings)
        await run_roles(parts, drain_seconds=settings.drain_seconds)


def answering(
    settings: Settings, accounts: Accounts, health: Health, stack: AsyncExitStack
) -> dict[str, Role]:
    """Compose the HTTP interface and its own copy of the credentials."""
    knowledge = Knowledge(
        [CREDENTIALS],
        settings.kafka_bootstrap,
        accounts.policy.stale_after,
        settings.topic_prefix,
        health=health,
    )
    callers = Callers(
        KnownCredentials(knowledge, CREDENTIALS),
        login_hmac_key=accounts.login_key,
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    listening = partial(
        serve,
        site(accounts, health=health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )
    directory = partial(
        follow_organisations,
        accounts.numbers,
        bootstrap=settings.kafka_bootstrap,
        prefix=settings.topic_prefix,
        health=health,
    )
    return {"gate": knowledge.run, "directory": directory, "api": listening}


def relaying(settings: Settings, database: Database, acks: Acks, health: Health) -> Relay:
    """Compose the relay; a standby where another process holds the lease."""
    replica = settings.replica or f"{socket.gethostname()}-{os.getpid()}"
    return Relay(
        SERVICE,
        sources(database, acks),
        Lease(database["leases"], "relay", replica),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
    )


def reacting(settings: Settings, accounts: Accounts, health: Health) -> dict[str, Role]:
    """Compose the collector of receipts, and the finisher of what a crash interrupted."""
    consumer = Consumer(
        projections.GROUP,
        projections.TOPICS,
        SERVICE,
        projecting(accounts.store.database, projections.TABLE),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        member=settings.replica or None,
    )
    settling = partial(settle_forever, accounts, health=health, every=settings.settle_seconds)
    return {"receipts": consumer.run, "settling": settling}
