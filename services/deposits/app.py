"""The composition root of deposits: the only file that knows all of its roles."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.deposits import erasing, owners, store
from services.deposits.api import site
from services.deposits.api.calls import Calls
from services.deposits.api.forms import Intake
from services.deposits.api.owners import JournalOwners
from services.deposits.api.registry import Registry
from services.deposits.api.servlet import Servlet
from services.deposits.api.view import View
from services.deposits.callbacks import KIND, Announcing, Calling
from services.deposits.commands import Accepting
from services.deposits.crossref.schemas import NO_SCHEMAS, Schemas, load_schemas
from services.deposits.parts import SOURCE, Parts, parts_of
from services.deposits.processing import Worker
from services.deposits.processing.judging import Judging
from services.deposits.processing.standing import Standings
from services.deposits.processing.sweeping import sweep_forever
from services.deposits.settings import Settings
from services.deposits.store.owners import PEOPLE
from services.deposits.store.owners import prepare as prepare_owners
from services.deposits.transfers import Transfers
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.relay import Relay, Source
from shared.mongo import Database, Lease, Outbox, connect
from shared.mongo.delivering import Delivering
from shared.mongo.docket import docket_of
from shared.mongo.docketed import DocketedOutbox
from shared.privacy import rings
from shared.privacy.keyfile import load_or_create
from shared.privacy.obeying import EVIDENCE, answering
from shared.runtime import log
from shared.runtime.clock import SYSTEM
from shared.runtime.loops import step_forever
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Pace, serve
from shared.web.alone import health_alone
from shared.web.outgoing import outgoing

SERVICE: Final = "deposits"
ROLES: Final = ("api", "relay", "worker", "deliver", "reactions")
BEHIND: Final = ("worker", "deliver", "callbacks", "people", "owners")  # the ledger's gate
FORM_BYTES: Final = 1_000_000  # of a deposit's request beside its file


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Database:
            return await stack.enter_async_context(
                connect(
                    settings.mongodb_url, settings.database_prefix + name, settings.mongodb_driver
                )
            )

        database = await opened(SERVICE)
        await store.prepare(database)
        await store.prepare_ownership(database)
        await store.prepare_conflicts(database)
        await prepare_owners(database)
        await erasing.prepare(database)
        parts = parts_of(settings, database, await opened(rings.DATABASE))
        running: dict[str, Role] = {}
        running["fences"] = parts.fences.run
        if {"api", "worker"} & set(roles):
            running["gate"] = parts.knowledge.run
        workers = await _workers(parts) if "worker" in roles else []
        if workers:
            running |= {f"worker-{number}": one.run for number, one in enumerate(workers)}
            running["sweep"] = partial(sweep_forever, parts.files, parts.submissions.collection)
        if "api" in roles:
            running["api"] = _api(parts, workers, stack)
        if "relay" in roles:
            running["relay"] = await _relay(parts)
        if "deliver" in roles:
            running |= await _deliver(parts, stack)
        obeying, gate = erasing.obedience(parts)
        if "reactions" in roles:
            running |= _react(parts)
            running |= answering(obeying, settings, parts.health, may=gate.passed)
        # A store that was put back holds files that were erased since: nothing is read of it, and
        # nobody is led here, before that was seen to (law P2).
        running = {
            name: gate.behind(role) if name.startswith(BEHIND) else role
            for name, role in running.items()
        } | {"ledger": gate.run}
        if "api" not in roles:
            running["health"] = health_alone(SERVICE, parts.health, settings)
        await run_roles(running, drain_seconds=settings.drain_seconds)


async def _relay(parts: Parts) -> Role:
    ownership, hanging, evidence, submissions, works = (
        Outbox(parts.database[name], SOURCE)
        for name in ("ownership", PEOPLE, EVIDENCE, "submissions", "works")
    )
    for plain in (ownership, hanging, evidence):
        await plain.prepare()
    received, registered = (
        DocketedOutbox(box, docket_of(box.collection)) for box in (submissions, works)
    )
    for box in (received, registered):
        await box.prepare()
    return Relay(
        SERVICE,
        [
            Source(ownership, ("deposits.ownership.v1",)),
            Source(hanging),
            Source(evidence),
            Source(received),
            Source(registered),
        ],
        Lease(parts.database["leases"], "relay", parts.replica),
        parts.settings.kafka_bootstrap,
        parts.settings.topic_prefix,
        health=parts.health,
        bell=parts.bell,
    ).run


def _react(parts: Parts) -> dict[str, Role]:
    settings = parts.settings
    consumer = Consumer(
        owners.GROUP,
        owners.TOPICS,
        SERVICE,
        partial(owners.obey, parts.owning),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=parts.health,
        member=settings.replica or None,
    )
    settling = partial(
        step_forever,
        "owners",
        partial(owners.settle_all, parts.owning),
        health=parts.health,
        every=settings.settle_seconds,
        within=60 + 10 * settings.settle_seconds,
    )
    return {"people": consumer.run, "owners": settling}


async def _deliver(parts: Parts, stack: AsyncExitStack) -> dict[str, Role]:
    settings = parts.settings
    await parts.callbacks.queue.prepare()
    session = await stack.enter_async_context(
        outgoing(parts.callbacks.exempt, seconds=settings.callback_seconds)
    )
    delivering = Delivering(
        parts.callbacks.queue,
        {KIND: Calling(parts.callbacks, session).send},
        settings.patience,
        seconds=settings.callback_seconds,
        health=parts.health,
    )
    announcing = Announcing(parts.callbacks, delivering.wake, parts.health)
    return {"callbacks": announcing.run, "deliveries": delivering.run}


async def _workers(parts: Parts) -> list[Worker]:
    schemas = await _schemas(parts.settings)
    claims = store.Claims(parts.submissions.collection)
    standings = Standings(parts.works, parts.ownership, parts.conflicts)
    return [
        Worker(
            holder=f"{parts.replica}/{number}",
            submissions=parts.submissions,
            claims=claims,
            files=parts.files,
            judging=Judging(
                parts.works,
                parts.diagnostics,
                standings,
                partial(claims.refuse, holder=f"{parts.replica}/{number}"),
                SYSTEM.now,
            ),
            permissions=parts.permissions,
            keys=parts.keys,
            blind=parts.blind,
            schemas=schemas,
            lease_seconds=parts.settings.lease_seconds,
            in_hand=parts.settings.submissions_in_hand,
            ended=parts.ends.told,
            health=parts.health,
        )
        for number in range(parts.settings.workers)
    ]


async def _schemas(settings: Settings) -> Schemas:
    if settings.deposit_schemas is None:
        return NO_SCHEMAS
    schemas = await asyncio.to_thread(load_schemas, settings.deposit_schemas)
    log.get_log(__name__).info("deposits are validated", schemas=schemas.names())
    return schemas


def _api(parts: Parts, workers: Sequence[Worker], stack: AsyncExitStack) -> Role:
    settings = parts.settings
    callers = Callers(
        KnownCredentials(parts.knowledge),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    intake = _intake(parts, workers, callers)
    registry = Registry(
        Transfers(parts.works, parts.ownership),
        parts.works,
        parts.ownership,
        parts.conflicts,
        parts.permissions,
    )
    return partial(
        serve,
        site(
            _servlet(parts, intake),
            _view(parts, intake),
            Calls(parts.callbacks),
            registry,
            JournalOwners(parts.owning),
            health=parts.health,
            callers=callers,
        ),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(
            settings.body_stall_seconds,
            settings.body_seconds,
            most=settings.deposit_bytes + FORM_BYTES,
        ),
    )


def _intake(parts: Parts, workers: Sequence[Worker], callers: Callers) -> Intake:
    accepting = Accepting(
        parts.submissions,
        parts.files,
        parts.keys,
        parts.blind,
        pending_per_user=parts.settings.pending_per_user,
        pending=parts.settings.pending,
        workers=workers,
    )
    return Intake(callers, accepting, parts.callbacks, parts.settings.deposit_bytes)


def _servlet(parts: Parts, intake: Intake) -> Servlet:
    return Servlet(
        intake=intake,
        accepting=intake.accepting,
        submissions=parts.submissions,
        diagnostics=parts.diagnostics,
        files=parts.files,
        keys=parts.keys,
        ends=parts.ends,
        permissions=parts.permissions,
        sync_seconds=parts.settings.sync_seconds,
        public_url=parts.settings.public_url,
    )


def _view(parts: Parts, intake: Intake) -> View:
    return View(
        intake=intake,
        submissions=parts.submissions,
        diagnostics=parts.diagnostics,
        files=parts.files,
        callbacks=parts.callbacks,
        keys=parts.keys,
        works_url=parts.settings.works_url,
    )
