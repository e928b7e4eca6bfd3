"""The composition root of accounts: the only file that knows all of it."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Final

from services.accounts import projections, receipts
from services.accounts.acks import Acks
from services.accounts.api import site
from services.accounts.commands import asking
from services.accounts.commands.asking import Asking
from services.accounts.commands.context import Accounts
from services.accounts.commands.persons import People
from services.accounts.commands.settling import settle_forever
from services.accounts.commands.signing_in import publish_keys
from services.accounts.directory import follow_organisations
from services.accounts.quotas import Quotas
from services.accounts.settings import Settings
from services.accounts.store import open_people, open_store, prepare, sources
from shared import mail, policy
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.people import KnownPeople
from shared.kafka.relay import Relay
from shared.mail import Mailing, Mails
from shared.mongo import Database, Lease, connect, projecting
from shared.mongo.deliveries import Deliveries
from shared.mongo.delivering import Delivering, Patience
from shared.policy.personal import load_personal
from shared.policy.roles import load_roles
from shared.policy.signing_in import load_signing_in
from shared.privacy.blind import BlindIndex
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import load_or_create
from shared.privacy.rings import DATABASE, key_ring
from shared.privacy.tokens import SigningKeys
from shared.runtime import log
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.metrics import MAIL_TRANSPORT
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Limits, Pace, serve
from shared.web import people as web_people
from shared.web.alone import health_alone
from shared.web.logins import Logins

SERVICE: Final = "accounts"
ROLES: Final = ("api", "relay", "reactions", "deliver")
CREDENTIALS: Final = "accounts.credentials.v1"
MAILS_KEPT: Final = timedelta(days=30)  # as long as a mail's cause is known not to be sent again


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
        wake = asyncio.Event()
        people, keys = await peopled(
            settings,
            database,
            stack,
            acks=acks,
            relay=relay.wake.set if "relay" in roles else lambda: None,
            deliver=wake.set if "deliver" in roles else lambda: None,
        )
        parts: dict[str, Role] = {}
        if {"api", "deliver"} & set(roles):
            parts["keys"] = keys.run
        if "api" in roles:
            await publish_keys(people)
            parts |= answering(settings, accounts, people, health, stack)
        if "deliver" in roles:
            await people.mails.queue.prepare()
            parts["deliveries"] = delivering(settings, people, wake, health).run
        if "relay" in roles:
            parts["relay"] = relay.run
        if "reactions" in roles:
            parts |= reacting(settings, accounts, health)
        if "api" not in roles:
            parts["health"] = health_alone(SERVICE, health, settings)
        await run_roles(parts, drain_seconds=settings.drain_seconds)


def answering(
    settings: Settings,
    accounts: Accounts,
    people: People,
    health: Health,
    stack: AsyncExitStack,
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
        people=web_people.People(KnownPeople(knowledge, CREDENTIALS), SYSTEM.now),
    )
    stack.callback(callers.close)
    listening = partial(
        serve,
        site(accounts, people, health=health, callers=callers),
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


async def peopled(
    settings: Settings,
    database: Database,
    stack: AsyncExitStack,
    *,
    acks: Acks,
    relay: Callable[[], None],
    deliver: Callable[[], None],
) -> tuple[People, Knowledge]:
    """Compose what the verbs about people need, and the knowledge of fences behind their keys.

    ``relay`` and ``deliver`` hurry those roles, where they run in this process.
    """
    keys = await stack.enter_async_context(
        connect(settings.mongodb_url, settings.database_prefix + DATABASE, settings.mongodb_driver)
    )
    purposes = load_personal(settings.policies_dir / "personal.toml")
    ring, fences = key_ring(settings, keys, purposes)
    signing_in = load_signing_in(settings.policies_dir / "signing-in.toml")
    logins = Logins(clock=SYSTEM, limits=Limits())
    stack.callback(logins.close)
    own_keys = settings.key_file.with_suffix("")
    mails = Mails(
        Deliveries(database["mails"], kept=MAILS_KEPT),
        FileEpochs(own_keys),
        purposes,
        timedelta(hours=settings.mail_give_up_hours),
        wake=deliver,
    )
    people = People(
        store=open_people(database, wake=relay),
        ring=ring,
        index=BlindIndex(settings.shared_keys),
        roles=load_roles(settings.policies_dir / "roles.toml"),
        signing_in=signing_in,
        signing=SigningKeys(own_keys),
        logins=logins,
        mails=mails,
        quotas=Quotas(signing_in),
        acks=acks,
        ack_seconds=settings.ack_seconds,
        preferences_url=settings.preferences_url,
        sign_in_url=settings.sign_in_url,
        wake=deliver,
    )
    return people, fences


def delivering(
    settings: Settings, people: People, wake: asyncio.Event, health: Health
) -> Delivering:
    """Compose the loop that sends mail and answers what was asked."""
    transport = None
    if settings.smtp_url:
        transport = mail.smtp_of(settings.smtp_url, seconds=settings.mail_seconds)
    MAIL_TRANSPORT.set(transport is not None)
    answers = Asking(people)
    return Delivering(
        people.mails.queue,
        {
            mail.KIND: Mailing(people.mails, transport, settings.mail_from).send,
            asking.REGISTRATION: answers.registration,
            asking.SIGN_IN: answers.sign_in,
            asking.ADDRESS: answers.address,
        },
        # A mail's own time ends before this, and then its text is forgotten.
        Patience(
            first=settings.mail_first_seconds,
            most=settings.mail_most_seconds,
            span=2 * settings.mail_give_up_hours * 3600,
        ),
        seconds=settings.mail_seconds,
        health=health,
        wake=wake,
    )


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
