"""The stream of facts killed anywhere, and moved between workers: nothing that was said is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import pytest
from aiokafka import TopicPartition

from services.retention.commands.facts import Facts
from services.retention.model.mapping import TOPICS
from services.retention.parts.clocks import GROUP
from services.retention.store.records import open_records
from services.retention.stream import Stalled, Stream
from shared.events import Event, Received
from shared.kafka.applying import Handler
from shared.kafka.dead import open_letters
from shared.kafka.topics import declared
from shared.mongo import Database, connect
from shared.policy.retention import load_retention
from tests.events import Voice, speaking
from tests.integration.test_consumer import looking
from tests.processes import ROOT, Place, service, until
from tests.retaining import application, archived, owning, pseudonym, registered

POINTS: Final = ("stream.read", "stream.acked", "clocks.settled", "clocks.told")
PEOPLE: Final = "accounts.people.v1"
PARTS: Final = declared()[PEOPLE].partitions
MANY: Final = 60  # records of a round


async def records(place: Place) -> AsyncIterator[Database]:
    name = place.environment("retention")["DATABASE_PREFIX"] + "retention"
    async with connect(place.mongodb_url, name) as database:
        yield database


@dataclass(slots=True)
class Said:
    """What was said so far, in order of partitions, and what must come of it."""

    accounts: Voice
    people: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)

    async def more(self, count: int = MANY) -> None:
        """Say that many have an account, and of a few that their application was archived."""
        first = len(self.people) + 1
        numbers = range(first, first + count)
        # Accounts too young for any rule; applications that were due long ago.
        events: list[Event] = [registered(n, "2026-01-01") for n in numbers]
        events += [archived(n, "2024-01-01") for n in numbers[:5]]
        await self.accounts.say(*events)
        self.people += [pseudonym(n) for n in numbers]
        self.applications += [application(n) for n in numbers[:5]]

    async def all_kept(self, database: Database) -> bool:
        kinds = (("account", self.people), ("volunteer-application", self.applications))
        wanted = [f"{kind}:{name}" for kind, names in kinds for name in names]
        found = await database["records"].find({"_id": {"$in": wanted}}, {"_id": 1}).to_list(None)
        return len(found) == len(wanted)


async def passed(place: Place, said: Said) -> set[str]:
    """Return the people whose events stand below what the group committed."""
    places = [TopicPartition(place.name + PEOPLE, part) for part in range(PARTS)]
    async with looking(place, group=place.name + GROUP) as client:
        committed = {one: await client.committed(one) or 0 for one in places}
        client.assign(places)
        await client.seek_to_beginning(*places)
        below: set[str] = set()
        while any([await client.position(one) < committed[one] for one in places]):
            for one, records in (await client.getmany(timeout_ms=200)).items():
                below |= {r.key.decode() for r in records if r.offset < committed[one]}
    return below & set(said.people)


@pytest.mark.law("L5")
@pytest.mark.law("P6")
@pytest.mark.parametrize(
    "points",
    [("stream.acked", "clocks.told"), pytest.param(POINTS, marks=pytest.mark.soak)],
    ids=["some", "every"],
)
async def test_a_kill_anywhere_between_read_and_commit_loses_no_fact_and_settles_nothing_twice(
    place: Place, points: tuple[str, ...]
) -> None:
    async with (
        speaking(place, "accounts") as (accounts,),
        contextlib.aclosing(records(place)) as opened,
    ):
        database = await anext(opened)
        said = Said(accounts)
        for point in points:
            await said.more()
            async with service(
                "retention", place, "clocks", COLOPHON_CRASH=point, REPLICA="one", ready=False
            ) as dying:
                assert await dying.ended() == -9, dying.log.read_text()[-2000:]
            kept = {
                one["_id"].partition(":")[2]
                for one in await database["records"].find({}, {"_id": 1}).to_list(None)
            }
            assert await passed(place, said) <= kept, point
        async with service("retention", place, "clocks", REPLICA="one"):
            await until(partial(said.all_kept, database), within=30, what="every fact kept")

            async def settled() -> bool:
                names = [f"volunteer-application:{one}" for one in said.applications]
                found = database["records"].find({"_id": {"$in": names}}, {"state": 1})
                states = [one["state"] for one in await found.to_list(None)]
                return all(one.count('"clock":') == 1 for one in states)

            await until(settled, within=30, what="each settled once")


@dataclass(slots=True)
class Workers:
    """Workers of one group over the real fact table, which come and go."""

    place: Place
    facts: Facts
    tasks: asyncio.TaskGroup
    running: list[tuple[Stream, asyncio.Event]] = field(default_factory=list)

    def join(self, member: str | None = None) -> Stream:
        async def hear(batch: Sequence[Received]) -> None:
            await self.facts.hear(batch)

        stream = Stream(
            GROUP,
            TOPICS,
            "retention",
            hear,
            self.place.kafka_bootstrap,
            self.place.name,
            member=member,
        )
        draining = asyncio.Event()
        self.running.append((stream, draining))
        self.tasks.create_task(stream.run(draining))
        return stream

    def leave(self) -> None:
        _, draining = self.running.pop(0)
        draining.set()


@contextlib.asynccontextmanager
async def working(place: Place, database: Database) -> AsyncIterator[Workers]:
    schedule = load_retention(ROOT / "deploy" / "policies" / "retention.toml")
    facts = Facts(open_records(database, lambda: schedule), frozenset())
    async with asyncio.TaskGroup() as tasks:
        workers = Workers(place, facts, tasks)
        try:
            yield workers
        finally:
            for _, draining in workers.running:
                draining.set()


async def is_ready(stream: Stream) -> bool:
    said = stream.health.readiness()
    return bool(said) and all(part.ok for part in said)


@pytest.mark.law("L5")
async def test_workers_come_and_go_while_facts_flow_and_none_is_lost(
    place: Place, database: Database
) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        working(place, database) as workers,
    ):
        said = Said(accounts)
        await said.more(200)
        first = workers.join()
        await until(partial(is_ready, first), within=30, what="the first worker")
        for step in (workers.join, workers.join, workers.leave, workers.leave):
            step()
            for _ in range(3):
                await said.more(30)
                number = len(said.people)
                await deposits.say(owning(number, "1234-5678"))
        await until(partial(said.all_kept, database), within=60, what="every fact kept")
        kept = {one["_id"] for one in await database["records"].find({}, {"_id": 1}).to_list(None)}
        assert {f"account:{one}" for one in await passed(place, said)} <= kept

        async def all_committed() -> bool:
            return await passed(place, said) == set(said.people)

        await until(all_committed, within=30, pause=0.5, what="everything committed")


@pytest.mark.law("L5")
async def test_a_stream_that_stands_still_says_so_and_poison_is_parked(place: Place) -> None:
    async with speaking(place, "accounts") as (accounts,):
        await accounts.say(*(registered(n, "2026-01-01") for n in range(20)))

        async def hang(_batch: Sequence[Received]) -> None:
            await asyncio.Event().wait()

        def stream(hear: Handler, **more: float) -> Stream:
            at = (place.kafka_bootstrap, place.name)
            return Stream(GROUP, TOPICS, "retention", hear, *at, member="one", **more)

        with pytest.raises(Stalled):
            await stream(hang, stall_seconds=1.0).run(asyncio.Event())
        heard: set[str] = set()

        async def choke(batch: Sequence[Received]) -> None:
            if any(one.event.key == pseudonym(7) for one in batch):
                raise ValueError("what it says means nothing")
            heard.update(one.event.key for one in batch)

        async def done() -> bool:
            return len(heard) == 19

        async def parked() -> bool:
            return bool(await open_letters(place.kafka_bootstrap, GROUP, prefix=place.name))

        draining = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream(choke).run(draining))
            try:
                await until(done, within=40, what="all but the poison")
                await until(parked, within=20, what="the letter")
            finally:
                draining.set()
        (letter,) = await open_letters(place.kafka_bootstrap, GROUP, prefix=place.name)
        assert letter.about["dead_reason"] == "handler: ValueError"
