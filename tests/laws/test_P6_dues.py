"""P6 over the whole due loop: what is claimed, settled and told, by two processes, in ten years.

Records of every kind lie in one store; facts come late and twice, holds come and go, and the wall
clock jumps, for days or for years. What was begun and at which tick is what the oracle of
clock_world says, which shares no code with any of it.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.retention.commands.dues import Dues
from services.retention.commands.timing import Timing
from services.retention.model.clocks import Hold
from services.retention.model.records import KeptRecord, kept_facts, name_of
from services.retention.store.bursts import open_bursts
from services.retention.store.claims import Claims
from services.retention.store.records import RECORDS, open_records
from services.retention.wiring import Due, Rooms
from shared.events.decisions import Accepted
from shared.events.orders import KeptUnits
from shared.runtime.clock import ManualClock
from shared.runtime.health import Health
from tests.laws.clock_world import BEGIN, END, Record, a_record, expected, tick_of
from tests.laws.memory_store import Database
from tests.unit.retention.given_clocks import SCHEDULE

pytestmark = pytest.mark.law("P6")
RECORDS_AT_ONCE = 500
HELD_SECONDS = timedelta(days=30).total_seconds()
SKEW = timedelta(minutes=1)


async def heard() -> bool:
    return True


@dataclass(slots=True)
class World:
    """A store, two due loops over it, and whoever they tell; the true time is ``clock``'s."""

    records: dict[str, Record]
    random: Random
    clock: ManualClock = field(default_factory=lambda: ManualClock(BEGIN))
    database: Any = field(default_factory=lambda: Database(lambda: asyncio.sleep(0)))
    begun: dict[str, dict[str, datetime]] = field(default_factory=dict)
    jumped: int = 0

    def __post_init__(self) -> None:
        """Compose the loops as parts/clocks.py does."""
        told: Any = self
        rooms = Rooms(erasing=told, reviews=told, holds=told)
        house: Any = SimpleNamespace(schedule=SCHEDULE, clock=self.clock)
        self.table = open_records(self.database, lambda: SCHEDULE, self.clock)
        claims = Claims(self.table, self.clock)
        self.loops = [
            Dues(
                house,
                rooms,
                claims,
                heard,
                Timing(self.clock, Health(self.clock), (), SKEW),
                open_bursts(self.database),
                held_seconds=HELD_SECONDS,
            )
            for _ in range(2)
        ]

    table: Any = field(init=False)
    loops: list[Dues] = field(init=False)

    async def due(self, due: Due) -> str:
        """Take what is due, as erasures and reviews do; what is deleted is gone."""
        begun = self.begun.setdefault(name_of(due.kind, due.record), {})
        if SCHEDULE.rule(due.rule).action == "delete":
            begun.setdefault("deleted", self.clock.now())
        else:
            begun.setdefault(due.rule, self.clock.now())
        return due.clock

    async def holds_of(self, kind: str, record: str) -> tuple[Hold, ...]:
        return tuple(self.records[name_of(kind, record)].held(self.clock.now()))

    async def become_known(self, name: str, now: datetime) -> None:
        """Write down what is heard now, and have a record looked at whose hold was released."""
        record = self.records[name]
        if "deleted" in self.begun.get(name, {}):
            return
        if any(at == now for at, _fact in record.heard):
            facts = kept_facts(record.known(now))
            await self.table.update(name, lambda known: Accepted(_after(known, name, facts), ()))
        if any(until == now for _since, until, _name in record.holds):
            await self.loops[0].claims.look_again([_keys(name).keys_id])

    async def tick(self) -> None:
        """Have both loops step until nothing is due; now and then the clock is wrong meanwhile."""
        if self.random.random() < 0.3:
            wrong = self.random.choice((90.0, 86_400.0, 4e8))
            self.clock.jump(wrong)
            await self._steps()
            self.clock.jump(-wrong)
            self.jumped += 1
        for _ in range(10):
            await self._steps()
            if not self._waiting(self.clock.now()):
                return
        raise AssertionError("something stays due")

    async def _steps(self) -> None:
        await asyncio.gather(*(loop.step() for loop in self.loops))
        for name, begun in self.begun.items():
            if "deleted" in begun:
                self.database[RECORDS].documents.pop(name, None)

    def _waiting(self, now: datetime) -> bool:
        return (self.next_due() or END) <= now

    def next_due(self) -> datetime | None:
        """Return what a look at the store would find first."""
        rows = self.database[RECORDS].documents.values()
        return min((one["next_due"] for one in rows if one["waits"]), default=None)


def _keys(name: str) -> KeptUnits:
    return KeptUnits(keys_id=f"p{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}.account")


def _after(known: KeptRecord | None, name: str, facts: Any) -> KeptRecord:
    kind, _, record = name.partition(":")
    if known is None:
        keys = (_keys(name),)
        return KeptRecord(
            kind=kind, record=record, service="accounts", facts=facts, keys=keys, version=1
        )
    return known.model_copy(update={"facts": facts, "version": known.version + 1})


async def lived(world: World) -> None:
    """Let ten years pass: what becomes known, and each tick at which anything is due."""
    changes = sorted({(at, name) for name, one in world.records.items() for at in one.changes()})
    last = BEGIN
    while True:
        due = world.next_due()
        tick = tick_of(max(due, last)) if due is not None else END
        if changes and changes[0][0] <= tick:
            now, name = changes.pop(0)
            world.clock.advance((now - world.clock.now()).total_seconds())
            await world.become_known(name, now)
            last = tick_of(now)
            continue
        if tick >= END:
            return
        world.clock.advance((tick - world.clock.now()).total_seconds())
        await world.tick()
        last = tick


async def test_in_ten_years_two_due_loops_begin_what_is_due_at_its_tick_under_any_jumps() -> None:
    random = Random("two loops")
    records = [a_record(number, random) for number in range(RECORDS_AT_ONCE)]
    world = World({name_of(one.kind, one.name): one for one in records}, random)
    await lived(world)
    for name, record in world.records.items():
        assert world.begun.get(name, {}) == expected(record, cast("Any", SCHEDULE.zone)), record
    assert world.jumped > 10
    assert sum(len(begun) for begun in world.begun.values()) > RECORDS_AT_ONCE / 4
