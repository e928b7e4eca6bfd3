"""The composition root of accounts: the only file that knows all of it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.accounts import projections, reactions, receipts
from services.accounts.acks import Acks
from services.accounts.api import site
from services.accounts.commands.asking import Asking
from services.accounts.commands.contacts import memberships
from services.accounts.commands.contacts.context import Contacting
from services.accounts.commands.context import Accounts
from services.accounts.commands.deletions import Offering
from services.accounts.commands.persons import People
from services.accounts.commands.settling import settle_whole
from services.accounts.commands.signing_in import publish_keys
from services.accounts.directory import follow_organisations
from services.accounts.erasing import InTheWay, holdings
from services.accounts.mails.people import Pages
from services.accounts.parts import contacted
from services.accounts.settings import Settings
from services.accounts.store import SOURCE, open_people, open_store, prepare, sources
from shared import mail, policy
from shared.events.consent import AccountsObeys
from shared.events.orders import AccountsEvidenceGiven
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.obeying import following
from shared.kafka.people import KnownPeople
from shared.kafka.relay import Relay
from shared.mail.telling import Uses
from shared.mongo import Database, Lease, connect, projecting
from shared.policy.roles import load_roles
from shared.policy.signing_in import load_signing_in
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from shared.privacy.keyfile import load_or_create
from shared.privacy.ledger import APPLIED, LedgerGate
from shared.privacy.obeying import Obeying, open_orders
from shared.privacy.obeying import answering as answering_orders
from shared.privacy.rings import DATABASE, key_ring
from shared.privacy.tokens import SigningKeys
from shared.runtime import log
from shared.runtime.bell import Ring, unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.loops import step_forever
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Limits, Pace, serve
from shared.web import people as web_people
from shared.web.alone import health_alone
from shared.web.logins import Logins
from shared.web.quotas import Quotas

SERVICE: Final = "accounts"
ROLES: Final = ("api", "relay", "reactions", "deliver")
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
        wake = relay.bell.ring if "relay" in roles else unheard
        accounts = await registered(settings, database, acks=acks, relay=wake)
        people, knowing = await peopled(settings, database, stack, acks=acks, relay=wake)
        contacting = contacted(settings, database, accounts, people, relay=wake)
        obeying, gate = erased(settings, database, people, contacting, health=health, relay=wake)
        parts: dict[str, Role] = {}
        if {"api", "deliver", "reactions"} & set(roles):
            await people.posting.prepare()
            parts["ledger"] = gate.run
        if {"api", "deliver"} & set(roles):
            parts |= knowing
        if "api" in roles:
            await publish_keys(people)
            parts |= answering(settings, accounts, people, contacting, health=health, stack=stack)
        if "deliver" in roles:
            parts["deliveries"] = gate.behind(delivering(settings, people, contacting, health))
        if "relay" in roles:
            parts["relay"] = relay.run
        if "reactions" in roles:
            parts |= reacting(settings, accounts, people, contacting, health)
            parts |= answering_orders(obeying, settings, health, may=gate.passed)
        if "api" not in roles:
            parts["health"] = health_alone(SERVICE, health, settings)
        await run_roles(parts, drain_seconds=settings.drain_seconds)


async def registered(
    settings: Settings, database: Database, *, acks: Acks, relay: Ring
) -> Accounts:
    """Prepare the store, and compose what the verbs about organisations need.

    ``relay`` hurries that role, where it runs in this process.
    """
    await prepare(database)
    await receipts.prepare(database)
    return Accounts(
        open_store(database, wake=relay),
        policy.load(settings.policies_dir / "references.toml"),
        load_or_create(settings.login_key_file),
        settings.ack_seconds,
        acks,
    )


def answering(
    settings: Settings,
    accounts: Accounts,
    people: People,
    contacting: Contacting,
    *,
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
        site(accounts, people, contacting, health=health, callers=callers),
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
    relay: Ring,
) -> tuple[People, dict[str, Role]]:
    """Compose what the verbs about people need, and the roles that know of fences and consents.

    ``relay`` hurries that role, where it runs in this process.
    """
    keys = await stack.enter_async_context(
        connect(settings.mongodb_url, settings.database_prefix + DATABASE, settings.mongodb_driver)
    )
    uses = load_uses(settings.policies_dir)
    ring, fences = key_ring(settings, keys, uses.personal)
    consents, knowing = following(
        SERVICE, settings, uses, replica=settings.replica_name, report=AccountsObeys
    )
    signing_in = load_signing_in(settings.policies_dir / "signing-in.toml")
    logins = Logins(clock=SYSTEM, limits=Limits())
    stack.callback(logins.close)
    own_keys = settings.key_file.with_suffix("")
    posting = mail.Posting(
        mail.waiting(settings, database, uses.personal, keys=own_keys),
        mail.Gate(uses, mail.kept_decisions(database, SOURCE), consents.now),
    )
    people = People(
        store=open_people(database, wake=relay),
        ring=ring,
        index=BlindIndex(settings.shared_keys),
        roles=load_roles(settings.policies_dir / "roles.toml"),
        signing_in=signing_in,
        signing=SigningKeys(own_keys),
        logins=logins,
        posting=posting,
        quotas=Quotas(signing_in),
        acks=acks,
        ack_seconds=settings.ack_seconds,
        pages=Pages(settings.sign_in_url, settings.preferences_url),
    )
    return people, {"keys": fences.run, **knowing}


def relaying(settings: Settings, database: Database, acks: Acks, health: Health) -> Relay:
    """Compose the relay; a standby where another process holds the lease."""
    return Relay(
        SERVICE,
        sources(database, acks),
        Lease(database["leases"], "relay", settings.replica_name),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        nudge_seconds=settings.nudge_seconds,
    )


def delivering(settings: Settings, people: People, contacting: Contacting, health: Health) -> Role:
    """Compose what posts the mails that wait."""
    also = {**Asking(people).senders, **Offering(people).senders}
    return mail.delivering(settings, contacting.posting, health, also).run


def reacting(
    settings: Settings, accounts: Accounts, people: People, contacting: Contacting, health: Health
) -> dict[str, Role]:
    """Compose what hears of receipts and people, and the finisher of what a crash interrupted."""
    database = accounts.store.database
    consumer = Consumer(
        projections.GROUP,
        projections.TOPICS,
        SERVICE,
        projecting(database, projections.TABLE),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        member=settings.replica or None,
    )
    settling = partial(
        step_forever,
        "settling",
        partial(settle_whole, accounts, partial(memberships.settle_all, contacting)),
        health=health,
        every=settings.settle_seconds,
        within=60 + 10 * settings.settle_seconds,
    )
    following_them = following_people(settings, people, database, health)
    return {"receipts": consumer.run, "settling": settling, "people": following_them.run}


def erased(
    settings: Settings,
    database: Database,
    people: People,
    contacting: Contacting,
    *,
    health: Health,
    relay: Ring,
) -> tuple[Obeying, LedgerGate]:
    """Compose what obeys retention's orders, and the gate of a store that was put back."""
    obeying = Obeying(
        SERVICE,
        AccountsEvidenceGiven,
        holdings(people, contacting),
        people.ring,
        open_orders(database, SOURCE, wake=relay),
        InTheWay(people),
        Uses(people.posting.gate.decisions, people.mails.queue),
    )
    gate = LedgerGate(
        obeying, database[APPLIED], settings.kafka_bootstrap, settings.topic_prefix, health
    )
    return obeying, gate


def following_people(
    settings: Settings, people: People, database: Database, health: Health
) -> Consumer:
    """Compose what follows for accounts of people from what deposits and accounts told."""
    return Consumer(
        reactions.GROUP,
        reactions.TOPICS,
        SERVICE,
        partial(reactions.obey, people, database),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        member=settings.replica or None,
    )
