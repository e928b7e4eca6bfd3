"""The parts of the spine together on the real pair: aggregate, outbox, relay, consumer, gate."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.events import PrefixAssigned, PrefixState, ReferencePreferenceSet, Received
from shared.kafka.consume import Consumer
from shared.kafka.knowledge import Knowledge
from shared.kafka.relay import Relay, Source
from shared.mongo import Accepted, Aggregates, Database, Lease, Outbox, Put, projecting
from tests.platform import Platform

PREFIXES = "accounts.prefixes.v1"
AT = datetime(2026, 1, 1, tzinfo=UTC)


async def eventually(condition: Callable[[], bool], within: float = 15.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)


def assigned(prefix: str, *, version: int = 1, **more: object) -> PrefixState:
    return PrefixState(
        prefix=prefix, owner=78, owner_name="Press", assigned_at=AT, version=version, **more
    )


def relay_of(database: Database, platform: Platform, prefix: str) -> Relay:
    return Relay(
        "accounts",
        [Source(Outbox(database["prefixes"], "/services/accounts"), (PREFIXES,))],
        Lease(database["leases"], "relay", "test"),
        platform.kafka_bootstrap,
        prefix,
    )


async def test_a_preference_reaches_gate_and_projection(
    database: Database, platform: Platform, prefix: str
) -> None:
    relay = relay_of(database, platform, prefix)
    prefixes = Aggregates(
        database["prefixes"],
        PrefixState.model_validate_json,
        "/services/accounts",
        wake=relay.wake.set,
    )
    await relay.sources[0].box.prepare()  # type: ignore[attr-defined]
    gate = Knowledge([PREFIXES], platform.kafka_bootstrap, timedelta(seconds=5), prefix)

    def show(event: PrefixState, _received: Received) -> list[Put]:
        return [Put("shown", event.prefix, event.version, {"setting": event.setting})]

    consumer = Consumer(
        "distribution.projector",
        [PREFIXES],
        "distribution",
        projecting(database, {PrefixAssigned: show, ReferencePreferenceSet: show}),
        platform.kafka_bootstrap,
        prefix,
    )
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for role in (relay.run, gate.run, consumer.run):
            group.create_task(role(draining))
        state = assigned("10.5555")
        saved = await prefixes.update(
            "10.5555", lambda _: Accepted(state, (PrefixAssigned(**state.model_dump()),))
        )
        await eventually(lambda: gate.get(PREFIXES, "10.5555") is not None)
        await eventually(gate.fresh)
        assert await prefixes.published("10.5555", saved)  # type: ignore[arg-type]
        closed = state.model_copy(update={"setting": "closed", "version": 2})
        await prefixes.update(
            "10.5555", lambda _: Accepted(closed, (ReferencePreferenceSet(**closed.model_dump()),))
        )
        await eventually(lambda: gate.get(PREFIXES, "10.5555").version == 2)  # type: ignore[union-attr]
        while not (await database["shown"].find_one({"_id": "10.5555", "v": 2})):
            await asyncio.sleep(0.01)
        draining.set()
