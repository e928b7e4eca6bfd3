"""L6: a rebuilt read model is the live one, and nobody who reads meanwhile sees anything go back.

What runs is the code that runs: the projection of each batch, the counting, the reads by key, and
the whole way of a rebuild; a choice says at every await who goes on. There are hundreds of those in
each example, so what is drawn is the seed they come from.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.distribution import claims
from services.distribution.citations import LONGEST_REST, Pace, Vigil, recount
from services.distribution.projections import TABLE, WORKS, counted_of
from services.distribution.rebuild import checking
from services.distribution.rebuild.changing import Changing
from services.distribution.rebuild.comparing import Pair, differs
from services.distribution.rebuild.pointer import (
    NotNow,
    Pointer,
    ReadModels,
    called,
    generation_of,
)
from services.distribution.rebuild.source import Page, Positions
from services.distribution.store import Works
from shared.events import Event, Meta, Received, WorkRegistered, WorkUpdated
from shared.mongo import projecting
from shared.runtime.clock import ManualClock
from tests.laws import memory_store
from tests.laws.turns import Turns, run

AT = datetime(2026, 1, 1, tzinfo=UTC)
TIME = "2026-01-01T00:00:00Z"
DOIS = ("10.1000/a", "10.1000/b", "10.2000/c")
TOPIC = "deposits.works.v1"
FEWER = settings(max_examples=settings.default.max_examples // 6)  # each is a whole rebuild


async def at_once(_seconds: float) -> None:
    return


def pace() -> Pace:
    return Pace(ManualClock(), size=1, rest=at_once)


def work(doi: str, version: int, cites: tuple[str, ...], parts: tuple[str, ...]) -> Event:
    related = [{"id-type": "doi", "id": part, "asserted-by": "subject"} for part in parts]
    return (WorkRegistered if version == 1 else WorkUpdated)(
        doi=doi,
        prefix=doi.partition("/")[0],
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission="1#0",
        work={
            "type": "other",
            "reference": [{"key": c, "DOI": c} for c in cites],
            "relation": {"has-part": related},
        },
        version=version,
    )


class Collection(memory_store.Collection):
    """With what a rebuild asks of a store besides."""

    def find(self, condition: Mapping[str, Any], shown: Any = None) -> Any:
        match condition:
            case {"cites": {"$in": wanted}}:
                found = memory_store.Collection.find(self, {}, shown)
                inner = found.look
                return memory_store.Cursor(
                    lambda: [one for one in inner() if set(one.get("cites", ())) & set(wanted)],
                    self.pause,
                )
        return memory_store.Collection.find(self, condition, shown)

    async def estimated_document_count(self) -> int:
        await self.pause()
        return len(self.documents)

    async def create_indexes(self, _indexes: Any) -> None:
        await self.pause()


class Database(memory_store.Database):
    def __missing__(self, name: str) -> Collection:
        self[name] = Collection(name, self.pause)
        return self[name]  # type: ignore[return-value]


@dataclass(slots=True)
class Uneasy(ManualClock):
    """A clock of which nobody knows how much it moved since the last look."""

    choose: Any = None

    def monotonic(self) -> float:
        self.elapsed += 2 * self.choose(2)
        return self.elapsed


@dataclass(slots=True)
class Moody(Turns):
    """Turns in which somebody is often held up for long, as a process that is frozen is."""

    chance: random.Random = field(default_factory=random.Random)
    who: dict[Any, Any] = field(default_factory=dict)
    mood: dict[Any, float] = field(default_factory=dict)

    async def pause(self) -> None:
        if self.free:
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.who[mine] = asyncio.current_task()
        self.waiting.append(mine)
        await mine

    def one_of(self, below: int) -> int:
        """Say whose turn it is; every now and then another one is held up."""
        if self.chance.random() < 0.05:
            self.mood.clear()
        weights = [
            self.mood.setdefault(self.who[one], self.chance.choice((0.01, 1.0, 1.0, 5.0)))
            for one in self.waiting
        ]
        assert len(weights) == below
        return self.chance.choices(range(below), weights)[0]


@dataclass(slots=True)
class Topic:
    """A log of two partitions, of which readers see what was published."""

    turns: Turns
    published: tuple[list[Received], ...] = field(default_factory=lambda: ([], []))

    def publish(self, said: Event) -> None:
        self.published[DOIS.index(said.key) % 2].append(Received(said, Meta("1", "/", TIME)))

    async def ends(self) -> Positions:
        await self.turns.pause()
        return {(TOPIC, n): len(some) for n, some in enumerate(self.published)}

    async def pages(self, start: Positions) -> AsyncGenerator[Page, None]:
        at = {(TOPIC, n): start.get((TOPIC, n), 0) for n in range(2)}
        while True:
            await self.turns.pause()
            page = []
            for (topic, n), offset in at.items():
                some = self.published[n][offset : offset + 2]
                page += some
                at[topic, n] = offset + len(some)
            yield Page(page, len(page), 0, dict(at))
            await self.turns.pause()


@dataclass(slots=True)
class House:
    """One store, one log, and everybody who works with them."""

    turns: Turns
    choose: Any
    database: Database = field(init=False)
    topic: Topic = field(init=False)
    models: ReadModels = field(init=False)
    said: dict[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    committed: list[int] = field(default_factory=lambda: [0, 0])
    done: bool = False  # nothing more happens: everybody comes to an end
    lives: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.database = Database(self.turns.pause)
        self.topic = Topic(self.turns)
        self.models = ReadModels(self.database)  # type: ignore[arg-type]

    def publish(self) -> None:
        """Deposit a work, a new one or again, naming ever more: then no count may ever fall."""
        doi = DOIS[self.choose(len(DOIS))]
        version, cites, parts = self.said.get(doi, (0, (), ()))
        cites += (*DOIS, "10.9000/nobody")[: self.choose(5)]
        parts += (*DOIS, "10.9000/nobody")[: self.choose(3)]
        self.said[doi] = (version + 1, tuple(dict.fromkeys(cites)), tuple(dict.fromkeys(parts)))
        self.topic.publish(work(doi, *self.said[doi]))

    async def deposit(self) -> None:
        while not self.done:
            for _ in range(self.choose(30)):
                await self.turns.pause()
            self.publish()

    async def project(self, partition: int) -> None:
        """A member of the projector's group, with one partition."""
        handle = projecting(self.database, TABLE, self.models.into)  # type: ignore[arg-type]
        while True:
            await self.turns.pause()
            start = self.committed[partition]
            batch = self.topic.published[partition][start : start + 2]
            if batch:
                await handle(batch)
                self.committed[partition] = start + len(batch)
            elif self.done:
                return

    async def count(self) -> None:
        """A counting worker."""
        while not self.done:
            await self.turns.pause()
            for generation in (await self.models.fresh()).counted:
                await recount(
                    self.database,  # type: ignore[arg-type]
                    pace(),
                    generation,
                    partial(self._still, generation),
                )

    async def _still(self, generation: int) -> bool:
        return generation in (await self.models.fresh()).counted

    async def read(self) -> None:
        """A reader's host: no work goes missing, no version and no count goes down.

        Nor does what is told of a work go away, as those who say it go on saying it.
        """
        works = Works(self.database)  # type: ignore[arg-type]
        works._models.clock = Uneasy(choose=self.choose)
        seen: dict[str, tuple[int, int, set[str]]] = {}
        last = False
        while not last:
            last = self.done
            await self.turns.pause()
            found = await works.many(DOIS)
            for doi, before in seen.items():
                assert doi in found, f"{doi} is missing"
                now = self._shown(found[doi])
                assert now[0] >= before[0], f"{doi} went from version {before[0]} to {now[0]}"
                assert now[1] >= before[1], f"{doi} cited {before[1]} times, now {now[1]}"
                assert now[2] >= before[2], f"{doi} told of by {before[2]}, now {now[2]}"
            seen |= {d: self._shown(one) for d, one in found.items()}
            self.lives.add(works._models._known.live)

    @staticmethod
    def _shown(document: Mapping[str, Any]) -> tuple[int, int, set[str]]:
        counted = counted_of(document)
        return document["v"], counted["cited_by"], {one["by"] for one in counted["told"]}

    def changing(self) -> Changing:
        return Changing(
            self.database,  # type: ignore[arg-type]
            self.topic,
            pace(),
            "test",
            timedelta(hours=1),
            clock=ManualClock(),
            wait=self._pause,
        )

    async def _pause(self, _seconds: float) -> None:
        await self.turns.pause()

    async def rebuild(self) -> None:
        assert (await self.changing().rebuild()).over
        await self._end()

    async def back(self) -> None:
        assert (await self.changing().back()).over
        await self._end()

    async def _end(self) -> None:
        for _ in range(self.choose(60)):
            await self.turns.pause()
        self.done = True

    async def together(self, *others: Any) -> None:
        """Have everybody work at once, until what changes generations has come to its end."""
        self.done = False
        everybody = (
            self.deposit(),
            self.project(0),
            self.project(1),
            self.count(),
            self.read(),
            self.read(),
        )
        tasks = [asyncio.ensure_future(one) for one in (*everybody, *others)]
        try:
            await self.turns.play(tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def settle(self, generation: int) -> None:
        while await recount(self.database, pace(), generation):  # type: ignore[arg-type]
            pass

    async def rest(self) -> None:
        """Let everything come to its end: then every generation that is written is the fold."""
        self.turns.free = self.done = True
        await asyncio.gather(*(self.project(n) for n in range(2)))
        pointer = await self.models.fresh()
        for generation in pointer.written:
            await self.settle(generation)
            self.is_the_fold(generation)
        await self.read()

    def is_the_fold(self, generation: int) -> None:
        newest: dict[str, Any] = {}
        for one in (*self.topic.published[0], *self.topic.published[1]):
            said: Any = one.event
            newest[said.key] = max(newest.get(said.key, said), said, key=lambda e: e.version)
        held = self.database[called(WORKS, generation)].documents
        assert {key: one["v"] for key, one in held.items()} == {
            key: one.version for key, one in newest.items()
        }
        for doi in newest:
            citing = [
                one
                for one in newest.values()
                if any(cited["DOI"] == doi for cited in one.work["reference"])
            ]
            assert held[doi].get("cited_by", 0) == len(citing), (generation, doi)
            wholes = [
                {"as": "is-part-of", "by": one.doi}
                for one in sorted(newest.values(), key=lambda one: str(one.doi))
                if one.doi != doi and any(p["id"] == doi for p in one.work["relation"]["has-part"])
            ]
            assert counted_of(held[doi])["told"] == wholes, (generation, doi)


def house(data: st.DataObject) -> House:
    chance = random.Random(data.draw(st.integers(0, 2**64), label="seed"))
    turns = Moody(chance.randrange, chance=chance)
    turns.choose = turns.one_of
    made = House(turns, chance.randrange)
    for _ in range(data.draw(st.integers(0, 8), label="deposited before")):
        made.publish()
    return made


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYS", "CITED", "TOGETHER", "MOST_CITING"):
        monkeypatch.setattr(checking, name, 2)
    monkeypatch.setattr(claims, "MOST_LOOKED", 2)


@pytest.mark.law("L6")
@pytest.mark.law("L2")
@pytest.mark.law("L4")
@FEWER
@given(st.data())
def test_while_generations_change_places_nothing_that_is_read_goes_back(
    data: st.DataObject,
) -> None:
    here = house(data)

    async def story() -> None:
        await here.together(here.rebuild())
        if data.draw(st.booleans(), label="and back"):
            await here.together(here.back())
        await here.rest()

    run(story())
    event(f"generations read: {sorted(here.lives)}")


@pytest.mark.law("L6")
@FEWER
@given(st.data())
def test_a_rebuild_killed_anywhere_leaves_who_serves_and_goes_on_from_there(
    data: st.DataObject,
) -> None:
    here = house(data)

    async def story() -> None:
        dying = asyncio.ensure_future(here.changing().rebuild())

        async def kill() -> None:
            for _ in range(here.choose(400)):
                await here.turns.pause()
            dying.cancel()
            here.done = True

        await here.together(asyncio.wait([dying]), kill())
        await here.together(here.rebuild())
        await here.rest()

    run(story())


@pytest.mark.law("L6")
@FEWER
@given(st.data())
def test_what_the_log_does_not_say_is_found_before_the_change_over(data: st.DataObject) -> None:
    """A live generation with a work more, a version less or another title is not equal."""
    here = house(data)

    class Passing(ManualClock):
        def monotonic(self) -> float:
            self.elapsed += 1
            return self.elapsed

    async def story() -> None:
        await here.rest()
        documents = here.database[WORKS].documents
        spoilt = data.draw(st.sampled_from(["more", *(("less", "other") if documents else ())]))
        if spoilt == "more":
            documents["10.1000/orphan"] = {"_id": "10.1000/orphan", "v": 1, "work": {}}
        else:
            victim = documents[data.draw(st.sampled_from(sorted(documents)))]
            victim["v" if spoilt == "less" else "work"] = 0
        changing = here.changing()
        changing.clock = Passing()
        changing.patience = 3
        done = await changing.rebuild()
        assert not done.over
        assert done.outcome.differs
        pointer = await here.models.fresh()
        assert (pointer.live, pointer.state) == (0, "counting")

    run(story())


@pytest.mark.law("L6")
def test_works_from_before_it_was_kept_what_they_name_do_not_keep_a_rebuild_from_telling() -> None:
    """The live generation could not know; another difference is still one."""

    async def story(spoilt: str | None) -> Any:
        database, topic = Database(), Topic(Turns(lambda _: 0, free=True))
        said = [work("10.1000/a", 1, (), ("10.1000/b",)), work("10.1000/b", 1, (), ())]
        for one in said:
            topic.publish(one)
        received = [Received(one, Meta("1", "/", TIME)) for one in said]
        await projecting(database, TABLE, ReadModels(database).into)(received)  # type: ignore[arg-type]
        documents = database[WORKS].documents
        del documents["10.1000/a"]["names"]
        await recount(database, pace())  # type: ignore[arg-type]
        assert counted_of(documents["10.1000/b"])["told"] == []
        if spoilt:
            documents["10.1000/b"][spoilt] = "else"
        changing = Changing(
            database,  # type: ignore[arg-type]
            topic,
            pace(),
            "test",
            timedelta(hours=1),
            patience=0.0,
            clock=Uneasy(choose=lambda _: 1),
            wait=at_once,
        )
        done = await changing.rebuild()
        return done, database[called(WORKS, 1)].documents["10.1000/b"]

    done, shown = run(story(None))
    assert done.over
    assert counted_of(shown)["told"] == [{"as": "is-part-of", "by": "10.1000/a"}]
    assert not run(story("title"))[0].over


STEPS = ("begun", "going_back", "filled", "resting", "roused", "switched", "abandoned", "expired")


@pytest.mark.law("L6")
@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_who_takes_over_is_written_first_and_numbers_are_never_used_twice(steps: list[str]) -> None:
    pointer = Pointer()
    given_up: set[int] = set()
    for step in steps:
        more: dict[str, Any] = {}
        if step in {"begun", "going_back"}:
            more = {"by": "test", "at": AT}
        elif step == "switched":
            more = {"at": AT, "keep": timedelta(hours=1)}
        before = pointer
        try:
            pointer = getattr(pointer, step)(**more)
        except NotNow:
            continue
        assert pointer.turn == before.turn + 1
        assert pointer.live in pointer.written
        assert len(set(pointer.written)) == len(pointer.written)
        assert max(pointer.written) <= pointer.newest
        if pointer.next is not None:
            assert pointer.written == (pointer.next, pointer.live)
        if pointer.live != before.live:
            # The order stays as it is while the two change places.
            assert pointer.written == before.written
            assert before.state == "switching"
        given_up |= set(before.written) - set(pointer.written)
        assert not given_up & set(pointer.written)


@pytest.mark.law("L6")
def test_counts_that_rest_too_long_go_on_and_that_voids_the_change_over() -> None:
    async def story() -> None:
        models, clock = ReadModels(Database()), ManualClock()  # type: ignore[arg-type]
        pointer = Pointer()
        for step in (partial(Pointer.begun, by="test", at=AT), Pointer.filled, Pointer.resting):
            assert await models.change(pointer, step(pointer))
            pointer = await models.fresh()
        vigil = Vigil(models, clock)
        await vigil.look(pointer)
        clock.advance(LONGEST_REST)
        await vigil.look(pointer)
        assert await models.fresh() == pointer
        clock.advance(1)
        await vigil.look(pointer)
        assert (await models.fresh()).state == "counting"
        over = pointer.switched(at=AT, keep=timedelta(hours=1))
        assert not await models.change(pointer, over)
        assert (await models.fresh()).live == 0

    run(story())


@pytest.mark.law("L4")
def test_counts_of_what_is_kept_rest_for_some_still_read_it_and_must_not_see_more() -> None:
    pointer = Pointer().begun(by="test", at=AT).filled()
    assert pointer.counted == (0,)
    assert pointer.resting().counted == ()
    over = pointer.resting().switched(at=AT, keep=timedelta(hours=1))
    assert (over.live, over.kept, over.counted) == (1, 0, (1,))


def test_a_generation_is_known_by_its_collections_names() -> None:
    assert called("works", 0) == "works"
    assert called("works", 12) == "works_12"
    for name, number in {"works": 0, "works_12": 12, "prefixes_3": 3, "members": 0}.items():
        assert generation_of(name) == number
    for name in ("works_0", "works_x", "works_1_2", "leases", "read_models", "nworks_1"):
        assert generation_of(name) is None


def test_documents_differ_in_what_a_reader_could_tell_apart() -> None:
    one = {"_id": "a", "v": 2, "work": {"type": "other"}, "cited_by": 0, "recount": ["a"]}
    assert differs(one, {**one, "recount": ["a", "b"], "recount_shelf": 1, "counted": "x"}) is None
    assert differs(one, {**one, "title": None}) is None
    assert differs({**one, "cited_by": None}, one) is None
    assert differs(None, {"_id": "a", "v": 3, "erased": "asked for"}) is None
    assert differs(one, {**one, "cited_by": 1}) == "version 2 differs in cited_by"
    told = {**one, "told": [{"as": "has-part", "by": "b"}], "names": ["c"]}
    assert differs(one, told) == "version 2 differs in told"
    assert differs(one, {**one, "told": []}) is None
    assert differs(one, {**one, "work": {}}) == "version 2 differs in work"
    assert differs(one, {**one, "v": 1}) == "version 2 live, 1 rebuilt"
    assert differs(one, None) == "version 2 live, not in the rebuilt one"
    assert differs({"_id": "a", "v": 3, "erased": "x"}, one) == (
        "not in the live one, version 2 rebuilt"
    )


def test_a_difference_is_of_the_moment_where_both_were_written_since() -> None:
    old, new = {"_id": "a", "v": 1, "x": 1}, {"_id": "a", "v": 2, "x": 2}
    newest = {"_id": "a", "v": 3, "x": 3}
    behind = Pair.of(old, new)
    assert not behind.moved_on(old, newest)
    assert behind.moved_on(new, newest)
    assert not behind.moved_on(newest, new)
    # A live one that says something else at the same version was not written the same.
    assert not behind.moved_on({**new, "x": 9}, new)
    assert not Pair.of(newest, new).moved_on({**newest, "x": 9}, newest)
    assert Pair.of(newest, new).then(Pair.of(new, newest)) == Pair.of(new, newest)
    assert Pair.of(None, new).moved_on(new, newest)
    assert not Pair.of(None, new).moved_on(None, newest)
    once, twice = {**old, "cited_by": 1, "counted": "x"}, {**old, "cited_by": 2}
    assert not Pair.of(once, twice).moved_on(once, twice)
    assert Pair.of(once, twice).moved_on({**once, "counted": "y"}, twice)
    told = {**twice, "told": [{"as": "has-part", "by": "b"}]}
    assert Pair.of(once, told).moved_on({**once, "counted": "y"}, told)
    other = {**twice, "x": 2}
    assert not Pair.of(once, other).moved_on({**once, "counted": "y"}, other)
