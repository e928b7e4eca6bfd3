"""Withdrawal: from the HTTP request until every consumer of consent denies.

A person who is on a list leaves it by one click. Who denies then: consent itself (asked by its gate
over HTTP), accounts (its own process, by the receipt it sends), and readers in this process that
know consents as any service does. Beside it, in turn, the bare floor: one record of the same size,
produced and read back. Figures are milliseconds; the ratio is that of the medians.
"""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.kafka.connection import client
from shared.kafka.consents import TOPICS, KnownConsents
from shared.kafka.knowledge import Knowledge
from shared.policy.uses import load_uses
from shared.privacy.blind import BlindIndex
from shared.runtime.clock import parse_rfc3339, rfc3339
from tests.bench.rig import Rig, close, console, in_turn, rig
from tests.processes import OPERATOR, ROOT, Place, Running, service, until

READERS = 3  # beside consent and accounts
PURPOSE = "marketing"
TARGET_MS = 1_000
RECORD_BYTES = 1_500  # about what a withdrawal's record has
FLOOR_TOPIC = "distribution.projector.replay.v1"  # of one partition; nobody here reads it


async def main() -> None:
    """Print p50, p99 and the worst, and the ratio of both medians."""
    rounds = int(os.environ.get("ROUNDS", "200"))
    policy = load_uses(ROOT / "deploy" / "policies")
    async with rig() as here:
        place = Place(here.bootstrap, here.mongodb_url, here.prefix, here.folder)
        async with (
            service("consent", place) as consent,
            service("accounts", place),
            aiohttp.ClientSession(headers=OPERATOR) as session,
            reading(here, policy) as readers,
            bare(here) as floor,
        ):
            asking = Asking(session, consent, readers, BlindIndex(place.folder))
            await asking.call("POST", "/notices")
            await asking.one(0)  # warms caches, and waits until everybody knows of everybody
            ours, plain = await in_turn(rounds, asking.one, floor)
    report(ours, asking.accounts)
    close("withdrawal", ours, plain, "ms")


def report(ours: Sequence[float], accounts: Sequence[float]) -> None:
    """Print ranks, of all consumers together and of accounts alone."""
    for name, figures in (("every consumer", ours), ("accounts alone", accounts[1:])):
        ranked = sorted(figures)
        p99 = ranked[min(int(len(ranked) * 0.99), len(ranked) - 1)]
        console.print(
            f"{name}: p50 {statistics.median(ranked):.0f} ms, p99 {p99:.0f} ms,"
            f" worst {ranked[-1]:.0f} ms (aim: p99 at most {TARGET_MS} ms)"
        )


class Asking:
    """One person after another says yes by letter, and takes it back."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        consent: Running,
        readers: Sequence[KnownConsents],
        index: BlindIndex,
    ) -> None:
        self.session, self.consent = session, consent
        self.readers, self.index = readers, index
        self.accounts: list[float] = []

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask consent for something; it must do it."""
        url = self.consent.url + path
        async with self.session.request(method, url, json=body) as answer:
            assert answer.status < 300, (answer.status, await answer.text())
            return await answer.json()

    async def one(self, number: int) -> float:
        """Let a person withdraw; return the milliseconds until the last consumer denies."""
        email = f"reader-{number}-{time.time_ns()}@press.example"
        subjects = self.index.all(email)
        path = f"/consents/{PURPOSE}"
        said = rfc3339(datetime.now(UTC) - timedelta(days=1))
        yes = {"email": email, "consent": "given", "channel": "letter", "said-at": said}
        await self.call("PUT", path, yes)
        await until(lambda: self._everybody(subjects, "given"), within=30, what="a yes to be known")
        began, wall = time.perf_counter(), datetime.now(UTC)
        no = {"email": email, "consent": "refused", "channel": "e-mail"}
        settled = await self.call("PUT", path, no)
        await asyncio.gather(self._gate(email), self._denying(subjects))
        here = (time.perf_counter() - began) * 1000
        self.accounts.append(await self._accounts(settled["facts"][-1]["withdrawal"], wall))
        return max(here, self.accounts[-1])

    async def _everybody(self, subjects: tuple[str, ...], worth: str) -> bool:
        now = datetime.now(UTC)
        return all(one.worth(subjects, PURPOSE, now) == worth for one in self.readers)

    async def _denying(self, subjects: tuple[str, ...]) -> None:
        while not await self._everybody(subjects, "withdrawn"):  # noqa: ASYNC110  (as a use asks)
            await asyncio.sleep(0.001)

    async def _gate(self, email: str) -> None:
        use = {"act": "mail", "purpose": PURPOSE, "category": "account-holder"}
        asked = use | {"email": email, "opt-out-link": True}
        while (await self.call("POST", "/uses", asked))["outcome"] != "refused":
            pass

    async def _accounts(self, withdrawal: str, began: datetime) -> float:
        """Return after how many milliseconds accounts denied, by the clock of this one host."""

        async def obeyed() -> Any:
            said = await self.call("GET", f"/withdrawals/{withdrawal}")
            return next((one["obeyed-since"] for one in said["services"]), None)

        since = parse_rfc3339(await until(obeyed, within=30, what="accounts to obey"))
        return (since - began).total_seconds() * 1000


@asynccontextmanager
async def reading(here: Rig, policy: Any) -> AsyncIterator[list[KnownConsents]]:
    """Follow consents as services do, several times over."""
    draining = asyncio.Event()
    readers = [
        KnownConsents(Knowledge(TOPICS, here.bootstrap, policy.stale_after, here.prefix), policy)
        for _ in range(READERS)
    ]
    async with asyncio.TaskGroup() as group:
        for one in readers:
            group.create_task(one.knowledge.run(draining))
        try:
            yield readers
        finally:
            draining.set()


@asynccontextmanager
async def bare(here: Rig) -> AsyncIterator[Any]:
    """Return what produces a record and reads it back, and nothing else."""
    topic = here.prefix + FLOOR_TOPIC
    producer = AIOKafkaProducer(**client(here.bootstrap), acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(**client(here.bootstrap), isolation_level="read_committed")
    consumer.assign([TopicPartition(topic, 0)])
    await producer.start()
    await consumer.start()
    await consumer.seek_to_end()

    async def one(number: int) -> float:
        value = number.to_bytes(8, "big") + bytes(RECORD_BYTES - 8)
        began = time.perf_counter()
        await producer.send_and_wait(topic, value, key=b"floor", partition=0)
        while (await consumer.getone()).value != value:
            pass
        return (time.perf_counter() - began) * 1000

    try:
        yield one
    finally:
        await consumer.stop()
        await producer.stop()
