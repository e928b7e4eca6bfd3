"""P2: rotating epochs loses no key that anything was encrypted under, and revives none.

Processes make and open keys and may stand still at any await, for epochs on end; rotations run at
the same time, two of them too, and die. What was encrypted is readable at the end, and was all the
while; an epoch that ended opens nothing.
"""

import asyncio
import base64
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.retention.erasure.rotation import Rotation
from services.retention.model.epochs import KeptEpochs
from shared.mongo import Aggregates
from shared.policy.personal import EpochsRow, load_personal
from shared.privacy.envelope import ExpiredError, OpenKey, UnsealError, open_text, seal_text
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.runtime.clock import ManualClock
from shared.runtime.faults import Transient
from shared.runtime.ids import random_bytes
from tests.laws.memory_store import Collection, Database
from tests.laws.turns import Turns, in_bursts, run
from tests.processes import ROOT

CLASS = "account"
PEOPLE = ["p" + str(number) * 32 for number in range(3)]
PLACE = {"schema": "test.thing.v1", "field": "/name", "record": "r"}
ROW: EpochsRow = load_personal(ROOT / "deploy" / "policies" / "personal.toml").file.epochs


class MemoryEpochs(FileEpochs):
    """Epochs in memory: what files do, each call at once."""

    __slots__ = ("ending", "there")

    def __init__(self) -> None:
        self.there: dict[int, bytes] = {1: random_bytes(32)}
        self.ending: dict[int, bytes] = {}

    def standing(self) -> tuple[int, ...]:
        return tuple(sorted(self.there))

    def aside(self) -> tuple[int, ...]:
        return tuple(sorted(self.ending))

    def kek(self, epoch: int) -> bytes:
        if epoch in self.ending:
            raise Transient("ends")
        return self.there[epoch]

    def make(self, epoch: int) -> None:
        self.there.setdefault(epoch, random_bytes(32))

    def put_aside(self, epoch: int) -> None:
        if epoch in self.there:
            self.ending[epoch] = self.there.pop(epoch)

    def kek_aside(self, epoch: int) -> bytes:
        return self.ending[epoch]

    def end(self, epoch: int) -> None:
        self.ending.pop(epoch, None)


@dataclass(slots=True)
class World:
    """A store, epochs, and what was encrypted."""

    turns: Turns
    epochs: FileEpochs = field(default_factory=MemoryEpochs)
    clock: ManualClock = field(default_factory=ManualClock)
    sealed: list[tuple[str, str]] = field(default_factory=list)  # key id, envelope
    written: int = 0  # how often the rotation noted where it is
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    rotating: int = 0
    store: Database = field(init=False)

    def __post_init__(self) -> None:
        self.store = Database(self.step)
        self.store["epochs"].watch = self.noted

    def noted(self, *_: object) -> None:
        self.written += 1
        self.woken.set()

    def slowly(self, naps: list[int]) -> Aggregates[KeptKeys]:
        """Return the key documents as somebody sees them who stands still before a step.

        For each step, until the rotation noted so many things; or until nobody rotates any more.
        """
        left = iter(naps)

        async def step() -> None:
            until = next(left, 0)
            while self.written < until and self.rotating:
                self.woken.clear()
                await self.woken.wait()
            await self.step()

        seen = Collection("keys", step, self.store["keys"].documents)
        return replace(self.keys, collection=seen)  # type: ignore[arg-type]

    async def step(self) -> None:
        self.clock.advance(0.2)
        await self.turns.pause()

    async def hold(self) -> bool:
        await self.step()
        return True

    async def release(self) -> None:
        return

    @property
    def keys(self) -> Aggregates[KeptKeys]:
        return Aggregates(
            self.store["keys"],  # type: ignore[arg-type]
            KeptKeys.model_validate_json,
            "/services/retention",
            clock=self.clock,
        )

    def ring(self, naps: list[int] | None = None) -> KeyRing:
        keys = self.slowly(naps or [])
        return KeyRing(keys, self.epochs, timedelta(seconds=20), lambda: False, self.clock)

    def rotation(self) -> Rotation:
        states = Aggregates(
            self.store["epochs"],  # type: ignore[arg-type]
            KeptEpochs.model_validate_json,
            "/services/retention",
            clock=self.clock,
        )
        return Rotation(states, self.keys, self.epochs, ROW, self, self.clock)


async def seal(world: World, ring: KeyRing, units: list[tuple[str, str]]) -> None:
    """Encrypt record after record; between key and use anything may happen."""
    for person, unit in units:
        try:
            key = (await ring.sealing(person, CLASS, unit))[unit]
            await world.step()
            envelope = seal_text(key, "Mary", **PLACE)
        except (ExpiredError, Transient, UnsealError):
            continue  # who stood still for epochs begins again, and has encrypted nothing
        world.sealed.append((f"{person}.{CLASS}.{unit}", envelope))


async def read(world: World, ring: KeyRing, times: int) -> None:
    for _ in range(times):
        sealed = list(world.sealed)
        try:
            found = await ring.opening({kid for kid, _ in sealed})
        except Transient:
            continue
        for kid, envelope in sealed:
            key = found[kid]
            assert isinstance(key, OpenKey), key
            assert open_text(key, envelope, **PLACE) == "Mary"


async def rotate(world: World, times: int) -> None:
    rotation = world.rotation()
    world.rotating += 1
    try:
        for _ in range(times):
            try:
                await rotation.begin()
                await rotation.step()
            except Transient:
                continue
    finally:
        world.rotating -= 1
        world.woken.set()


@pytest.mark.law("P2")
@settings(max_examples=50)
@given(
    st.data(),
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["one", "two"])),
                min_size=1,
                max_size=4,
            ),
            st.lists(st.integers(0, 9), max_size=6),
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.integers(1, 4), min_size=1, max_size=2),
)
def test_whatever_was_encrypted_stays_readable_while_epochs_come_and_go(
    data: st.DataObject,
    sealers: list[tuple[list[tuple[str, str]], list[int]]],
    rotations: list[int],
) -> None:
    async def program() -> None:
        world = World(Turns(in_bursts(data)))
        async with asyncio.TaskGroup() as group:
            tasks = [
                *(
                    group.create_task(seal(world, world.ring(naps), units))
                    for units, naps in sealers
                ),
                group.create_task(read(world, world.ring(), 4)),
                *(group.create_task(rotate(world, times)) for times in rotations),
            ]
            await world.turns.play(tasks, kill=True)
        world.turns.free = True
        copy = {key: one["state"] for key, one in world.store["keys"].documents.items()}
        await read(world, world.ring(), 1)
        await rotate(world, 3)
        await read(world, world.ring(), 1)
        assert not world.epochs.aside()
        assert len(world.epochs.standing()) == 2
        for text in copy.values():
            for wrapped in KeptKeys.model_validate_json(text).units.values():
                assert base64.b64decode(wrapped.key)
                assert wrapped.epoch not in world.epochs.standing()

    run(program())
