"""The composition root of deposits: the only file that knows all of it."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from services.deposits import store
from services.deposits.api import site
from services.deposits.api.forms import Intake
from services.deposits.api.servlet import Servlet
from services.deposits.api.view import View
from services.deposits.commands import Accepting
from services.deposits.crossref.schemas import NO_SCHEMAS, Schemas, load_schemas
from services.deposits.permissions import TOPICS, Permissions
from services.deposits.processing import Worker
from services.deposits.processing.judging import Judging
from services.deposits.processing.sweeping import sweep_forever
from services.deposits.settings import Settings
from services.deposits.waiting import Ends
from shared.events import SubmissionState, WorkState
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.relay import Relay, Source
from shared.mongo import Aggregates, Database, Lease, Outbox, connect
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import load_or_create
from shared.runtime import log
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, serve

SERVICE: Final = "deposits"
SOURCE: Final = "/services/deposits"
ROLES: Final = ("api", "relay", "worker")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the roles of one process share."""

    settings: Settings
    replica: str
    health: Health
    database: Database
    submissions: store.Submissions
    works: store.Works
    diagnostics: store.Diagnostics
    files: store.RawFiles
    keys: FileEpochs
    knowledge: Knowledge
    ends: Ends
    relay_wake: asyncio.Event


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            connect(
                settings.mongodb_url, settings.database_prefix + SERVICE, settings.mongodb_driver
            )
        )
        await store.prepare(database)
        parts = _parts(settings, database)
        running: dict[str, Role] = {}
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
        await run_roles(running, drain_seconds=settings.drain_seconds)


def _parts(settings: Settings, database: Database) -> Parts:
    relay_wake = asyncio.Event()
    health = Health()
    submissions = store.Submissions(
        Aggregates(
            database["submissions"],
            SubmissionState.model_validate_json,
            SOURCE,
            fields=store.shown,
            wake=relay_wake.set,
        ),
        load_or_create(settings.key_file),
    )
    return Parts(
        settings=settings,
        replica=settings.replica or f"{socket.gethostname()}-{os.getpid()}",
        health=health,
        database=database,
        submissions=submissions,
        works=store.Works(
            Aggregates(
                database["works"], WorkState.model_validate_json, SOURCE, wake=relay_wake.set
            )
        ),
        diagnostics=store.Diagnostics(database),
        files=store.RawFiles(database),
        keys=FileEpochs(settings.key_file.with_suffix("")),
        knowledge=Knowledge(
            TOPICS,
            settings.kafka_bootstrap,
            timedelta(seconds=settings.knowledge_seconds),
            settings.topic_prefix,
            health=health,
        ),
        ends=Ends(submissions),
        relay_wake=relay_wake,
    )


async def _relay(parts: Parts) -> Role:
    boxes = [Outbox(parts.database[name], SOURCE) for name in ("ownership", "submissions", "works")]
    for box in boxes:
        await box.prepare()
    ownership, submissions, works = boxes
    return Relay(
        SERVICE,
        [Source(ownership, ("deposits.ownership.v1",)), Source(submissions), Source(works)],
        Lease(parts.database["leases"], "relay", parts.replica),
        parts.settings.kafka_bootstrap,
        parts.settings.topic_prefix,
        health=parts.health,
        wake=parts.relay_wake,
    ).run


async def _workers(parts: Parts) -> list[Worker]:
    permissions = Permissions(parts.knowledge)
    schemas = await _schemas(parts.settings)
    return [
        Worker(
            holder=f"{parts.replica}/{number}",
            submissions=parts.submissions,
            claims=store.Claims(parts.submissions.collection),
            files=parts.files,
            judging=Judging(parts.works, parts.diagnostics, SYSTEM.now),
            permissions=permissions,
            keys=parts.keys,
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
    accepting = Accepting(
        parts.submissions,
        parts.files,
        parts.keys,
        pending_per_user=settings.pending_per_user,
        pending=settings.pending,
        workers=workers,
    )
    servlet = Servlet(
        intake=Intake(callers, accepting, settings.deposit_bytes),
        accepting=accepting,
        submissions=parts.submissions,
        diagnostics=parts.diagnostics,
        files=parts.files,
        keys=parts.keys,
        ends=parts.ends,
        sync_seconds=settings.sync_seconds,
    )
    view = View(parts.submissions, parts.diagnostics, parts.keys)
    return partial(
        serve,
        site(servlet, view, health=parts.health, callers=callers),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
    )
