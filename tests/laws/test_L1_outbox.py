"""Law L1 for the outbox: every state is published, in its order, whoever dies or wakes up late.

The real aggregates and outboxes run here against a store in memory. Writers race, relays take over
from one another as the broker lets them, and hypothesis says after each step who goes on and who
dies. A text that is kept once, as the state, must come out like one that was kept twice.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Event, Outgoing, PrefixAssigned, PrefixState, ReferencePreferenceSet
from shared.mongo import Accepted, Aggregates, Outbox, Saved, changes, docket, outbox
from shared.mongo.aggregates import outbox_entry, says
from shared.mongo.docket import Docket
from shared.mongo.docketed import ASIDE_SECONDS, DocketedOutbox
from shared.runtime.clock import ManualClock
from shared.runtime.faults import Transient
from tests.events import AT
from tests.laws.events import any_events
from tests.laws.memory_store import Database
from tests.laws.turns import Turns, in_bursts, run

KEYS = ("10.1000", "10.2000", "10.3000")
STEP = 0.6  # seconds between any two steps; a writer that stands still for two is put aside
Batch = dict[str, int]  # how many events each key's next version has


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Let a few documents be more than what goes together."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((docket, "MOST_KEYS"), (changes, "AT_ONCE"), (outbox, "AT_ONCE")):
            patch.setattr(module, name, 2)
        yield


@dataclass(slots=True)
class World:
    """A store, a topic that only the newest relay may write to, and what was really written."""

    turns: Turns
    docketed: bool
    clock: ManualClock = field(default_factory=ManualClock)
    topic: list[Outgoing] = field(default_factory=list)
    newest: int = 0
    written: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    store: Database = field(init=False)

    def __post_init__(self) -> None:
        self.store = Database(self.step)
        self.store["prefixes"].watch = self.note

    async def step(self) -> None:
        self.clock.advance(STEP)
        await self.turns.pause()

    def note(self, key: str, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        if new.get("state") != (old or {}).get("state"):
            self.written[key][new["version"]] = new["state"]

    @property
    def docket(self) -> Docket:
        return Docket(self.store["prefixes.docket"])  # type: ignore[arg-type]

    @property
    def prefixes(self) -> Aggregates[PrefixState]:
        return Aggregates(
            self.store["prefixes"],  # type: ignore[arg-type]
            PrefixState.model_validate_json,
            "/s",
            clock=self.clock,
            docket=self.docket if self.docketed else None,
        )

    def box(self) -> Any:
        plain = Outbox(self.store["prefixes"], "/s")  # type: ignore[arg-type]
        return DocketedOutbox(plain, self.docket, self.clock) if self.docketed else plain

    def ids(self) -> set[str]:
        return {headers(one)["ce_id"] for one in self.topic}


def headers(record: Outgoing) -> dict[str, str]:
    return {name: text.decode() for name, text in record.headers}


def next_of(held: PrefixState | None, key: str, events: int, by: int) -> Accepted[PrefixState]:
    """Decide the next version of a prefix; its state says how many events tell of it."""
    said: dict[str, Any] = {"owner_name": str(events), "owner": by + 1}
    if held is None:
        state = PrefixState(prefix=key, assigned_at=AT, version=1, **said)
    else:
        state = held.model_copy(update={"version": held.version + 1, **said})
    kinds = (PrefixAssigned, ReferencePreferenceSet)
    return Accepted(state, tuple(kind(**dict(state)) for kind in kinds[:events]))


async def write(world: World, batches: list[Batch], by: int) -> None:
    """Write batch after batch; who lost a race lets it be."""
    prefixes = world.prefixes
    for batch in batches:
        held = await prefixes.load_many(list(batch))
        saved = await prefixes.save_many(
            {key: next_of(held.get(key), key, events, by) for key, events in batch.items()}
        )
        for key, one in saved.items():
            if one is not None and await prefixes.published(key, one):
                assert set(one.event_ids) <= world.ids()


async def insist(world: World, key: str, by: int) -> None:
    """Write one, whoever is faster."""
    try:
        done: Any = await world.prefixes.update(key, lambda held: next_of(held, key, 1, by))
    except Transient:
        return
    assert isinstance(done, Saved)


async def touch(world: World, key: str) -> None:
    """Move a version on and leave the state, as a refusal beside a work does."""
    held = world.store["prefixes"].documents.get(key)
    if held is not None:
        moved = {"_id": key, "version": held["version"]}
        update = {"$set": {"version": held["version"] + 1}}
        await world.step()
        world.store["prefixes"]._update(moved, update, upsert=False)


async def relay(world: World, rounds: int) -> None:
    """Publish until another relay is started, as the broker makes sure."""
    mine = world.newest = world.newest + 1
    box = world.box()
    for _ in range(rounds):
        page = await box.page(4)
        await world.step()
        if world.newest != mine:
            return
        world.topic += [record for one in page for record in one.records]
        await world.step()
        await box.take_out(page)


def an_old_document(world: World, key: str, events: int) -> None:
    """Put down what a build without dockets wrote and did not publish yet."""
    made = next_of(None, key, events, 0)
    entries = [outbox_entry(one, at="2025", correlation=None) for one in made.events]
    document = {
        "_id": key,
        "version": 1,
        "state": made.state.model_dump_json(),
        "outbox": entries,
        **({"dirty": True} if entries else {}),
    }
    world.store["prefixes"]._insert(document)


BATCHES = st.lists(
    st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), min_size=1), min_size=1, max_size=3
)


@pytest.mark.law("L1")
@pytest.mark.law("L2")
@pytest.mark.parametrize("docketed", [True, False], ids=["docket", "marks"])
@given(
    st.data(),
    st.lists(BATCHES, min_size=1, max_size=3),
    st.lists(st.sampled_from(KEYS), max_size=2),
    st.lists(st.sampled_from(KEYS), max_size=2),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), max_size=2),
)
def test_what_is_published_of_a_key_is_exactly_the_sequence_of_its_states(  # noqa: PLR0917
    docketed: bool,  # noqa: FBT001
    data: st.DataObject,
    writers: list[list[Batch]],
    insistent: list[str],
    touched: list[str],
    relays: list[int],
    old: Batch,
) -> None:
    async def program() -> None:
        turns = Turns(in_bursts(data))
        world = World(turns, docketed)
        for key, events in old.items():
            an_old_document(world, key, events)
        async with asyncio.TaskGroup() as group:
            tasks = [
                *(group.create_task(write(world, one, n)) for n, one in enumerate(writers)),
                *(group.create_task(insist(world, key, 8)) for key in insistent),
                *(group.create_task(touch(world, key)) for key in touched),
                *(group.create_task(relay(world, rounds)) for rounds in relays),
            ]
            await turns.play(tasks, kill=True)
        turns.free = True
        last = world.box()
        world.newest += 1
        for _ in range(8):
            world.clock.advance(ASIDE_SECONDS)
            page = await last.page(4)
            world.topic += [record for one in page for record in one.records]
            await last.take_out(page)
        check(world)
        if docketed and not any(task.cancelled() for task in tasks):
            assert not world.store["prefixes.docket"].documents

    run(program())


@pytest.mark.law("L1")
@given(any_events())
def test_an_event_that_says_what_the_state_says_has_the_same_text(event: Event) -> None:
    for state in set(type(event).__bases__) - {Event}:  # none of a mere observation
        made: Any = state.model_construct(**dict(iter(event)))  # one has a field "keys"
        assert says(event, made)
        assert event.model_dump_json() == made.model_dump_json()
        assert not says(event, made.model_copy(update={next(iter(dict(iter(made)))): "another"}))


def check(world: World) -> None:
    """Compare the topic with what was written."""
    published: dict[str, list[Outgoing]] = defaultdict(list)
    for record in world.topic:
        published[record.key.decode()].append(record)
    for key, states in world.written.items():
        told = [
            (version, text)
            for version, text in sorted(states.items())
            for _ in range(int(PrefixState.model_validate_json(text).owner_name))
        ]
        first: dict[str, Outgoing] = {}
        for record in published[key]:
            known = first.setdefault(headers(record)["ce_id"], record)
            assert record == known, "a repeat is the same to its last header"
        said = [
            (int(headers(one)["ce_aggregateversion"]), (one.value or b"").decode())
            for one in first.values()
        ]
        assert said == told
        if told:
            newest = published[key][-1]
            assert ((newest.value or b"").decode()) == told[-1][1], "compaction keeps the newest"
    assert set(published) <= set(world.written)
