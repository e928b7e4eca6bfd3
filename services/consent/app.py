"""The composition root of consent: the only file that knows all of it."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from services.consent.api import site
from services.consent.commands.context import Consenting, Rows
from services.consent.commands.lists import still_allowed
from services.consent.commands.processors import publish
from services.consent.expiry import expire_forever
from services.consent.settings import Settings
from services.consent.store import open_store, prepare, sources
from shared.kafka.knowledge import Knowledge
from shared.kafka.relay import Relay
from shared.mail import KIND, Mailing, Mails, smtp_of
from shared.mongo import Database, Lease, connect
from shared.mongo.deliveries import Deliveries
from shared.mongo.delivering import Delivering, Patience
from shared.policy.registers import load_cookies, load_lists
from shared.policy.uses import UsesPolicy, load_uses
from shared.privacy import rings
from shared.privacy.blind import BlindIndex
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import load_or_create
from shared.privacy.receipts import Signer
from shared.runtime import log
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, OperatorsAlone, Pace, serve
from shared.web.alone import health_alone

SERVICE: Final = "consent"
ROLES: Final = ("api", "relay", "expiry", "mail")
MAILS_KEPT: Final = timedelta(days=7)  # how long one that was taken is known as sent


@dataclass(frozen=True, slots=True)
class Parts:
    """What the roles of this process share."""

    settings: Settings
    consenting: Consenting
    relay: Relay
    fences: Knowledge
    health: Health
    mail_wake: asyncio.Event


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, stack, hurry="relay" in roles)
        running: dict[str, Role] = {"fences": parts.fences.run}
        if "api" in roles:
            running["api"] = answering(parts, stack)
        if "relay" in roles:
            running["relay"] = parts.relay.run
        if "expiry" in roles:
            running["expiry"] = partial(
                expire_forever,
                parts.consenting,
                health=parts.health,
                every=settings.expiry_seconds,
            )
        if "mail" in roles:
            running["mail"] = mailing(parts).run
        if "api" not in roles:
            running["health"] = health_alone(SERVICE, parts.health, settings)
        await run_roles(running, drain_seconds=settings.drain_seconds)


async def open_parts(settings: Settings, stack: AsyncExitStack, *, hurry: bool) -> Parts:
    """Open the stores and compose what every role needs; ``hurry`` the relay of this process."""

    async def opened(name: str) -> Database:
        return await stack.enter_async_context(
            connect(settings.mongodb_url, settings.database_prefix + name, settings.mongodb_driver)
        )

    database, keys = await opened(SERVICE), await opened(rings.DATABASE)
    await prepare(database)
    health, mail_wake = Health(), asyncio.Event()
    relay = relaying(settings, database, health)
    uses = load_uses(settings.policies_dir)
    ring, fences = rings.key_ring(settings, keys, uses.personal)
    lists = load_lists(settings.policies_dir / "lists.toml")
    cookies = load_cookies(settings.policies_dir / "cookies.toml")
    key = settings.key_file
    consenting = Consenting(
        open_store(database, wake=relay.wake.set if hurry else lambda: None),
        Rows(uses, lists, cookies),
        ring,
        BlindIndex(settings.shared_keys),
        load_or_create(key),
        Signer(key.with_suffix("") / "receipts.key"),
        waiting(settings, database, uses, mail_wake),
        notices_dir=settings.notices_dir or settings.policies_dir / "notices",
        public_url=settings.public_url.rstrip("/"),
        ack_seconds=settings.ack_seconds,
    )
    await consenting.mails.queue.prepare()
    await publish(consenting)
    return Parts(settings, consenting, relay, fences, health, mail_wake)


def waiting(settings: Settings, database: Database, uses: UsesPolicy, wake: asyncio.Event) -> Mails:
    """Compose the queue of mails."""
    return Mails(
        Deliveries(database["deliveries"], kept=MAILS_KEPT),
        FileEpochs(settings.key_file.with_suffix("")),
        uses.personal,
        timedelta(hours=settings.mail_give_up_hours),
        wake=wake.set,
    )


def mailing(parts: Parts) -> Delivering:
    """Compose the loop that sends mails, each only while the gate still allows it."""
    settings, mails = parts.settings, parts.consenting.mails
    transport = None
    if settings.smtp_url:
        transport = smtp_of(settings.smtp_url, seconds=settings.mail_seconds)
    sending = Mailing(
        mails, transport, settings.mail_from, partial(still_allowed, parts.consenting)
    )
    return Delivering(
        mails.queue,
        {KIND: sending.send},
        Patience(
            first=settings.mail_first_seconds,
            most=settings.mail_most_seconds,
            span=settings.mail_give_up_hours * 3600,
        ),
        seconds=settings.mail_seconds,
        health=parts.health,
        wake=parts.mail_wake,
    )


def answering(parts: Parts, stack: AsyncExitStack) -> Role:
    """Compose the HTTP interface."""
    settings = parts.settings
    callers = Callers(
        OperatorsAlone(),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    return partial(
        serve,
        site(parts.consenting, health=parts.health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )


def relaying(settings: Settings, database: Database, health: Health) -> Relay:
    """Compose the relay; a standby where another process holds the lease."""
    replica = settings.replica or f"{socket.gethostname()}-{os.getpid()}"
    return Relay(
        SERVICE,
        sources(database),
        Lease(database["leases"], "relay", replica),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
    )
