"""Whether this machine's clock is right: beside the store's, the broker's, and the time passed."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.commands.timing import PART, Timing
from shared.kafka.follow import Batch
from shared.kafka.knowledge import Knowledge
from shared.privacy.rings import FENCES
from shared.runtime.clock import ManualClock
from shared.runtime.health import Health

SKEW = timedelta(minutes=1)
pytestmark = pytest.mark.law("P6")


class Machine:
    """A clock of this machine, and others that are right, or wrong together with it."""

    def __init__(self, *, together: bool = False) -> None:
        self.clock, self.true, self.together = ManualClock(), ManualClock(), together
        self.health = Health(self.clock)
        self.said = True
        self.timing = Timing(self.clock, self.health, (self.store, self.broker), SKEW)

    async def store(self) -> datetime | None:
        return self.clock.now() if self.together else self.true.now()

    async def broker(self) -> datetime | None:
        return await self.store() if self.said else None

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.true.advance(seconds)


JUMPS = st.one_of(st.just(0.0), st.floats(-300, 300), st.floats(-1e8, 1e8))


@given(st.booleans(), st.lists(st.tuples(st.floats(0, 86_400), JUMPS), max_size=12))
async def test_under_any_jumps_no_time_is_believed_that_is_ahead_by_more_than_the_skew(
    together: bool,  # noqa: FBT001
    steps: list[tuple[float, float]],
) -> None:
    machine = Machine(together=together)
    assert await machine.timing.ask() == machine.true.now()
    for passing, jump in steps:
        machine.passes(passing)
        machine.clock.jump(jump)
        now = await machine.timing.ask()
        ahead = machine.clock.now() - machine.true.now()
        tiny = timedelta(milliseconds=1)  # of counts of seconds that are no whole numbers
        assert now is None or now <= machine.true.now() + SKEW + tiny
        assert (now is not None) or ahead > SKEW - tiny
        machine.clock.jump(5)  # between two steps, and back
        machine.clock.jump(-5)
        assert (machine.timing.now() is None) == (now is None)


async def test_a_machine_that_starts_with_a_wrong_clock_acts_once_it_is_right() -> None:
    machine = Machine()
    machine.clock.jump(3600)
    assert await machine.timing.ask() is None
    (part,) = machine.health.readiness()
    assert (part.name, part.ok) == (PART, False)
    machine.passes(10)
    machine.clock.jump(-3600)
    assert await machine.timing.ask() == machine.true.now()
    (part,) = machine.health.readiness()
    assert part.ok


async def test_a_clock_that_is_behind_makes_nothing_early_and_is_believed() -> None:
    machine = Machine()
    machine.said = False
    machine.clock.jump(-3600)
    assert await machine.timing.ask() == machine.clock.now()


async def test_the_brokers_clock_is_known_by_what_was_written_since_all_was_read() -> None:
    clock = ManualClock()
    knowledge = Knowledge([FENCES], "", timedelta(seconds=5), clock=clock)
    at = datetime(2026, 1, 1, tzinfo=UTC)

    async def came(when: datetime, behind: int) -> None:
        record: Any = SimpleNamespace(
            key=b"k", value=b"{}", headers=(), offset=0, timestamp=when.timestamp() * 1000
        )
        await knowledge._take(Batch((((FENCES, 0), record),), {}, behind))

    await came(at - timedelta(days=900), 1)
    await came(at - timedelta(days=800), 0)
    assert knowledge.broker_time() is None
    await came(at, 0)
    clock.advance(90)
    clock.jump(1e6)
    assert knowledge.broker_time() == at + timedelta(seconds=90)
