"""Reports of a replica, whatever comes when and however long the broker is away.

Both reporters run on the log in memory, with a clock that jumps to the next thing to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka.errors import KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st

from services.distribution.receipts import Receipts
from shared.events import (
    Event,
    Meta,
    PreferenceApplied,
    PrefixAssigned,
    Received,
    ReplicaAlive,
    from_record,
)
from shared.events.consent import AccountsObeys, ConsentFact, ConsentWithdrawn
from shared.kafka.consents import TOPICS
from shared.kafka.knowledge import Knowledge
from shared.kafka.obeying import ALIVE_SECONDS, MOST_TOLD, Obeying
from shared.kafka.produce import Sender
from shared.kafka.reporting import RETRY_SECONDS
from shared.runtime.clock import rfc3339
from shared.runtime.ids import new_id
from tests.laws.memory_log import AT, Broker, Clock, Producer, VirtualLoop, now

STALE = timedelta(seconds=5)
PREFIXES = "accounts.prefixes.v1"
ALIVE = 2.0
LONGEST_AWAY = 6.0
# Seconds that pass, how often something is heard then, how long the broker is away from then on.
PROGRAMS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.005, 0.1, 1.0, ALIVE]),
        st.sampled_from([0, 1, 1, 2]),
        st.sampled_from([0.0, 0.0, 0.5, 2.5, LONGEST_AWAY]),
    ),
    max_size=12,
)


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
        self.parking_fails_until = max(self.parking_fails_until, now() + seconds)


def told(story: Callable[[Told], Awaitable[None]]) -> list[Any]:
    """Run a story to its end and return all that the broker was told."""
    loop, broker = VirtualLoop(), Told()
    try:
        with patch("shared.kafka.produce.AIOKafkaProducer", broker.producer):
            loop.run_until_complete(story(broker))
    finally:
        loop.close()
    return broker.said()


def play(
    program: list[tuple[float, int, float]],
    reporter: Any,
    hear: Callable[[int], Event],
) -> list[Any]:
    """Run a program with a reporter and return all that it said, the good-bye too."""

    async def story(broker: Told) -> None:
        draining, number = asyncio.Event(), 0
        running = asyncio.ensure_future(reporter.run(draining))
        await asyncio.sleep(0.1)
        for pause, count, away in program:
            broker.away(away)
            for _ in range(count):
                received = Received(hear(number), Meta(new_id(), "/s", rfc3339(Clock().now())))
                for listener in reporter.knowledge.listeners:
                    listener(received)
                number += 1
            await asyncio.sleep(pause)
        await asyncio.sleep(LONGEST_AWAY + 2 * ALIVE_SECONDS)
        draining.set()
        await running

    return told(story)


def knowing(topics: Any) -> Knowledge:
    """Return what has read all that was decided before."""
    return Knowledge(topics, "", STALE, clock=Clock(), _caught_up=True)


def receipts() -> Receipts:
    sender = Sender("", "distribution")
    return Receipts(knowing([PREFIXES]), sender, "one", ("rest",), ALIVE)


def obeying() -> Obeying:
    return Obeying(knowing(TOPICS), Sender("", "accounts"), "one", AccountsObeys)


def assigned(number: int) -> PrefixAssigned:
    return PrefixAssigned(
        prefix=f"10.{1000 + number % 3}", owner=1, owner_name="", assigned_at=AT, version=number + 1
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


@pytest.mark.clause("CRR-4")
@given(PROGRAMS)
def test_the_newest_preference_of_each_prefix_is_reported_and_none_after_a_newer(
    program: list[tuple[float, int, float]],
) -> None:
    heard: dict[str, int] = {}

    def hear(number: int) -> Event:
        event = assigned(number)
        heard[event.prefix] = event.version
        return event

    said = play(program, receipts(), hear)
    versions_of: dict[str, list[int]] = {}
    for one in said:
        if isinstance(one, PreferenceApplied):
            versions_of.setdefault(one.prefix, []).append(one.prefix_version)
    assert {prefix: versions[-1] for prefix, versions in versions_of.items()} == heard
    assert all(versions == sorted(set(versions)) for versions in versions_of.values())
    signs = [one for one in said if isinstance(one, ReplicaAlive)]
    assert [one.stopping for one in signs] == [False] * (len(signs) - 1) + [True]
    assert not longer(signs, ALIVE, program)


@pytest.mark.clause("DOAJ-10a")
@given(PROGRAMS, st.sampled_from([1, MOST_TOLD]))
def test_every_withdrawal_is_reported_once_a_bounded_number_at_a_time(
    program: list[tuple[float, int, float]], times: int
) -> None:
    heard: list[str] = []

    def hear(number: int) -> Event:
        heard.append(f"w{number}")
        return withdrawn(number)

    some = [
        (pause, count * times, away) for pause, count, away in program[: 12 if times == 1 else 2]
    ]
    said = play(some, obeying(), hear)
    assert [one.withdrawal for report in said for one in report.applied] == heard
    assert max(len(report.applied) for report in said) <= MOST_TOLD
    assert {report.since for report in said} == {said[0].since}
    assert [report.stopping for report in said] == [False] * (len(said) - 1) + [True]
    assert not longer(said, ALIVE_SECONDS, some)


def longer(
    signs: list[Any], seconds: float, program: list[tuple[float, int, float]]
) -> list[float]:
    """Return the pauses between signs of life that no rule allows, by how long each is."""
    away = sum(gone for _, _, gone in program)
    most = 2 * seconds + away + (RETRY_SECONDS if away else 0)
    times = [AT, *(one.at for one in signs)]
    pauses = [(two - one).total_seconds() for one, two in pairwise(times)]
    return [pause for pause in pauses if pause > most]


@given(st.sampled_from([receipts, obeying]), st.floats(0.0, 100.0))
def test_a_reporter_that_never_reached_its_broker_ends_without_a_good_bye(
    make: Callable[[], Any], seconds: float
) -> None:
    async def story(broker: Told) -> None:
        broker.away(2 * seconds + 1)
        draining = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, draining.set)
        await make().run(draining)
        assert now() < 2 * seconds + 1, "it waited for the broker"

    assert told(story) == []
