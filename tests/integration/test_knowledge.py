"""Gate knowledge on the real broker: what it denies, when it is stale, how it recovers (L3)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import Outgoing, PrefixAssigned, to_record
from shared.events.records import Meta
from shared.kafka import follow
from shared.kafka.knowledge import SILENT_SECONDS, Knowledge
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from tests.events import AT, Voice, speaking
from tests.processes import Place, until

PREFIXES = "accounts.prefixes.v1"


def assigned(prefix: str, version: int, **more: Any) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=prefix, owner=78, owner_name="Press", assigned_at=AT, version=version, **more
    )


@contextlib.asynccontextmanager
async def knowing(place: Place, silent: float = SILENT_SECONDS) -> AsyncIterator[Knowledge]:
    where = (place.kafka_bootstrap, timedelta(seconds=5), place.name)
    knowledge = Knowledge([PREFIXES], *where, health=Health(), silent_seconds=silent)
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(knowledge.run(draining))
        try:
            yield knowledge
        finally:
            draining.set()


async def fresh(knowledge: Knowledge, within: float = 30) -> None:
    async def is_fresh() -> bool:
        return knowledge.fresh()

    await until(is_fresh, within=within, what="fresh knowledge")


async def say_garbage(voice: Voice, event: PrefixAssigned, **changed: Any) -> None:
    good = to_record(event, Meta("1", "/services/accounts", "2026-01-01T00:00:00Z"))
    parts = {"topic": good.topic, "key": good.key, "value": good.value, "headers": good.headers}
    await voice.send([Outgoing(**(parts | changed))])


@pytest.mark.law("L3")
async def test_an_unreadable_record_denies_its_key_until_a_higher_version_and_no_other_key(
    place: Place,
) -> None:
    async with speaking(place, "accounts") as (accounts,), knowing(place) as knowledge:
        await accounts.say(assigned("10.5555", 1, setting="open"), assigned("10.6666", 1))
        await fresh(knowledge)
        await until(lambda: _has(knowledge, "10.6666", 1))
        for version, changed in ((2, {"value": b"{"}), (4, {"value": None})):
            await say_garbage(accounts, assigned("10.5555", version), **changed)
            await until(lambda: _denied(knowledge, "10.5555"))
            assert knowledge.get(PREFIXES, "10.5555") is None
            assert knowledge.get(PREFIXES, "10.6666") is not None
            await accounts.say(assigned("10.5555", version))  # its like, from before: not enough
            await accounts.say(assigned("10.6666", version))
            await until(partial(_has, knowledge, "10.6666", version))
            assert knowledge.denied(PREFIXES, "10.5555")
            await accounts.say(assigned("10.5555", version + 1))
            await until(partial(_has, knowledge, "10.5555", version + 1))
        assert knowledge.fresh()


@pytest.mark.law("L3")
async def test_a_record_without_a_readable_key_makes_all_of_it_stale_until_a_new_start(
    place: Place,
) -> None:
    async with speaking(place, "accounts") as (accounts,):
        async with knowing(place) as knowledge:
            await accounts.say(assigned("10.5555", 1))
            await fresh(knowledge)
            await say_garbage(accounts, assigned("10.5555", 2), key=b"\xff\xfe")
            await until(lambda: _not(knowledge.fresh()), what="stale")
            await accounts.say(assigned("10.5555", 3))
            await until(lambda: _has(knowledge, "10.5555", 3))
            assert not knowledge.fresh()
            (part,) = knowledge.health.readiness()
            assert not part.ok
        async with knowing(place) as another:  # it still stands in the topic
            await until(lambda: _has(another, "10.5555", 3))
            assert not another.fresh()


@pytest.mark.law("L3")
@pytest.mark.clause("CRR-4")
async def test_knowledge_is_stale_five_seconds_after_the_last_watermark_and_fresh_after_the_next(
    place: Place,
) -> None:
    async with speaking(place, "accounts") as (accounts,), knowing(place) as knowledge:
        await accounts.say(assigned("10.5555", 1))
        await fresh(knowledge)
        accounts.marking = False
        await accounts.mark()
        marked = SYSTEM.monotonic()
        await until(lambda: _not(knowledge.fresh()), within=20, what="stale")
        assert SYSTEM.monotonic() - marked >= 4.0
        await until(lambda: _not(knowledge.health.readiness()[0].ok))
        assert knowledge.get(PREFIXES, "10.5555") is not None  # known, only too old to act on
        await accounts.mark(age=timedelta(seconds=60))  # a word from long ago freshens nothing
        await accounts.say(assigned("10.5555", 2))
        await until(lambda: _has(knowledge, "10.5555", 2))
        assert not knowledge.fresh()
        accounts.marking = True
        await fresh(knowledge)


@pytest.mark.law("L3")
async def test_a_client_gone_deaf_to_a_partition_is_replaced_and_knowledge_is_fresh_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[AIOKafkaConsumer] = []

    def made(**settings: Any) -> AIOKafkaConsumer:
        clients.append(AIOKafkaConsumer(**settings))
        return clients[-1]

    monkeypatch.setattr(follow, "AIOKafkaConsumer", made)
    async with speaking(place, "accounts") as (accounts,), knowing(place, 1.5) as knowledge:
        await accounts.say(assigned("10.5555", 1))
        await fresh(knowledge)
        deaf = list(clients)
        for one in deaf:
            one.pause(TopicPartition(place.name + PREFIXES, 3))
        await until(lambda: _not(clients == deaf), within=20, what="another client")
        await accounts.say(assigned("10.5555", 2))
        await until(lambda: _has(knowledge, "10.5555", 2))
        await fresh(knowledge)


async def _has(knowledge: Knowledge, prefix: str, version: int) -> bool:
    held = knowledge.get(PREFIXES, prefix)
    return held is not None and held.aggregate_version == version


async def _denied(knowledge: Knowledge, prefix: str) -> bool:
    return knowledge.denied(PREFIXES, prefix)


async def _not(value: bool) -> bool:  # noqa: FBT001
    return not value


@pytest.mark.law("P6")
async def test_the_brokers_clock_is_known_by_its_watermarks_and_not_by_what_was_read_to_catch_up(
    place: Place,
) -> None:
    async with speaking(place, "accounts") as (accounts,):
        await accounts.say(assigned("10.5555", 1))
        async with knowing(place) as knowledge:

            async def known() -> datetime | None:
                return knowledge.broker_time()

            at = await until(known, what="the broker's clock")
            assert at is not None
            # One machine, one clock: what differs is how long a watermark is on its way.
            assert abs(SYSTEM.now() - at) < timedelta(seconds=5)
