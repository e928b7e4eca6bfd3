"""P2: nothing is encrypted under a key after its fence is effective, and what was erased stays so.

Processes with key rings seal and read; each may stand still at any await, also with a key in hand.
Retention fences, waits and destroys. Events that evict come late, or never.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.decisions import Refused
from shared.mongo import Aggregates
from shared.privacy import lifecycle
from shared.privacy.envelope import ExpiredError, OpenKey, open_text, seal_text
from shared.privacy.keyring import Erased, FencedError, KeyRing, Lost, Restricted
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.clock import ManualClock
from shared.runtime.faults import Transient
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, in_bursts, run

PERSON, CLASS, UNITS = "p" + "0" * 32, "account", ("one", "two")
KEYS = f"{PERSON}.{CLASS}"
USABLE, SKEW = timedelta(seconds=20), timedelta(seconds=1)
AT_ONCE, SLOW = 0.2, 12.0  # seconds that a step may take: many fit into a key's time, or two
PLACE = {"schema": "test.thing.v1", "field": "/name", "record": "r"}


class OneEpoch:
    """A key-encrypting key that never changes."""

    def current(self) -> int:
        return 1

    def kek(self, _epoch: int) -> bytes:
        return bytes(32)


@dataclass(slots=True)
class World:
    """A key store, what was sealed when, and what retention did when."""

    turns: Turns
    clock: ManualClock = field(default_factory=ManualClock)
    sealed: list[tuple[datetime, str, str]] = field(default_factory=list)  # when, unit, envelope
    effective: dict[str, datetime] = field(default_factory=dict)  # by unit
    store: Database = field(init=False)

    def __post_init__(self) -> None:
        self.store = Database(self.step)

    async def step(self) -> None:
        self.clock.advance(SLOW if self.turns.choose(12) == 11 else AT_ONCE)
        await self.turns.pause()

    @property
    def keys(self) -> Aggregates[KeptKeys]:
        return Aggregates(
            self.store["keys"],  # type: ignore[arg-type]
            KeptKeys.model_validate_json,
            "/services/retention",
            clock=self.clock,
        )

    def ring(self, *, fresh: bool) -> KeyRing:
        return KeyRing(self.keys, OneEpoch(), USABLE, lambda: fresh, self.clock)

    @property
    def document(self) -> KeptKeys | None:
        held = self.store["keys"].documents.get(KEYS)
        return KeptKeys.model_validate_json(held["state"]) if held else None


async def seal(world: World, ring: KeyRing, units: list[str]) -> None:
    """Encrypt record after record; between key and use anything may happen."""
    for unit in units:
        try:
            key = (await ring.sealing(PERSON, CLASS, unit))[unit]
            await world.step()
            envelope = seal_text(key, "Mary", **PLACE)
        except (FencedError, ExpiredError, Transient):
            continue
        world.sealed.append((world.clock.now(), unit, envelope))


async def read(world: World, ring: KeyRing, times: int) -> None:
    """Read whatever was sealed so far: always a word, and after the destruction never the value."""
    for _ in range(times):
        sealed = list(world.sealed)
        before = world.document
        try:
            found = await ring.opening({f"{KEYS}.{unit}" for _, unit, _ in sealed})
        except Transient:
            continue
        for _, unit, envelope in sealed:
            key = found[f"{KEYS}.{unit}"]
            assert isinstance(key, OpenKey | Erased | Restricted | Lost)
            if isinstance(key, OpenKey):
                assert open_text(key, envelope, **PLACE) == "Mary"
                assert before is None or before.fence != "destroyed"
            assert not isinstance(key, Lost)


async def retain(world: World, unit: str, hold: bool) -> None:  # noqa: FBT001
    """Fence one unit, or with "" all of them, and destroy when it may be."""
    keys = world.keys
    if hold:
        await keys.update(KEYS, lambda known: lifecycle.restrict(known, "case-1"))
        await keys.update(KEYS, lambda known: lifecycle.release(known, "case-1"))
    for _ in range(12):
        known = await keys.load(KEYS)
        if known is None and unit:
            await world.step()
            continue
        try:
            await _next(world, known, unit)
        except Transient:
            continue


async def _next(world: World, known: KeptKeys | None, unit: str) -> None:
    keys, now, after = world.keys, world.clock.now, USABLE + SKEW

    def fenced(held: KeptKeys | None) -> Any:
        if unit:
            return lifecycle.fence_unit(held, unit, at=now())
        return lifecycle.fence(held, KEYS, "request-1", at=now())

    def destroyed(held: KeptKeys | None) -> Any:
        if unit:
            return lifecycle.destroy_unit(held, unit, at=now(), after=after)
        return lifecycle.destroy(held, at=now(), after=after)

    if known is None or known.fenced_since(unit) is None:
        await keys.update(KEYS, fenced)
    elif unit not in known.confirmed and known.fence != "destroyed":
        await keys.update(KEYS, lambda held: lifecycle.confirm(held, unit, at=now()))
    else:
        done = await keys.update(KEYS, destroyed)
        if isinstance(done, Refused):
            world.clock.advance(USABLE.total_seconds())
        else:
            world.effective.setdefault(unit, now())


@pytest.mark.law("P2")
@given(
    st.data(),
    st.lists(
        st.tuples(st.booleans(), st.lists(st.sampled_from(UNITS), min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.sampled_from(["", "one", "two"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_nothing_is_encrypted_after_a_fence_took_effect_and_what_is_erased_stays_so(
    data: st.DataObject,
    processes: list[tuple[bool, list[str]]],
    retained: list[str],
    hold: bool,  # noqa: FBT001
) -> None:
    async def program() -> None:
        world = World(Turns(in_bursts(data)))
        rings = [world.ring(fresh=fresh) for fresh, _ in processes]
        async with asyncio.TaskGroup() as group:
            tasks = [
                *(
                    group.create_task(seal(world, ring, units))
                    for ring, (_, units) in zip(rings, processes, strict=True)
                ),
                group.create_task(read(world, rings[0], 4)),
                *(group.create_task(retain(world, unit, hold)) for unit in retained),
            ]
            await world.turns.play(tasks, kill=True)
        world.turns.free = True
        for unit, at in world.effective.items():
            late = [one for one in world.sealed if one[0] > at and unit in ("", one[1])]
            assert not late
        document = world.document
        if document is not None and document.fence == "destroyed":
            assert not document.units
            found = await world.ring(fresh=False).opening({f"{KEYS}.one"})
            assert isinstance(found[f"{KEYS}.one"], Erased)
            with pytest.raises(FencedError):
                await world.ring(fresh=False).sealing(PERSON, CLASS, "three")

    run(program())
