"""Erasures: people with an account, a role, an application and consent, each erased everywhere.

Ours are the real services, and all erasures of a round are approved at once. Timed is from approval
until every service gave evidence: keys fenced and destroyed, records erased, sent as tombstones and
looked for again. What follows waits for the broker's cleaner and for epochs of keys, by their own
settings; it is timed apart. The bare loop makes as many store writes and sends, all people at once,
by how much documents' versions and topics grew meanwhile. Figures are erasures a second. ``SCALE=``
multiplies 24 people.

Nothing cools off. A key may be used for 30 seconds, as the policy has it; retention believes nobody
before it watched for 31, and no round begins before that. All processes answer, and obey fences.
"""

import asyncio
import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.events.records import NUDGE_KEY, WATERMARK_KEY
from shared.kafka.connection import client
from shared.kafka.topics import declared
from shared.mongo import Database, connect
from shared.runtime.clock import parse_rfc3339
from shared.runtime.ids import new_id
from tests.bench.rig import close, console, describe, sized, spending
from tests.faults.test_whole_erasure import rotated, somebody
from tests.mailbox import mailbox
from tests.platform import shared_platform
from tests.processes import Place
from tests.whole import HOLDERS, Whole, create, whole

PEOPLE: Final = sized(24, least=3)
ROUNDS: Final = 3
ALONE: Final = 10
# Ten new contacts a day is what a role of an organisation gets (contacts.toml).
ROLES: Final = itertools.cycle(
    ("technical", "metadata-quality", "product-management", "production", "other")
)
# The policy's own times of keys; and one client asks for all people here.
POLICY: Final[Mapping[str, Any]] = {"usable": "PT30S", "skew": "PT1S", "asks": 100_000}
STEPS: Final = ("collected", "fenced", "destroying", "destroyed", "ordered", "evidenced")
# Seconds of a segment, between nudges and between looks at epochs; tests have half a second, which
# keeps the broker's cleaner busy all the time.
EVERY: Final = 5
BOUND: Final = 20.0  # seconds: less than what anybody would be waited for
AIMS: Final = "aims: p50 0.3 s, p99 2 s"
DOCUMENT: Final = 1_500  # bytes, about what a document has
RECORD: Final = 800
SAID_KEYS: Final = (WATERMARK_KEY, NUDGE_KEY)


async def main() -> None:
    """Print the time to unreadable, the time to a certificate, and the ratio of both rates."""
    with shared_platform() as platform, mailbox() as box:
        if platform.broker_files is None:
            raise SystemExit("the broker's files cannot be looked at: it is another one")
        describe(platform)
        name = f"bench{new_id()[-12:]}."
        with tempfile.TemporaryDirectory(prefix="colophon-bench-") as folder:
            place = Place(platform.kafka_bootstrap, platform.mongodb_url, name, Path(folder))
            await create(platform.kafka_bootstrap, name, EVERY)
            async with (
                whole(place, box, Path(platform.broker_files), EVERY, **POLICY) as here,
                connect(place.mongodb_url, f"{name.replace('.', '_')}bare") as database,
            ):
                await measured(here, database)


async def measured(here: Whole, database: Database) -> None:
    """Run the rounds and print what they took."""
    each = -(-PEOPLE // ROUNDS)
    console.print(
        f"{each} people at once, {ROUNDS} rounds; a key may be used for 30 s and 1 of skew"
    )
    await believed(here)
    ours, plain = list[float](), list[float]()
    unreadable, certified = list[float](), list[float]()
    for number in range(ROUNDS):
        erasures = await planned(here, each, number)
        before, offsets = await versions(here), await ends(here)
        shown = await spending("ours", erased(here, erasures))
        took = max(since(one, "evidenced") for one in shown)
        writes, sends = await versions(here) - before, await sent(here, offsets)
        unreadable += [since(one, "destroyed") for one in shown]
        certified += [since(one, "certified") for one in await finished(here, erasures)]
        ours.append(each / took)
        alone = bare(here, database, each, writes, sends)
        plain.append(each / await spending("bare", alone))
        console.print(
            f"round {number + 1}: {writes / each:.0f} writes and {sends / each:.0f} sends each;"
            f" ours {ours[-1]:.2f}, bare {plain[-1]:.2f}, {ours[-1] / plain[-1]:.2f}"
        )
        console.print(f"seconds from approval, p50: {when(shown)}")
    report("approval to unreadable", unreadable, AIMS)
    shown = await one_by_one(here)
    report(
        "approval to unreadable, one person at a time", [since(o, "destroyed") for o in shown], AIMS
    )
    report(
        "approval to evidence, one person at a time",
        [since(o, "evidenced") for o in shown],
        "no aim",
    )
    report("approval to certificate, epochs begun by hand", certified, "no aim")
    close("erasure", ours, plain, "erasures/s")


async def believed(here: Whole) -> None:
    """Erase somebody until that does not wait for the time of keys any more."""
    for number in range(5):
        shown = await erased(here, await planned(here, 1, 100 + number))
        if since(shown[0], "destroyed") < BOUND:
            return
    raise SystemExit("somebody does not obey fences")


async def one_by_one(here: Whole) -> list[Any]:
    """Erase people one after the other, with nothing else to do."""
    return [
        (await erased(here, await planned(here, 1, 200 + number)))[0] for number in range(ALONE)
    ]


def report(what: str, figures: Sequence[float], aim: str) -> None:
    """Print ranks."""
    ranked = sorted(figures)
    p99 = ranked[min(int(len(ranked) * 0.99), len(ranked) - 1)]
    console.print(f"{what}: p50 {statistics.median(ranked):.2f} s, p99 {p99:.2f} s ({aim})")


async def planned(here: Whole, count: int, number: int) -> list[str]:
    """Let people come, and plan the erasure of each."""
    emails = [f"somebody-{number}-{one}@people.example" for one in range(count)]
    for email in emails:
        await somebody(here, email, role=next(ROLES))
    found = []
    for email in emails:
        said = await here.retention("POST", "/erasures", {"requester": "officer", "email": email})
        found.append(str(said["erasure"]))
    for one in found:
        await here.at(one, "planned")
    return found


async def erased(here: Whole, erasures: Sequence[str]) -> list[Any]:
    """Approve all at once, and wait until every service said that it erased."""
    body = {"approver": "officer"}
    await asyncio.gather(
        *(here.retention("POST", f"/erasures/{one}/approve", body) for one in erasures)
    )
    return [await here.at(one, *AFTER, within=300.0) for one in erasures]


async def finished(here: Whole, erasures: Sequence[str]) -> list[Any]:
    """Begin epochs, and wait for all certificates."""
    for one in erasures:
        await here.at(one, *AFTER[1:], within=300.0)
    for _ in range(2):
        await rotated(here)
    return [await here.at(one, "certified", "closed", within=300.0) for one in erasures]


AFTER: Final = ("evidenced", "compacted", "irrecoverable", "scanned", "certified", "closed")


def when(shown: Sequence[Any]) -> str:
    """Say when steps were taken, at the median."""
    return ", ".join(
        f"{step} {statistics.median(since(one, step) for one in shown):.2f}" for step in STEPS
    )


def since(shown: Any, step: str) -> float:
    """Return the seconds from approval to a step, by retention's own clock."""
    times = shown["times"]
    took = parse_rfc3339(times[step]) - parse_rfc3339(times["approved"])
    return float(took.total_seconds())


async def versions(here: Whole) -> int:
    """Count writes of the services: by how much versions of their documents grew.

    What the relay writes when it empties an outbox is not counted, nor what is gone since.
    """
    total, prefix = 0, here.place.name.replace(".", "_")
    for service in (*HOLDERS, "keys"):
        async with connect(here.place.mongodb_url, prefix + service) as database:
            for name in await database.list_collection_names():
                async for row in database[name].find({}, {"version": 1}):
                    version = row.get("version", 1)
                    total += version if isinstance(version, int) else 1
    return total


async def ends(here: Whole) -> dict[TopicPartition, int]:
    """Return where every topic ends."""
    places = [
        TopicPartition(here.place.name + topic.name, number)
        for topic in declared().values()
        for number in range(topic.partitions)
    ]
    async with reading(here) as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(places)
    return found


async def sent(here: Whole, offsets: Mapping[TopicPartition, int]) -> int:
    """Count the records that came since, without watermarks and nudges."""
    now, count = await ends(here), 0
    left = [one for one in offsets if offsets[one] < now[one]]
    async with reading(here) as consumer:
        consumer.assign(left)
        for one in left:
            consumer.seek(one, offsets[one])
        while left:
            for records in (await consumer.getmany(*left, timeout_ms=100)).values():
                count += sum(one.key not in SAID_KEYS for one in records)
            left = [one for one in left if await consumer.position(one) < now[one]]
    return count


@contextlib.asynccontextmanager
async def reading(here: Whole) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer of nothing yet."""
    consumer = AIOKafkaConsumer(
        **client(here.place.kafka_bootstrap),
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def bare(here: Whole, database: Database, people: int, writes: int, sends: int) -> float:
    """Write and send as often, for all people at once; return the seconds."""
    producer = AIOKafkaProducer(
        **client(here.place.kafka_bootstrap), acks="all", enable_idempotence=True
    )
    await producer.start()
    topic = here.place.name + "distribution.projector.replay.v1"  # nobody here reads it

    async def one(number: int) -> None:
        for turn in range(writes // people):
            row = {"data": "x" * DOCUMENT, "version": turn}
            await database["bare"].replace_one(
                {"_id": f"{number}-{turn}-{time.time_ns()}"}, row, upsert=True
            )
        for _ in range(sends // people):
            await producer.send_and_wait(topic, bytes(RECORD), key=str(number).encode())

    began = time.perf_counter()
    await asyncio.gather(*map(one, range(people)))
    took = time.perf_counter() - began
    await producer.stop()
    return took
