"""Ingest: submissions of 10 records until all are published, against the least that could be done.

Ours is the real deposits process over HTTP: sealed chunks, a durable submission, judged records,
diagnostics, an outbox, a relay. The bare loop parses the same files with the same reader, inserts
the works in bulk and produces them; it keeps no promise at all. Both work on sixteen submissions at
once. Figures are records a second; what each took of the processors is printed beside them.
"""

import asyncio
import time

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.deposits.crossref.reader import read_deposit
from shared.kafka.topics import declared
from tests.bench.rig import Rig, close, console, in_turn, rig, spending
from tests.depositing import PASSWORD, PRESS, article, deposit, members
from tests.processes import Place, Running, service

TOPIC = "deposits.works.v1"
RECORDS = 10
AT_ONCE = 16


async def main(*, submissions: int = 80, rounds: int = 5) -> None:
    """Print the ratio of both rates."""
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            members(place),
            service("deposits", place) as running,
            aiohttp.ClientSession() as session,
        ):
            console.print(
                f"{submissions} submissions of {RECORDS} records, {AT_ONCE} at once,"
                f" {rounds} rounds"
            )
            await ours(here, running, session, files("warm", AT_ONCE))
            mine, plain = await in_turn(
                rounds,
                lambda n: spending(
                    "ours", ours(here, running, session, files(f"o{n}", submissions))
                ),
                lambda n: spending("bare", bare(here, files(f"b{n}", submissions))),
            )
            close("ingest", mine, plain, "records/s")


def files(name: str, count: int) -> list[bytes]:
    """Make deposit files of new DOIs."""
    return [
        deposit(
            *(article(f"10.5555/{name}.{number}.{n}") for n in range(RECORDS)),
            batch=f"{name}-{number}",
        )
        for number in range(count)
    ]


async def ours(
    here: Rig, running: Running, session: aiohttp.ClientSession, contents: list[bytes]
) -> float:
    """Deposit all files and wait until every record stands in the topic."""
    watching = await watch(here)
    waiting = asyncio.Queue[bytes]()
    for content in contents:
        waiting.put_nowait(content)

    async def depositor() -> None:
        while not waiting.empty():
            form = aiohttp.FormData({"login_id": PRESS.name, "login_passwd": PASSWORD})
            form.add_field("fname", waiting.get_nowait(), filename="bench.xml")
            async with session.post(running.url + "/servlet/deposit", data=form) as answer:
                assert answer.status == 200, await answer.text()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(depositor())
        group.create_task(seen(watching, len(contents) * RECORDS))
    took = time.perf_counter() - began
    await watching.stop()
    return len(contents) * RECORDS / took


async def bare(here: Rig, contents: list[bytes]) -> float:
    """Parse, insert, produce."""
    producer = AIOKafkaProducer(
        bootstrap_servers=here.bootstrap, acks="all", enable_idempotence=True
    )
    await producer.start()
    waiting = list(contents)

    async def worker() -> None:
        while waiting:
            read = await asyncio.to_thread(read_deposit, [waiting.pop()])
            works = [{"_id": one.doi, "work": one.work} for one in read.records]
            await here.database["bare"].insert_many(works, ordered=False)
            sent = [
                await producer.send(
                    here.prefix + TOPIC, orjson.dumps(one["work"]), key=str(one["_id"]).encode()
                )
                for one in works
            ]
            await asyncio.gather(*sent)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    took = time.perf_counter() - began
    await producer.stop()
    return len(contents) * RECORDS / took


async def watch(here: Rig) -> AIOKafkaConsumer:
    """Stand at the end of the topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=here.bootstrap, isolation_level="read_committed", fetch_max_wait_ms=20
    )
    await consumer.start()
    partitions = [
        TopicPartition(here.prefix + TOPIC, n) for n in range(declared()[TOPIC].partitions)
    ]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for where in partitions:
        await consumer.position(where)
    return consumer


async def seen(consumer: AIOKafkaConsumer, wanted: int) -> None:
    """Return when ``wanted`` records came."""
    while wanted > 0:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            wanted -= len(records)
