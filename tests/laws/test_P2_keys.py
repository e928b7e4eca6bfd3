"""P2: nothing is encrypted under a key after its fence is effective, and what was erased stays so.

Processes with key rings seal and read; each may stand still at any await, also with a key in hand,
and start anew. Retention fences, waits and destroys: until every process said that it obeys, or its
time with the key is up. Events that evict come late, or never, and so does what is said of them.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.retention.commands.keys import Keys
from services.retention.store.rings import Rings
from shared.events import Meta, Received
from shared.events.decisions import Refused
from shared.events.retention import KeysFenced
from shared.mongo import Aggregates
from shared.privacy import lifecycle
from shared.privacy.envelope import ExpiredError, OpenKey, open_text, seal_text
from shared.privacy.keyring import Erased, FencedError, KeyRing, Lost, Restricted
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.presence import Presence
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
class Skewed:
    """The clock of another machine, which goes as fast and is wrong."""

    right: ManualClock
    by: float

    def now(self) -> datetime:
        return self.right.now() + timedelta(seconds=self.by)

    def monotonic(self) -> float:
        return self.right.monotonic() - 7 * self.by


@dataclass(slots=True)
class World:
    """A key store, what was sealed when, and what retention did when."""

    turns: Turns
    skew: float = 0.0
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
        clock = Skewed(self.clock, self.skew)
        presence = Presence(self.store["rings"], USABLE, clock)  # type: ignore[arg-type]
        return KeyRing(self.keys, OneEpoch(), USABLE, lambda: fresh, clock, presence)

    def watched(self) -> Rings:
        return Rings(self.store["rings"], USABLE + SKEW, self.clock)  # type: ignore[arg-type]

    @property
    def document(self) -> KeptKeys | None:
        held = self.store["keys"].documents.get(KEYS)
        return KeptKeys.model_validate_json(held["state"]) if held else None


async def seal(world: World, ring: KeyRing, units: list[str]) -> None:
    """Encrypt record after record; between key and use anything may happen, a new start too."""
    for unit in units:
        if world.turns.choose(6) == 5:
            ring = world.ring(fresh=True)
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


async def hear(world: World, ring: KeyRing, times: int) -> None:
    """Hear of fences, as they are or were, and say so."""
    for _ in range(times):
        document = world.document
        await world.step()
        if document is not None:
            said = document.model_dump(include=set(KeysFenced.model_fields))
            ring.hear(Received(KeysFenced(**said), Meta("e", "/s", "2026-01-01T00:00:00.000Z")))
        await world.step()
        assert isinstance(ring.presence, Presence)
        if ring.presence._woken.is_set():
            await ring.presence.say()


async def clear(watched: Rings, times: int) -> None:
    """Clear away the rows of whoever is silent."""
    for _ in range(times):
        await watched.clear()


async def retain(world: World, watched: Rings, unit: str, hold: bool) -> None:  # noqa: FBT001
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
            await _next(world, watched, known, unit)
        except Transient:
            continue


async def _next(world: World, watched: Rings, known: KeptKeys | None, unit: str) -> None:
    keys = Keys(world.keys, USABLE + SKEW, world.clock, watched)
    if known is None or known.fenced_since(unit) is None:
        await (keys.fence_unit(KEYS, unit) if unit else keys.fence(KEYS, "request-1"))
    elif unit not in known.confirmed and known.fence != "destroyed":
        await keys.confirm(KEYS, unit)
    elif isinstance(await keys.destroy(KEYS, unit), Refused):
        world.clock.advance(USABLE.total_seconds() if world.turns.choose(4) == 3 else AT_ONCE)
    else:
        world.effective.setdefault(unit, world.clock.now())


@pytest.mark.law("P2")
@given(
    st.data(),
    st.lists(
        st.tuples(st.booleans(), st.lists(st.sampled_from(UNITS), min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.sampled_from(["", "one", "two"]), min_size=1, max_size=3),
    st.tuples(st.booleans(), st.sampled_from([0.0, -3600.0, 3600.0]), st.booleans()),
)
def test_nothing_is_encrypted_after_a_fence_took_effect_and_what_is_erased_stays_so(
    data: st.DataObject,
    processes: list[tuple[bool, list[str]]],
    retained: list[str],
    around: tuple[bool, float, bool],
) -> None:
    hold, skew, watching = around

    async def program() -> None:
        world = World(Turns(in_bursts(data)), skew)
        rings = [world.ring(fresh=fresh) for fresh, _ in processes]
        watched = world.watched()
        if watching:
            world.turns.free = True
            await watched.by_all([])
            world.turns.free = False
            world.clock.advance((USABLE + SKEW).total_seconds())
        async with asyncio.TaskGroup() as group:
            tasks = [
                *(
                    group.create_task(seal(world, ring, units))
                    for ring, (_, units) in zip(rings, processes, strict=True)
                ),
                group.create_task(read(world, rings[0], 4)),
                *(group.create_task(hear(world, ring, 5)) for ring in rings),
                group.create_task(clear(watched, 3)),
                *(group.create_task(retain(world, watched, unit, hold)) for unit in retained),
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


@pytest.mark.law("P2")
@given(st.lists(st.sampled_from(["hold", "lift", "fence", "gone", "access", "use"]), max_size=12))
def test_what_is_held_opens_for_access_alone_and_what_is_fenced_for_nobody(
    steps: list[str],
) -> None:
    async def program() -> None:
        world = World(Turns(lambda _count: 0, free=True))
        ring, keys, kid = world.ring(fresh=True), world.keys, f"{KEYS}.one"
        await ring.sealing(PERSON, CLASS, "one")
        at = world.clock.now()
        changes: dict[str, Callable[[KeptKeys | None], lifecycle.Decided]] = {
            "hold": lambda known: lifecycle.restrict(known, "case-1"),
            "lift": lambda known: lifecycle.release(known, "case-1"),
            "fence": lambda known: lifecycle.fence(known, KEYS, "request-1", at=at),
            "gone": lambda known: lifecycle.fence_unit(known, "one", at=at),
        }
        for step in steps:
            if step in changes:
                await keys.update(KEYS, changes[step])
                ring.evict(KEYS)
                continue
            access = step == "access"
            found = (await (ring.opening_for_access if access else ring.opening)([kid]))[kid]
            known = world.document
            assert known is not None
            held, lost = known.fence == "restricted", known.fenced_since("one") is not None
            expected = Restricted if held and not access else Erased if lost else OpenKey
            assert isinstance(found, expected)

    run(program())


@dataclass(slots=True)
class Machine:
    """Two processes that ask for one key, hear of its fence and may start anew; and retention.

    Between any two steps somebody may be frozen: they take none while time goes on.
    """

    world: World = field(default_factory=lambda: World(Turns(lambda _count: 0, free=True)))
    rings: list[KeyRing] = field(default_factory=list)
    in_hand: list[OpenKey] = field(default_factory=list)
    destroyed: bool = False
    watched: Rings = field(init=False)

    def __post_init__(self) -> None:
        self.world.store = Database()
        self.rings = [self.world.ring(fresh=True) for _ in range(2)]
        self.watched = self.world.watched()

    @property
    def keys(self) -> Keys:
        return Keys(self.world.keys, USABLE + SKEW, self.world.clock, self.watched)

    async def take(self, step: tuple[str, int]) -> None:
        what, number = step
        if what == "pass":
            self.world.clock.advance((0.1, 6.0, 14.0)[number])
        elif what == "watch":
            await self.watched.clear()
        elif what == "destroy":
            await self.keys.confirm(KEYS)
            done = await self.keys.destroy(KEYS)
            self.destroyed = self.destroyed or not isinstance(done, Refused)
        else:
            await self.process(what, number % 2)
        self.nobody_has_what_is_destroyed()

    async def process(self, what: str, number: int) -> None:
        ring = self.rings[number]
        assert isinstance(ring.presence, Presence)
        if what == "start":
            self.rings[number] = self.world.ring(fresh=True)
        elif what == "ask":
            with contextlib.suppress(FencedError):
                self.in_hand.append((await ring.sealing(PERSON, CLASS, "one"))["one"])
        elif self.world.document is not None:
            said = self.world.document.model_dump(include=set(KeysFenced.model_fields))
            ring.hear(Received(KeysFenced(**said), Meta("e", "/s", "2026-01-01T00:00:00.000Z")))
            if what == "say":
                await ring.presence.say()

    def nobody_has_what_is_destroyed(self) -> None:
        if self.destroyed:
            assert not [one for one in self.in_hand if one.usable]


STEPS = st.tuples(
    st.sampled_from(["ask", "ask", "hear", "say", "say", "start", "pass", "watch", "destroy"]),
    st.integers(0, 2),
)


@pytest.mark.law("P2")
@given(
    st.booleans(),
    st.lists(STEPS, max_size=5),
    st.lists(STEPS, max_size=10),
    st.sampled_from([0, 9]),
)
def test_nothing_is_destroyed_while_anybody_has_it_whoever_is_frozen_starts_anew_or_is_silent(
    watching: bool,  # noqa: FBT001
    before: list[tuple[str, int]],
    after: list[tuple[str, int]],
    skew: float,
) -> None:
    async def program() -> None:
        machine = Machine()
        machine.world.skew = skew
        if watching:
            for step in (("watch", 0), ("pass", 2), ("watch", 0), ("pass", 2)):
                await machine.take(step)
        for step in (("ask", 0), *before):
            await machine.take(step)
        await machine.keys.fence(KEYS, "request-1")
        for step in (*after, ("destroy", 0)):
            await machine.take(step)

    run(program())


@pytest.mark.law("P2")
@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        ([("say", 0), ("say", 1)], True),  # all say so: at once
        ([("say", 0)], False),  # the other is frozen, or away
        ([("hear", 0), ("say", 1)], False),  # heard, and not said yet
        ([("say", 0), ("start", 1)], False),  # the old one may be frozen
        ([("say", 0), ("start", 1), ("ask", 1), ("say", 1)], False),
        ([("say", 0), ("pass", 1), ("watch", 0), ("pass", 2), ("pass", 0)], False),  # 20.1 s
        ([("say", 0), ("pass", 1), ("pass", 2), ("pass", 1)], True),  # the time of all is up
    ],
)
def test_a_fence_takes_effect_once_everybody_said_so_and_else_when_the_time_of_keys_is_up(
    steps: list[tuple[str, int]],
    gone: bool,  # noqa: FBT001
) -> None:
    async def program() -> None:
        machine = Machine()
        for step in (("watch", 0), ("pass", 2), ("pass", 2)):
            await machine.take(step)
        for step in (("ask", 0), ("ask", 1)):
            await machine.take(step)
        await machine.keys.fence(KEYS, "request-1")
        await machine.keys.confirm(KEYS)
        for step in (*steps, ("destroy", 0)):
            await machine.take(step)
        assert machine.destroyed is gone

    run(program())


@pytest.mark.law("P2")
def test_of_rows_that_were_put_back_nobody_is_believed_before_the_time_of_keys_is_up() -> None:
    async def program() -> None:
        machine = Machine()
        for step in (("watch", 0), ("pass", 2), ("pass", 2), ("ask", 0)):
            await machine.take(step)
        machine.world.store["rings"].documents.clear()  # a copy of before
        machine.watched = machine.world.watched()  # retention starts after that
        await machine.keys.fence(KEYS, "request-1")
        await machine.take(("destroy", 0))
        assert not machine.destroyed
        for _ in range(2):
            await machine.take(("pass", 2))
        await machine.take(("destroy", 0))
        assert machine.destroyed

    run(program())


@pytest.mark.law("P2")
def test_the_time_of_a_key_counts_from_the_sign_before_it_was_asked_for() -> None:
    async def program() -> None:
        machine = Machine()
        for step in (("watch", 0), ("pass", 2), ("pass", 2), ("ask", 0), ("watch", 0)):
            await machine.take(step)
        for step in (("pass", 1), ("hear", 0), ("ask", 0)):  # asked again, under the same sign
            await machine.take(step)
        await machine.keys.fence(KEYS, "request-1")
        await machine.keys.confirm(KEYS)
        for step in (("pass", 2), *[("pass", 0)] * 11, ("destroy", 0)):
            await machine.take(step)  # 21.1 s after the sign: whoever signed has no key
        assert machine.destroyed

    run(program())
