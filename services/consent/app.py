"""The composition root of consent: the only file that knows all of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.consent import erasing, projections, reactions
from services.consent.api import site
from services.consent.commands import withdrawals
from services.consent.commands.analytics import write_views
from services.consent.commands.consents import expire_due
from services.consent.commands.context import Consenting, Rows
from services.consent.commands.issues import send_due
from services.consent.commands.processors import publish
from services.consent.settings import Settings
from services.consent.store import SOURCE, open_store, prepare, sources
from shared import mail
from shared.events.orders import ConsentEvidenceGiven
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.people import KnownPeople
from shared.kafka.relay import Relay
from shared.mail.telling import Uses
from shared.mongo import Database, Lease, connect
from shared.policy.registers import load_analytics, load_cookies, load_exports, load_lists
from shared.policy.roles import load_roles
from shared.policy.uses import UsesPolicy, load_uses
from shared.privacy import rings
from shared.privacy.blind import BlindIndex
from shared.privacy.keyfile import load_or_create
from shared.privacy.ledger import APPLIED, LedgerGate
from shared.privacy.obeying import Obeying, answering, open_orders
from shared.privacy.receipts import Signer
from shared.runtime import log
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.loops import step_forever
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Pace, serve
from shared.web import people as web_people
from shared.web.alone import health_alone

SERVICE: Final = "consent"
CREDENTIALS: Final = "accounts.credentials.v1"
ISSUE_SECONDS: Final = 2.0  # how soon an issue that another process took is found
FORGET_SECONDS: Final = 60.0  # until what is left of the erased after a crash is taken away
OPEN: Final = ("api", "credentials", "relay")  # it is not ready before the ledger's gate is passed
ROLES: Final = ("api", "relay", "expiry", "mail", "receipts", "holders", "erasure")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the roles of this process share."""

    settings: Settings
    consenting: Consenting
    relay: Relay
    fences: rings.Fences
    health: Health
    obeying: Obeying
    gate: LedgerGate


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, stack, hurry="relay" in roles)
        running: dict[str, Role] = {}
        if "api" in roles:
            running |= interface(parts, stack)
            running["counts"] = stepping(parts, "counts", write_views, settings.counting_seconds)
        if "relay" in roles:
            running["relay"] = parts.relay.run
        if "expiry" in roles:
            running["expiry"] = stepping(parts, "expiry", expire_due, settings.expiry_seconds)
        if "mail" in roles:
            posting = parts.consenting.posting
            running["mail"] = mail.delivering(settings, posting, parts.health).run
            asked = parts.consenting.issue_asked
            running["issues"] = stepping(parts, "issues", send_due, ISSUE_SECONDS, asked)
        if "receipts" in roles:
            running["receipts"] = collecting(parts).run
        if "holders" in roles:
            running["holders"] = following_accounts(parts).run
        if "erasure" in roles:
            running |= answering(parts.obeying, settings, parts.health, may=parts.gate.passed)
            running["forgotten"] = stepping(parts, "forgotten", forget, FORGET_SECONDS)
        # A store that was put back holds who was erased since: nothing is done with it, and nobody
        # is led here, before that was seen to (law P2).
        running = {
            name: role if name in OPEN else parts.gate.behind(role)
            for name, role in running.items()
        } | {"fences": parts.fences.run, "ledger": parts.gate.run}
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
    health = Health()
    relay = relaying(settings, database, health)
    wake = relay.bell.ring if hurry else unheard
    uses = load_uses(settings.policies_dir)
    ring, fences = rings.key_ring(settings, keys, uses.personal)
    key = settings.key_file
    consenting = Consenting(
        open_store(database, wake=wake),
        rows_of(settings, uses),
        ring,
        BlindIndex(settings.shared_keys),
        load_or_create(key),
        Signer(key.with_suffix("") / "receipts.key"),
        mail.waiting(settings, database, uses.personal, keys=key.with_suffix("")),
        notices_dir=settings.notices_dir or settings.policies_dir / "notices",
        public_url=settings.public_url.rstrip("/"),
        ack_seconds=settings.ack_seconds,
    )
    await consenting.posting.prepare()
    await withdrawals.prepare(database)
    await publish(consenting)
    obeying = Obeying(
        SERVICE,
        ConsentEvidenceGiven,
        erasing.holdings(consenting),
        ring,
        open_orders(database, SOURCE, wake=wake),
        asks=erasing.Given(consenting.store),
        tells=Uses(consenting.store.decisions, consenting.mails.queue),
    )
    gate = LedgerGate(
        obeying,
        database[APPLIED],
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health,
    )
    return Parts(settings, consenting, relay, fences, health, obeying, gate)


async def forget(consenting: Consenting) -> bool:
    """Take away what is left of people who were erased."""
    return await consenting.store.forget_nobody()


def rows_of(settings: Settings, uses: UsesPolicy) -> Rows:
    """Read the policy files beside that of uses; raises ``PolicyError``."""
    folder = settings.policies_dir
    return Rows(
        uses,
        load_lists(folder / "lists.toml"),
        load_cookies(folder / "cookies.toml"),
        load_exports(folder / "exports.toml"),
        load_analytics(folder / "analytics.toml"),
        load_roles(folder / "roles.toml"),
    )


def stepping(
    parts: Parts,
    name: str,
    step: Callable[[Consenting], Awaitable[bool]],
    every: float,
    wake: asyncio.Event | None = None,
) -> Role:
    """Compose a loop; its last step, while draining, leaves nothing in memory."""
    return partial(
        step_forever,
        name,
        partial(step, parts.consenting),
        health=parts.health,
        every=every,
        within=max(60.0, 3 * every),
        wake=wake,
        last=True,
    )


def collecting(parts: Parts) -> Consumer:
    """Compose the collector of what readers of consents report."""
    settings = parts.settings
    return Consumer(
        projections.GROUP,
        projections.TOPICS,
        SERVICE,
        withdrawals.collecting(parts.consenting.store.database),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=parts.health,
        member=settings.replica or None,
    )


def following_accounts(parts: Parts) -> Consumer:
    """Compose what hears of holders of accounts."""
    settings = parts.settings
    return Consumer(
        reactions.GROUP,
        reactions.TOPICS,
        SERVICE,
        partial(reactions.obey, parts.consenting),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=parts.health,
        member=settings.replica or None,
    )


def interface(parts: Parts, stack: AsyncExitStack) -> dict[str, Role]:
    """Compose the HTTP interface and its own copy of the credentials.

    How fresh that is says nothing of whether this process can serve: most of its callers have none.
    """
    settings = parts.settings
    knowledge = Knowledge(
        [CREDENTIALS],
        settings.kafka_bootstrap,
        parts.consenting.rows.uses.stale_after,
        settings.topic_prefix,
    )
    callers = Callers(
        KnownCredentials(knowledge, CREDENTIALS),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
        people=web_people.People(KnownPeople(knowledge, CREDENTIALS), SYSTEM.now),
    )
    stack.callback(callers.close)
    listening = partial(
        serve,
        site(parts.consenting, health=parts.health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )
    return {"credentials": knowledge.run, "api": listening}


def relaying(settings: Settings, database: Database, health: Health) -> Relay:
    """Compose the relay; a standby where another process holds the lease."""
    return Relay(
        SERVICE,
        sources(database),
        Lease(database["leases"], "relay", settings.replica_name),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        nudge_seconds=settings.nudge_seconds,
    )
