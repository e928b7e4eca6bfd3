"""The composition root of distribution: the only file that knows all of it."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from services.distribution import access, store
from services.distribution.api import site
from services.distribution.citations import recount_forever
from services.distribution.counts import Counts
from services.distribution.directory import Directory
from services.distribution.gate import CREDENTIALS, TOPICS, Gate
from services.distribution.host import Host
from services.distribution.indexer import Indexer
from services.distribution.outlets import open_outlets
from services.distribution.products import jobs
from services.distribution.products.jobs import Board
from services.distribution.products.offers import OUTLET as TOPIC_PRODUCTS
from services.distribution.products.role import Products
from services.distribution.projections import SOURCES, TABLE
from services.distribution.rebuild.building import Serving
from services.distribution.rebuild.lists import Lists
from services.distribution.rebuild.pointer import ReadModels
from services.distribution.rebuild.sweeping import Sweeper
from services.distribution.receipts import Receipts
from services.distribution.rest.pools import Pools
from services.distribution.search import SearchIndex, open_index
from services.distribution.search.schema import LAYOUT
from services.distribution.settings import Settings
from services.distribution.snapshots.role import Builder
from services.distribution.transfers import Transfers
from shared.kafka.consume import Consumer
from shared.kafka.credentials import KnownCredentials
from shared.kafka.knowledge import Knowledge
from shared.kafka.produce import Sender
from shared.mongo import Database, connect, projecting
from shared.policy import ReferencesPolicy
from shared.policy.harvesting import load_harvesting
from shared.policy.pools import load_pools
from shared.policy.rules import load_delivery
from shared.policy.snapshots import load_snapshots
from shared.privacy.keyfile import load_or_create
from shared.runtime import log
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.service import Role, run_roles
from shared.web import Callers, Pace, serve
from shared.web.alone import health_alone

SERVICE: Final = "distribution"
ROLES: Final = ("api", "projector", "products", "access", "snapshots")


async def main(settings: Settings, roles: Sequence[str]) -> None:
    """Run the chosen roles until a signal."""
    log.configure(service=SERVICE, level=settings.log_level, json=settings.log_json)
    health = Health()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            connect(
                settings.mongodb_url, settings.database_prefix + SERVICE, settings.mongodb_driver
            )
        )
        await store.prepare(database)
        parts: dict[str, Role] = {}
        if {"api", "products", "snapshots"} & set(roles):
            rules = load_delivery(settings.policies_dir)
            gate = gated(settings, rules, health)
            served: tuple[str, ...] = ()
            if "api" in roles:
                reads, served = reading(settings, database, gate, health, stack)
                parts |= reads
            if "products" in roles:
                parts["products"] = await publishing(settings, database, gate, health)
                served = (*served, TOPIC_PRODUCTS)
            if "snapshots" in roles:
                told = load_snapshots(settings.policies_dir / "snapshots.toml")
                parts["snapshots"] = Builder(settings, gate, database, told).run
            rules.require(*served)
            parts |= obeying(settings, gate, served)
        if "projector" in roles:
            parts |= projecting_roles(settings, database, health)
        if "access" in roles:
            parts |= access.following(settings, health)
        if "api" not in roles:
            parts["health"] = health_alone(SERVICE, health, settings)
        await run_roles(parts, drain_seconds=settings.drain_seconds)


def projecting_roles(settings: Settings, database: Database, health: Health) -> dict[str, Role]:
    """Compose what keeps the read models in the store."""
    consumer = Consumer(
        "distribution.projector",
        SOURCES,
        SERVICE,
        projecting(database, TABLE, ReadModels(database).into),
        settings.kafka_bootstrap,
        settings.topic_prefix,
        health=health,
        member=settings.replica or None,
    )
    return {
        "projector": consumer.run,
        "recount": partial(recount_forever, database, health),
        "sweeper": Sweeper(database, health).run,
    }


def gated(settings: Settings, rules: ReferencesPolicy, health: Health) -> Gate:
    """Compose what this process knows of permissions."""
    knowledge = Knowledge(
        TOPICS,
        settings.kafka_bootstrap,
        rules.stale_after,
        settings.topic_prefix,
        health=health,
    )
    return Gate(knowledge, rules)


def obeying(settings: Settings, gate: Gate, outlets: Sequence[str]) -> dict[str, Role]:
    """Compose what keeps the gate's knowledge, and reports since when its outlets obey."""
    receipts = Receipts(
        gate.knowledge,
        Sender(settings.kafka_bootstrap, SERVICE, settings.topic_prefix),
        settings.replica_name,
        tuple(outlets),
        settings.alive_seconds,
    )
    return {"gate": gate.knowledge.run, "receipts": receipts.run}


async def publishing(settings: Settings, database: Database, gate: Gate, health: Health) -> Role:
    """Compose what writes the topic products."""
    board = Board(database, SYSTEM)
    await board.prepare()
    return Products(
        gate,
        store.Works(database),
        board,
        settings.kafka_bootstrap,
        settings.topic_prefix,
        settings.state_dir / "products",
        settings.replica_name,
        settings.replica or None,
        settings.nudge_seconds,
        health,
    ).run


def reading(
    settings: Settings,
    database: Database,
    gate: Gate,
    health: Health,
    stack: AsyncExitStack,
) -> tuple[dict[str, Role], tuple[str, ...]]:
    """Compose the read interfaces of this host; return their roles and their names as outlets."""
    directory = Directory(settings.kafka_bootstrap, settings.topic_prefix, health)
    index = open_index(settings.state_dir / "search", schema_version=str(LAYOUT))
    stack.callback(index.close)
    callers = Callers(
        KnownCredentials(gate.knowledge, CREDENTIALS),
        login_hmac_key=load_or_create(settings.login_key_file),
        operator_token_file=settings.operator_token_file,
    )
    stack.callback(callers.close)
    host = Host(
        gate=gate,
        directory=directory,
        works=store.Works(database),
        index=index,
        key=load_or_create(settings.key_file),
        database=database,
        settings=settings,
        health=health,
        callers=callers,
        harvesting=load_harvesting(settings.policies_dir / "harvesting.toml"),
    )
    outlets = open_outlets(host)
    routes = [route for outlet in outlets for route in outlet.routes]
    listening = partial(
        serve,
        site(
            (*routes, *jobs.routes(Board(database, SYSTEM))),
            health=health,
            callers=callers,
            pools=Pools(load_pools(settings.policies_dir / "pools.toml"), settings.pool_limits),
        ),
        host=settings.http_host,
        port=settings.http_port,
        drain_seconds=settings.drain_seconds,
        idle_seconds=settings.idle_seconds,
        pace=Pace(settings.body_stall_seconds, settings.body_seconds),
    )
    roles = {name: role for outlet in outlets for name, role in outlet.roles.items()}
    return {
        "directory": directory.run,
        **searching(settings, database, gate, index, health),
        **roles,
        "api": listening,
    }, tuple(name for outlet in outlets for name in outlet.names)


def searching(
    settings: Settings, database: Database, gate: Gate, index: SearchIndex, health: Health
) -> dict[str, Role]:
    """Compose what keeps this host's search index, and what builds it anew."""
    works = store.Works(database)
    indexer = Indexer(
        index,
        settings.kafka_bootstrap,
        gate.owner_prefix,
        lambda: gate.knowledge.caught_up,
        settings.topic_prefix,
        settings.search_commit_records,
        health,
        withheld=gate.policy.withheld_fields,
    )
    transfers = Transfers(gate, works, indexer)
    models, name = ReadModels(database), settings.replica_name
    lists = Lists(Serving(models, index, indexer, transfers, gate, works, name))
    counts = Counts(works, indexer, settings.count_seconds, health)
    return {
        "indexer": indexer.run,
        "transfers": transfers.run,
        "counts": counts.run,
        "lists": lists.run,
    }
