"""Dead letters on the real broker: parked, listed, shown, replayed, dropped by the command line."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from click.testing import CliRunner

from deploy.local.ports import free_ports
from shared.events import Meta, Outgoing, PrefixAssigned, Received, to_record
from shared.kafka import dead
from shared.kafka.__main__ import main
from shared.kafka.circuit import POISON_ROW
from shared.kafka.consume import Consumer
from shared.runtime.health import Health
from tests.events import AT, Voice, speaking
from tests.processes import ROOT, Place, until

GROUP = "distribution.projector"
PREFIXES = "accounts.prefixes.v1"
SECRET = "what-no-listing-may-show"


def assigned(number: int) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=f"10.{number}", owner=78, owner_name=SECRET, assigned_at=AT, version=1
    )


@dataclass(slots=True)
class Model:
    """A handler that cannot apply some prefixes, until it is mended."""

    cannot: set[str] = field(default_factory=set)
    applied: set[str] = field(default_factory=set)

    async def handle(self, batch: Sequence[Received]) -> None:
        for one in batch:
            if one.event.key in self.cannot:
                raise ValueError(SECRET)
            self.applied.add(one.event.key)

    async def has(self, *keys: str) -> bool:
        return self.applied >= set(keys)


@contextlib.asynccontextmanager
async def consuming(place: Place, model: Model) -> AsyncIterator[Health]:
    health = Health()
    consumer = Consumer(
        GROUP,
        [PREFIXES],
        "distribution",
        model.handle,
        place.kafka_bootstrap,
        place.name,
        health=health,
    )
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(consumer.run(draining))
        try:
            yield health
        finally:
            draining.set()


async def ask(place: Place, *words: str) -> Any:
    environment = {"KAFKA_BOOTSTRAP": place.kafka_bootstrap, "TOPIC_PREFIX": place.name}
    return await asyncio.to_thread(
        CliRunner().invoke, main, ["dead-letters", *words], env=environment
    )


async def letters(place: Place) -> list[dead.Letter]:
    return await dead.open_letters(place.kafka_bootstrap, GROUP, prefix=place.name)


async def committed(place: Place) -> dict[int, int]:
    """Return the group's committed offset of each partition that has one."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap,
        group_id=place.name + GROUP,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        places = [TopicPartition(place.name + PREFIXES, part) for part in range(6)]
        found = {where.partition: await consumer.committed(where) for where in places}
        return {part: offset for part, offset in found.items() if offset}
    finally:
        await consumer.stop()


async def spoil(voice: Voice, number: int) -> None:
    good = to_record(
        assigned(number), Meta("id-of-it", "/services/accounts", "2026-01-01T00:00:00Z")
    )
    await voice.send([Outgoing(good.topic, good.key, SECRET.encode(), good.headers)])


@pytest.mark.law("L5")
async def test_poison_is_parked_listed_shown_replayed_and_dropped_by_the_command_line(
    place: Place,
) -> None:
    model = Model(cannot={"10.2222", "10.3333"})
    async with speaking(place, "accounts") as (accounts,), consuming(place, model):
        await accounts.say(assigned(1111), assigned(2222), assigned(3333))
        await spoil(accounts, 4444)
        await accounts.say(assigned(5555))
        await until(lambda: model.has("10.1111", "10.5555"), within=40)
        await until(lambda: _so_many(place, 3), within=30, what="three letters")
        by_type = {one.about["dead_reason"].split(" ")[0]: one for one in await letters(place)}
        unreadable = by_type["accounts.prefix-assigned.v1"]

        listed = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "shared.kafka", "dead-letters", "list"],
            cwd=ROOT,
            env=os.environ | {"KAFKA_BOOTSTRAP": place.kafka_bootstrap, "TOPIC_PREFIX": place.name},
            capture_output=True,
            text=True,
            check=True,
        )
        assert listed.stdout.count(GROUP) == 3
        assert listed.stdout.count("ValueError") == 2
        assert unreadable.id in listed.stdout
        shown = await ask(place, "show", "--group", GROUP, unreadable.id)
        assert f"{len(SECRET)}" in shown.output
        assert "id-of-it" in shown.output
        assert SECRET not in shown.output + listed.stdout

        chosen = await ask(place, "replay", "--group", GROUP)
        assert chosen.exit_code == 1
        assert "--all" in chosen.output
        wrong = await ask(place, "drop", "--group", GROUP, "--reason", "x", "no-such-letter")
        assert wrong.exit_code == 1
        assert "no open letter no-such-letter" in wrong.output
        gone = await ask(place, "drop", "--group", GROUP, "--reason", "a test", unreadable.id)
        assert gone.output.endswith("1 letters dropped\n")

        model.cannot.remove("10.2222")  # one is mended, the other one fails again
        again = await ask(place, "replay", "--group", GROUP, "--all")
        assert again.output.endswith("2 letters replayed\n")
        await until(lambda: model.has("10.2222"), within=30)
        await until(lambda: _so_many(place, 1), within=30, what="one letter")
        (left,) = await letters(place)
        assert left.about["dead_topic"] == dead.replay_topic(GROUP)
        assert left.key == b"10.3333"
        model.cannot.clear()
        await ask(place, "replay", "--group", GROUP, left.id)
        await until(lambda: model.has("10.3333"), within=30)
        assert await letters(place) == []


@pytest.mark.law("L5")
async def test_the_circuit_opens_and_says_so_and_a_mended_build_finds_all_of_it_in_the_log(
    place: Place,
) -> None:
    numbers = range(4000, 4000 + 12 * POISON_ROW)
    model = Model(cannot={f"10.{n}" for n in numbers})
    async with speaking(place, "accounts") as (accounts,):
        await accounts.say(*(assigned(n) for n in numbers))
        async with consuming(place, model) as health:
            await until(lambda: _opened(health), within=40, what="the circuit open")
            assert await committed(place) == {}
            assert await letters(place) == []
        mended = Model()
        async with consuming(place, mended):
            await until(lambda: mended.has(*model.cannot), within=40)


async def test_a_broker_that_is_away_is_a_sentence_not_a_traceback(tmp_path: Any) -> None:
    nowhere = Place(f"127.0.0.1:{free_ports(['none'])['none']}", "", "t.", tmp_path)
    answer = await ask(nowhere, "list", "--group", GROUP)
    assert answer.exit_code == 1
    assert "Is the broker running at KAFKA_BOOTSTRAP?" in answer.output


async def _so_many(place: Place, count: int) -> bool:
    return len(await letters(place)) == count


async def _opened(health: Health) -> bool:
    return any("circuit open" in part.why for part in health.readiness())
