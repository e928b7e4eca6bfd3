"""Reports of a replica: said at once, kept while the broker is away, and ended with a good-bye.

Both reporters run on a broker in memory and a clock of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka.errors import KafkaConnectionError

from services.distribution.receipts import Receipts
from shared.events import (
    Event,
    Meta,
    PreferenceApplied,
    PrefixAssigned,
    Received,
    ReplicaAlive,
    from_record,
    to_record,
)
from shared.events.consent import AccountsObeys, ConsentFact, ConsentWithdrawn
from shared.kafka.consents import TOPICS
from shared.kafka.knowledge import Knowledge
from shared.kafka.obeying import ALIVE_SECONDS, MOST_TOLD, Obeying
from shared.kafka.produce import Sender
from shared.policy.uses import load_uses
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.laws.memory_log import Broker, Producer, VirtualLoop, now

AT = datetime(2026, 1, 1, tzinfo=UTC)
STALE = load_uses(Path(__file__).resolve().parents[3] / "deploy/policies").stale_after
PREFIXES = "accounts.prefixes.v1"
ALIVE = 2.0


@dataclass(slots=True)
class Clock:
    def now(self) -> datetime:
        return AT + timedelta(seconds=now())

    def monotonic(self) -> float:
        return now()


class Late(Producer):
    """One that cannot connect either while the broker takes nothing."""

    async def start(self) -> None:
        await super().start()
        if now() < self.broker.parking_fails_until:
            raise KafkaConnectionError


class Told(Broker):
    """A broker that hands out what it was told, in order."""

    def __init__(self) -> None:
        super().__init__({}, lambda: 0.01, lambda _where, _offset: None)

    def producer(self, **_options: Any) -> Producer:
        return Late(self)

    def said(self) -> list[Any]:
        contents = [from_record(key, value, list(h.items())) for _, key, value, h in self.parked]
        return [one.event for one in contents if isinstance(one, Received)]

    def away(self, seconds: float) -> None:
        self.parking_fails_until = now() + seconds


def play(story: Callable[[Told], Awaitable[None]]) -> None:
    loop, broker = VirtualLoop(), Told()
    try:
        with patch("shared.kafka.produce.AIOKafkaProducer", broker.producer):
            loop.run_until_complete(story(broker))
    finally:
        loop.close()


def hears(knowledge: Knowledge, event: Event) -> None:
    received = Received(event, Meta(new_id(), "/s", rfc3339(knowledge.clock.now())))
    sent = to_record(event, received.meta)
    knowledge.take(event.topic, 0, Record(sent.key, sent.value, sent.headers))


@dataclass(frozen=True, slots=True)
class Record:
    key: Any
    value: Any
    headers: Any
    offset: int = 0


def assigned(number: int, version: int) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=f"10.{number}", owner=1, owner_name="", assigned_at=AT, version=version
    )


def withdrawn(number: int) -> ConsentWithdrawn:
    fact = ConsentFact(at=AT, what="withdrawn", by="person", channel="link", cause=f"w{number}")
    subject = f"bi2.{number:064x}"
    return ConsentWithdrawn(
        consent=f"{subject}|marketing",
        subject=subject,
        purpose="marketing",
        person=f"p{number:032x}",
        standing="withdrawn",
        facts=(fact,),
        version=1,
    )


def receipts_of(_: Told) -> Receipts:
    knowledge = Knowledge([PREFIXES], "", STALE, clock=Clock())
    return Receipts(knowledge, Sender("", "distribution"), "one", ("rest",), ALIVE)


def obeying_of(_: Told) -> Obeying:
    knowledge = Knowledge(TOPICS, "", STALE, clock=Clock())
    return Obeying(knowledge, Sender("", "accounts"), "one", AccountsObeys)


@pytest.mark.clause("CRR-4")
def test_receipts_say_at_once_what_is_obeyed_and_of_one_prefix_the_newest_is_enough() -> None:
    async def story(broker: Told) -> None:
        receipts = receipts_of(broker)
        knowledge, draining = receipts.knowledge, asyncio.Event()
        running = asyncio.ensure_future(receipts.run(draining))
        hears(knowledge, assigned(1000, 1))
        await asyncio.sleep(3 * ALIVE)
        assert broker.said() == []  # it has not read all that was decided yet
        knowledge._caught_up = True
        await asyncio.sleep(ALIVE / 2 + 0.1)
        assert [type(one) for one in broker.said()] == [ReplicaAlive]
        hears(knowledge, assigned(1000, 2))
        await asyncio.sleep(0.1)
        assert _versions(broker) == [("10.1000", 2)]
        broker.away(1.5 * ALIVE)
        for number, version in ((1000, 3), (1000, 4), (2000, 1)):
            hears(knowledge, assigned(number, version))
            await asyncio.sleep(0.005)  # the word before is on its way, and comes back
        heard = now()
        await asyncio.sleep(2 * ALIVE)
        assert _versions(broker) == [("10.1000", 2), ("10.1000", 4), ("10.2000", 1)]
        draining.set()
        await running
        applied = [one for one in broker.said() if isinstance(one, PreferenceApplied)]
        assert all(one.at <= AT + timedelta(seconds=heard) for one in applied)
        signs = [one for one in broker.said() if isinstance(one, ReplicaAlive)]
        assert [one.stopping for one in signs] == [False] * (len(signs) - 1) + [True]

    play(story)


def _versions(broker: Told) -> list[tuple[str, int]]:
    applied = [one for one in broker.said() if isinstance(one, PreferenceApplied)]
    return [(one.prefix, one.prefix_version) for one in applied]


def test_a_reporter_waits_for_its_broker_and_then_gives_signs_of_life() -> None:
    async def story(broker: Told) -> None:
        broker.away(5)
        receipts = receipts_of(broker)
        receipts.knowledge._caught_up = True
        draining = asyncio.Event()
        running = asyncio.ensure_future(receipts.run(draining))
        await asyncio.sleep(5 + 4.5 * ALIVE)
        signs = [(one.at - AT).total_seconds() for one in broker.said()]
        assert 5 <= signs[0] < 6
        pauses = [after - before for before, after in pairwise(signs)]
        assert len(pauses) >= 2
        assert all(ALIVE <= pause <= 1.5 * ALIVE + 0.1 for pause in pauses)
        draining.set()
        await running

    play(story)


def test_a_reporter_that_never_reached_its_broker_ends_without_a_good_bye() -> None:
    async def story(broker: Told) -> None:
        broker.away(1_000)
        draining = asyncio.Event()
        running = asyncio.ensure_future(receipts_of(broker).run(draining))
        await asyncio.sleep(2)
        draining.set()
        await running
        assert broker.said() == []

    play(story)


@pytest.mark.clause("DOAJ-10a")
def test_every_withdrawal_is_reported_once_a_bounded_number_at_a_time() -> None:
    async def story(broker: Told) -> None:
        obeying = obeying_of(broker)
        knowledge, draining = obeying.knowledge, asyncio.Event()
        knowledge._caught_up = True
        running = asyncio.ensure_future(obeying.run(draining))
        await asyncio.sleep(0.1)
        count = 2 * MOST_TOLD + 1
        broker.away(2)
        for number in range(count):
            obeying.hear(_received(withdrawn(number)))
        await asyncio.sleep(4)
        draining.set()
        await running
        reports = broker.said()
        told = [one.withdrawal for report in reports for one in report.applied]
        assert told == [f"w{number}" for number in range(count)]
        assert max(len(report.applied) for report in reports) == MOST_TOLD
        assert {report.since for report in reports} == {reports[0].since}
        assert [report.stopping for report in reports][-2:] == [False, True]

    play(story)


def test_a_report_on_consents_is_a_sign_of_life_too() -> None:
    async def story(broker: Told) -> None:
        obeying = obeying_of(broker)
        obeying.knowledge._caught_up = True
        draining = asyncio.Event()
        running = asyncio.ensure_future(obeying.run(draining))
        await asyncio.sleep(2)
        obeying.hear(_received(withdrawn(1)))
        await asyncio.sleep(ALIVE_SECONDS - 0.5)
        assert [len(report.applied) for report in broker.said()] == [0, 1]
        await asyncio.sleep(1.1)
        assert [len(report.applied) for report in broker.said()] == [0, 1, 0]
        draining.set()
        await running

    play(story)


def _received(event: Event) -> Received:
    return Received(event, Meta(new_id(), "/services/consent", rfc3339(AT)))
