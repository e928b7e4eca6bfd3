"""L5: a committed offset never passes an unapplied record; poison never blocks and never vanishes.

Programs run the real consumer loop on a log in memory and a clock of its own: members join, leave,
die and are expelled at any moment, the store and the parking place go away and come back, records
cannot be read or applied, and transactions leave their control records between them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka import TopicPartition
from hypothesis import event, given, note
from hypothesis import strategies as st

from shared.events import Meta, PrefixAssigned, Received, to_record
from shared.events.records import watermark
from shared.kafka.circuit import POISON_ROW
from shared.kafka.consume import Consumer
from shared.runtime.faults import Transient
from shared.runtime.health import Health
from tests.laws.memory_log import AT, Broker, Clock, Member, Stored, VirtualLoop, now

GROUP = "distribution.projector"
TOPIC = "accounts.prefixes.v1"
PARTS = [TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1), TopicPartition(TOPIC, 2)]
REPLAY = TopicPartition(f"{GROUP}.replay.v1", 0)
GOOD, POISON, UNREADABLE, UNKNOWN, MARK, CONTROL = "good", "poison", "unreadable", "?", "mark", "|"
BAD_HEADERS: tuple[Any, ...] = ((), (("ce_type", None),), (("ce_type", b"\xff"),))


@cache
def content(kind: str, number: int) -> Any:
    """Key, value and headers of a record; poison can be read and not applied."""
    if kind == MARK:
        sent = watermark(TOPIC, 0, "2026-01-01T00:00:00Z", source="/s")
        return sent.key, sent.value, sent.headers
    name = f"10.{number + (500_000 if kind == POISON else 100_000)}"
    said = PrefixAssigned(prefix=name, owner=1, owner_name="", assigned_at=AT, version=1)
    sent = to_record(said, Meta(str(number), "/s", "2026-01-01T00:00:00Z"))
    match kind:
        case "unreadable":
            return sent.key, b"{", BAD_HEADERS[number % 3] or sent.headers
        case "?":
            return sent.key, sent.value, (*sent.headers, ("ce_type", b"accounts.later.v1"))
    return sent.key, sent.value, sent.headers


@dataclass(slots=True)
class Life:
    """One process of the group."""

    consumer: Consumer
    draining: asyncio.Event
    members: list[Member]
    task: Any
    killed: bool = False


@dataclass(slots=True)
class Run:
    """One program on one log; ``broken`` says what law it broke."""

    latencies: Sequence[float]
    durations: Sequence[float]
    broker: Broker = field(init=False)
    applied: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    store_away_until: float = 0.0
    mended: bool = False  # the build that knows how to apply what was poison
    _kinds: dict[tuple[TopicPartition, int], tuple[str, int]] = field(default_factory=dict)
    _steps: int = 0

    def __post_init__(self) -> None:
        logs: dict[TopicPartition, list[Stored | None]] = {where: [] for where in [*PARTS, REPLAY]}
        self.broker = Broker(logs, self._latency, self._committed)

    def _latency(self) -> float:
        self._steps += 1
        return self.latencies[self._steps % len(self.latencies)]

    def append(self, where: TopicPartition, kinds: Sequence[str]) -> None:
        log = self.broker.logs[where]
        for kind in kinds:
            offset = len(log)
            number = len(self._kinds)
            self._kinds[where, offset] = (kind, number)
            if kind == CONTROL:
                log.append(None)
            else:
                key, value, headers = content(kind, number)
                log.append(Stored(where.topic, where.partition, offset, key, value, headers))

    def _committed(self, where: TopicPartition, offset: int) -> None:
        parked = {key for _, key, _, _ in self.broker.parked}
        for at in range(offset):
            kind, number = self._kinds[where, at]
            letter = f"{where.topic}-{where.partition}-{at}".encode()
            kept = {
                GOOD: f"10.{number + 100_000}" in self.applied,
                POISON: letter in parked or f"10.{number + 500_000}" in self.applied,
                UNREADABLE: letter in parked,
            }
            if not kept.get(kind, True):
                self.broken.append(f"{offset} of {where} was committed, {at} ({kind}) is not kept")

    async def handle(self, batch: Sequence[Received]) -> None:
        self._steps += 1
        await asyncio.sleep(self.durations[self._steps % len(self.durations)])
        if now() < self.store_away_until:
            raise Transient("the store is away")
        for one in batch:
            name = one.event.key
            if name.startswith("10.5") and not self.mended:
                raise ValueError(name)
            self.applied.add(name)

    def begin(self) -> Life:
        members: list[Member] = []

        def make(**options: Any) -> Member:
            members.append(self.broker.consumer(**options))
            return members[-1]

        clock = Clock()
        health = Health(clock)
        consumer = Consumer(
            GROUP, [TOPIC], "distribution", self.handle, "", most=7, health=health, clock=clock
        )
        draining = asyncio.Event()

        async def live() -> None:
            with patch("shared.kafka.consume.AIOKafkaConsumer", make):
                await consumer.run(draining)

        life = Life(consumer, draining, members, asyncio.ensure_future(live()))
        self.lives.append(life)
        return life

    async def do(self, step: tuple[Any, ...]) -> None:
        alive = [one for one in self.lives if not one.killed and not one.draining.is_set()]
        match step:
            case ("join",) if len(alive) < 3:
                self.begin()
            case ("append", where, kinds):
                self.append(PARTS[where], kinds)
            case ("store away", seconds):
                self.store_away_until = now() + seconds
            case ("parking away", seconds):
                self.broker.parking_fails_until = now() + seconds
            case ("leave" | "kill" | "expel", which) if alive:
                one = alive[which % len(alive)]
                if step[0] == "leave":
                    one.draining.set()
                elif step[0] == "expel" and one.members:
                    self.broker.expel(one.members[-1])
                elif step[0] == "kill":
                    one.killed = True
                    for member in one.members:
                        member.kill()
                    one.task.cancel()

    @property
    def settled(self) -> bool:
        return all(
            self.broker.committed.get(where, 0) == len(log) or not log
            for where, log in self.broker.logs.items()
        )

    async def finish(self, within: float) -> None:
        """With one member alive and nothing broken, all of the log is kept before long."""
        if not any(not one.killed and not one.draining.is_set() for one in self.lives):
            self.begin()
        deadline = now() + within
        while not self.settled and now() < deadline:  # noqa: ASYNC110  (virtual time)
            await asyncio.sleep(0.5)
        if not self.settled:
            self.broken.append(f"stands still at {self.broker.committed}")

    async def end(self) -> None:
        for one in self.lives:
            one.draining.set()
        results = await asyncio.gather(*(one.task for one in self.lives), return_exceptions=True)
        for one, result in zip(self.lives, results, strict=True):
            if isinstance(result, BaseException) and not one.killed:
                raise result


async def sweep() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def play(run: Run, story: Any) -> None:
    """Run a story on a loop of virtual time; jitter is the middle, so that programs repeat."""
    loop = VirtualLoop()
    try:
        with (
            patch("shared.kafka.produce.AIOKafkaProducer", run.broker.producer),
            patch("shared.kafka.consume.AIOKafkaConsumer", run.broker.consumer),
            patch("shared.kafka.consume.jitter", lambda: 0.5),
        ):
            loop.run_until_complete(story())
    finally:
        loop.run_until_complete(sweep())
        loop.close()
    assert not run.broken, run.broken


KINDS = st.lists(
    st.sampled_from([GOOD] * 6 + [CONTROL] * 2 + [POISON, UNREADABLE, UNKNOWN, MARK]), max_size=12
)
STEPS = st.one_of(
    st.tuples(st.just("join")),
    st.tuples(st.sampled_from(["leave", "kill", "expel", "expel"]), st.integers(0, 2)),
    st.tuples(st.just("append"), st.integers(0, 2), KINDS),
    st.tuples(st.just("store away"), st.sampled_from([0.3, 3.0, 20.0])),
    st.tuples(st.just("parking away"), st.sampled_from([0.3, 3.0])),
)
PROGRAMS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.01, 0.13, 0.4, 1.1, 3.0]), STEPS), max_size=14
)
LATENCIES = st.lists(st.sampled_from([0.001, 0.004, 0.03, 0.2]), min_size=1, max_size=7)
DURATIONS = st.lists(st.sampled_from([0.0, 0.01, 0.2, 1.5]), min_size=1, max_size=5)


@pytest.mark.law("L5")
@given(st.tuples(KINDS, KINDS, KINDS), PROGRAMS, LATENCIES, DURATIONS)
def test_a_committed_offset_never_passes_an_unapplied_record_and_all_poison_is_parked(
    backlog: Any, program: Any, latencies: list[float], durations: list[float]
) -> None:
    run = Run(latencies, durations)
    for where, kinds in zip(PARTS, backlog, strict=True):
        run.append(where, kinds)
    note(f"latencies {latencies}, durations {durations}")

    async def story() -> None:
        run.begin()
        for pause, step in program:
            await asyncio.sleep(pause)
            note(f"{now():.3f} {step}")
            await run.do(step)
        await run.finish(within=300)
        await run.end()

    play(run, story)
    letters = {key.decode() for _, key, _, _ in run.broker.parked}
    bad = {
        f"{where.topic}-{where.partition}-{offset}"
        for (where, offset), (kind, _) in run._kinds.items()
        if kind in (POISON, UNREADABLE)
    }
    event(f"generations {min(run.broker.generation, 5)}")
    assert letters == bad
    good = {f"10.{n + 100_000}" for kind, n in run._kinds.values() if kind == GOOD}
    assert run.applied == good


@pytest.mark.law("L5")
@given(
    st.integers(0, 6),
    st.integers(POISON_ROW, POISON_ROW + 20),
    st.sampled_from([GOOD, CONTROL]),
    LATENCIES,
    DURATIONS,
)
def test_the_circuit_opens_says_so_parks_nothing_of_that_batch_and_a_mended_build_applies_it_all(
    before: int, row: int, after: str, latencies: list[float], durations: list[float]
) -> None:
    run = Run(latencies, durations)
    run.append(PARTS[0], [GOOD] * before + [POISON] * row + [after] * 3)

    async def story() -> None:
        first = run.begin()
        async with asyncio.timeout(600):
            while all(  # noqa: ASYNC110  (virtual time)
                part.ok or "circuit" not in part.why for part in first.consumer.health.readiness()
            ):
                await asyncio.sleep(0.5)
        stood = dict(run.broker.committed)
        parked = len(run.broker.parked)
        assert parked < POISON_ROW
        await asyncio.sleep(60)
        assert (run.broker.committed, len(run.broker.parked)) == (stood, parked)
        first.draining.set()
        run.mended = True
        run.begin()
        await run.finish(within=300)
        await run.end()

    play(run, story)
    assert len(run.applied) == before + row - len(run.broker.parked) + (3 if after == GOOD else 0)


@pytest.mark.law("L5")
@given(KINDS.filter(lambda kinds: GOOD in kinds), LATENCIES, DURATIONS)
def test_a_store_that_is_away_is_waited_for_and_readiness_says_so_without_a_stall_or_a_rebalance(
    kinds: list[str], latencies: list[float], durations: list[float]
) -> None:
    run = Run(latencies, durations)
    run.append(PARTS[0], kinds)

    async def story() -> None:
        run.store_away_until = 200.0  # longer than any promise of progress
        life = run.begin()
        await asyncio.sleep(60)
        generation = run.broker.generation
        while now() < 190:
            await asyncio.sleep(10)
            (ready,) = life.consumer.health.readiness()
            assert not ready.ok
            assert "away" in ready.why
            assert all(part.ok for part in life.consumer.health.liveness())
        await run.finish(within=300)
        (ready,) = life.consumer.health.readiness()
        assert ready.ok
        assert run.broker.generation == generation
        await run.end()

    play(run, story)
