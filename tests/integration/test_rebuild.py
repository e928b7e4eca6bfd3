"""The read models rebuilt beside the live ones, over the wire, while everything goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from services.distribution.citations import Pace
from services.distribution.gate import TOPICS, Gate
from services.distribution.indexer import Indexer
from services.distribution.projections import WORKS
from services.distribution.rebuild import wishes
from services.distribution.rebuild.building import Serving
from services.distribution.rebuild.lists import Lists
from services.distribution.rebuild.pointer import ReadModels, called
from services.distribution.rebuild.sweeping import Sweeper
from services.distribution.rebuild.watching import ENDED
from services.distribution.search import SearchIndex, open_index, project
from services.distribution.search import folder as folders
from services.distribution.store import Works
from services.distribution.transfers import Transfers
from shared import policy
from shared.kafka.knowledge import Knowledge
from shared.mongo import Database
from shared.mongo.client import UpdateOne
from shared.runtime.faults import Transient
from shared.runtime.ids import new_id
from tests.events import AT, speaking
from tests.processes import ROOT, Place, service, until
from tests.rebuilding import HUB, OPEN, Press, alike, documents, models_of, reading, rebuild

WORKS_AT_FIRST = 20
RULES = ROOT / "deploy" / "policies" / "references.toml"


@pytest.mark.law("L6")
@pytest.mark.law("L3")
@pytest.mark.law("L4")
async def test_read_models_change_places_and_back_while_deposits_flips_and_readers_go_on(
    place: Place,
) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place, REPLICA="one") as running,
        models_of(place) as models,
    ):
        press = Press(accounts, deposits)
        await press.enter(WORKS_AT_FIRST)
        done = asyncio.Event()

        async def go_on() -> None:
            number = 0
            while not done.is_set():
                number += 1
                await press.deposit(HUB, f"{OPEN}/{number % 30}", f"{OPEN}/new-{number % 90}")
                if number % 4 == 0:
                    await press.flip()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(done.wait(), 0.3)

        async with reading(running, press) as readers, asyncio.TaskGroup() as group:
            group.create_task(go_on())
            try:
                ran = await rebuild(place, "--pace", "full")
                assert ran.status == 0, ran.said
                assert "generation 1 is live" in ran.said
                assert "per million works" in ran.said
                assert "search index of one: done" in ran.said
                assert (await models.fresh()).live == 1
                back = await rebuild(place, "back", "--pace", "full")
                assert back.status == 0, back.said
                assert (await models.fresh()).live == 0
                looks = readers.looks
                await until(lambda: _more(readers, looks + 2), what="readers go on")
            finally:
                done.set()
        assert readers.seen.keys() >= {HUB, f"{OPEN}/new-1"}
        pointer = await alike(models)
        assert pointer.written == (0, 1)
        shown = place.folder / "distribution" / "search"
        assert (shown / "live").read_text() == "1 index-1\n"

        async def projected() -> bool:
            held = await documents(models.database, WORKS)
            return {key: one["v"] for key, one in held.items()} == press.versions

        await until(projected, what="every work at its newest version")

        async def counted() -> bool:
            held = await documents(models.database, WORKS)
            return bool(held[HUB]["cited_by"] == len(held))

        await until(counted, what="every citation counted")


async def _more(readers: Any, looks: int) -> bool:
    return bool(readers.looks >= looks)


@pytest.mark.soak
@pytest.mark.law("L6")
async def test_a_rebuild_that_differs_is_refused_named_and_given_up(place: Place) -> None:
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        service("distribution", place, REPLICA="one") as running,
        models_of(place) as models,
    ):
        press = Press(accounts, deposits)
        await press.enter(5)
        works = models.database[WORKS]
        async with reading(running, press):
            pass
        assert (await rebuild(place, "back")).status == 1
        await alike(models)
        spoilt, orphan = f"{OPEN}/3", f"{OPEN}/orphan"
        await works.bulk_write(
            [UpdateOne({"_id": spoilt}, {"$set": {"work.title": ["Another"]}})], ordered=False
        )
        asked = ("--only", "store", "--pace", "full", "--patience", "0.5")
        ran = await rebuild(place, *asked)
        assert ran.status == 1
        assert f"works {spoilt}: version 1 differs in work" in ran.said
        assert ((await models.fresh()).live, (await models.fresh()).next) == (0, 1)
        # More in the live one than the log says is found by counting.
        await press.deposit(spoilt)
        await works.insert_one({"_id": orphan, "v": 1, "work": {}})
        ran = await rebuild(place, *asked)
        assert ran.status == 1, ran.said
        assert "works (how many): 8 live, 7 rebuilt" in ran.said
        given_up = await rebuild(place, "abandon")
        assert given_up.status == 0, given_up.said
        assert (await models.fresh()).written == (0,)
        # What is given up is removed; what came to it late is as well.
        sweeper = Sweeper(models.database, grace=0)
        await sweeper.look(Pace(), asyncio.Event())
        await models.database[called(WORKS, 1)].insert_one({"_id": new_id()})
        await sweeper.look(Pace(), asyncio.Event())
        assert not [n for n in await models.database.list_collection_names() if n.endswith("_1")]
        # Where it is the live one that is wrong, the rebuilt one takes over all the same.
        ran = await rebuild(place, *asked, "--keep", "0", "--despite-differences")
        assert ran.status == 0, ran.said
        assert (await models.fresh()).live == 2
        assert orphan not in await documents(models.database, called(WORKS, 2))
        await sweeper.look(Pace(), asyncio.Event())
        await sweeper.look(Pace(), asyncio.Event())
        assert (await models.fresh()).written == (2,)
        assert WORKS not in await models.database.list_collection_names()
        async with reading(running, press) as readers:
            await until(lambda: _more(readers, 2), what="readers of generation 2")


@dataclass(frozen=True, slots=True)
class Host:
    """A host that serves lists, the press that deposits, and how its rebuild ended."""

    index: SearchIndex
    models: ReadModels
    press: Press

    async def listed(self) -> None:
        """Wait until its lists show every work."""
        await until(lambda: _size(self.index, len(self.press.versions)), what="the works listed")

    async def rebuilt(self, number: int) -> Any:
        """Return what it said when its rebuild ended."""

        async def ended() -> Any:
            hosts = await wishes.told(self.models, number)
            return hosts[0] if hosts and hosts[0]["state"] in ENDED else None

        return await until(ended, within=30, what="the host's word")


@contextlib.asynccontextmanager
async def serving(place: Place, database: Database) -> AsyncIterator[Host]:
    """Serve lists of three works on a host of its own."""
    folder, draining = place.folder / "search", asyncio.Event()
    index = open_index(folder, schema_version="1")
    where = (place.kafka_bootstrap, place.name)
    knowledge = Knowledge(TOPICS, where[0], timedelta(seconds=5), where[1])
    gate, works = Gate(knowledge, policy.load(RULES)), Works(database)
    indexer = Indexer(index, where[0], gate.owner_prefix, lambda: knowledge.caught_up, where[1])
    transfers = Transfers(gate, works, indexer)
    models = ReadModels(database)
    lists = Lists(Serving(models, index, indexer, transfers, gate, works, "one", patience=0.5))
    async with (
        speaking(place, "accounts", "deposits") as (accounts, deposits),
        asyncio.TaskGroup() as group,
    ):
        host = Host(index, models, Press(accounts, deposits))
        await host.press.enter(3)
        for role in (knowledge.run, indexer.run, transfers.run, lists.run):
            group.create_task(role(draining))
        await host.listed()
        yield host
        draining.set()
    index.close()


@pytest.mark.law("L6")
async def test_lists_that_differ_are_refused_and_named(place: Place, database: Database) -> None:
    folder = place.folder / "search"
    async with serving(place, database) as host:
        index, models = host.index, host.models
        more = {"doi": f"{OPEN}/1", "prefix": OPEN, "title": None, "version": 9, "work": {}}
        spoilt = project(more | {"created": AT, "deposited": AT}, indexed=AT)
        await asyncio.to_thread(index.write, [spoilt], {})
        number = await wishes.want(models)
        said = await host.rebuilt(number)
        assert said["state"] == "refused"
        assert said["said"] == [
            f"{OPEN}/1: version 9 under {OPEN} live, version 1 under {OPEN} rebuilt"
        ]
        assert folders.shown(folder) == (0, "index")
        assert index.held([f"{OPEN}/1"])[f"{OPEN}/1"].version == 9
        assert await wishes.give_up(models) == number
        assert await wishes.wanted(models) == 0
    assert not (folder / "index-1").exists()


@pytest.mark.law("L6")
async def test_a_deposit_in_the_moment_of_the_change_of_lists_is_listed_and_fails_no_rebuild(
    place: Place, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(place, database) as host:
        tell = wishes.tell

        async def slowly(*of: Any, **said: Any) -> None:
            if said["state"] == "done":  # the new lists answer; nobody was told so yet
                for number in range(3):
                    await host.press.deposit(f"{OPEN}/late-{number}")
                    await host.listed()
            await tell(*of, **said)

        monkeypatch.setattr(wishes, "tell", slowly)
        said = await host.rebuilt(await wishes.want(host.models))
        assert (said["state"], said.get("said", ())) == ("done", ())
        assert f"{OPEN}/late-2" in host.press.versions


@pytest.mark.law("L6")
async def test_how_a_rebuild_of_lists_ended_is_its_last_word_whatever_was_on_its_way_and_is_heard(
    place: Place, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(place, database) as host:
        tell, ended, tries = wishes.tell, asyncio.Event(), 0
        on_their_way = []

        async def late(*of: Any, **said: Any) -> None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 1)
            await tell(*of, **said)

        async def slowly(*of: Any, **said: Any) -> None:
            nonlocal tries
            if said["state"] not in ENDED:  # whoever does not wait for it, the store has it
                on_their_way.append(asyncio.create_task(late(*of, **said)))
                await asyncio.shield(on_their_way[-1])
                return
            tries += 1
            if tries == 1:
                raise Transient("the store is away")
            await tell(*of, **said)
            ended.set()

        monkeypatch.setattr(wishes, "tell", slowly)
        number = await wishes.want(host.models)
        assert (await host.rebuilt(number))["state"] == "done"
        await asyncio.gather(*on_their_way)
        (said,) = await wishes.told(host.models, number)
        assert (said["state"], tries) == ("done", 2)


async def _size(index: SearchIndex, wanted: int) -> bool:
    return index.size == wanted
