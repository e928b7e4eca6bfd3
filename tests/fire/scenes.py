"""Small fires: one fault each, the same with a mechanism and without it.

Each plays once, writes its history and returns it; which laws it broke is the checker's word.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from shared.events import (
    Meta,
    Outgoing,
    TitleRegistered,
    WorkRegistered,
    WorkState,
    WorkUpdated,
    to_record,
)
from shared.kafka.produce import Sender
from shared.mongo import Accepted, Aggregates
from shared.mongo.docket import docket_of
from tests.events import AT, speaking
from tests.fire.checks import Run
from tests.fire.checks.registers import STALE_SECONDS
from tests.fire.clients import Clients, session
from tests.fire.finals import WORKS, Databases, Finals, committed, whole
from tests.fire.fleet import Fleet, Slot, fleet
from tests.fire.history import History, read
from tests.fire.inflicting import PROJECTOR
from tests.fire.observer import Observer
from tests.fire.sabotage import DIES_UNAPPLIED, FREEZES_UNSENT
from tests.fire.world import PRESS, World, references, title_of
from tests.processes import OPERATOR, Place, until

DOI: Final = "10.5001/h1"
REPLAYS: Final = f"{PROJECTOR}.replay.v1"
QUICK: Final = {"DRAIN_SECONDS": "2", "ACK_SECONDS": "0.2"}


def work(version: int) -> WorkRegistered | WorkUpdated:
    """Return a version of the one work, its timestamp the same number."""
    kind = WorkRegistered if version == 1 else WorkUpdated
    listed = [{"key": f"r{n}", "unstructured": f"Xyzzyography {n}"} for n in range(4)]
    count = references(DOI, version)
    return kind(
        doi=DOI,
        prefix="10.5001",
        timestamp=str(version),
        created=AT,
        deposited=AT,
        submission=f"{version}#0",
        version=version,
        title=title_of(DOI),
        work={
            "type": "journal-article",
            "title": [f"Version {version} of {DOI}"],
            "DOI": DOI,
            "reference": listed[:count],
            "references-count": count,
            "reference-count": count,
        },
    )


@dataclass(slots=True)
class Scene:
    """A few processes, their history, and what reads the end."""

    place: Place
    fleet: Fleet
    history: History
    finals: Finals

    async def shows(self, version: int) -> None:
        """Wait until the read model holds a version of the work."""

        async def held() -> bool:
            found = await self.finals.distribution["works"].find_one({"_id": DOI}, {"v": 1})
            return found is not None and found["v"] == version

        await until(held, within=40, what=f"version {version}")

    async def consumed(self, topic: str) -> None:
        """Wait until the projectors committed all of a topic."""

        async def all_of_it() -> bool:
            records = await whole(self.place, topic)
            done = await committed(self.place, PROJECTOR)
            return all(done.get((topic, one.partition), 0) > one.offset for one in records)

        await until(all_of_it, within=40, what=f"{topic} consumed")

    async def probe(self) -> None:
        """Look at what was committed, and then at what was applied."""
        done = await committed(self.place, PROJECTOR)
        offsets = {str(n): to for (topic, n), to in done.items() if topic == WORKS}
        found = self.finals.distribution["works"].find({}, {"v": 1})
        versions = {one["_id"]: one["v"] async for one in found}
        self.history.note("probe", committed=offsets, versions=versions)

    async def end(self, *topics: str) -> None:
        """Write down the read models, and the folds of these topics."""
        await self.finals._models()
        for topic in topics:
            self.finals.note(f"fold {topic}", await self.finals._fold(topic))


@contextlib.asynccontextmanager
async def scene(place: Place, slots: Sequence[Slot]) -> AsyncIterator[Scene]:
    """Open a scene; its processes are started by whoever plays it."""
    history = History(place.folder / "history.jsonl")
    draining = asyncio.Event()
    observer = Observer(place, history)
    observing = asyncio.get_running_loop().create_task(observer.run(draining))
    try:
        async with (
            fleet(place, slots, history, start=False) as running,
            session() as asking,
            Databases(place) as databases,
        ):
            clients = Clients(running, World(), history, asking, 0)
            yield Scene(place, running, history, Finals(place, clients, *databases))
            await observer.whole()
        draining.set()
        await observing
    finally:
        observing.cancel()
        history.close()


def run_of(place: Place) -> Run:
    """Return what was played somewhere."""
    return Run(read(place.folder / "history.jsonl"))


async def an_old_version_comes_again(place: Place, *patches: str) -> Run:
    """A letter of an older version is replayed behind a newer one: the guard keeps it out."""
    slot = Slot("projector", "distribution", ("projector",), settings=QUICK, patches=patches)
    async with scene(place, [slot]) as here, speaking(place, "deposits") as (deposits,):
        here.fleet.start("projector")
        for version in (1, 2):
            await deposits.say(work(version))
            await here.shows(version)
        record = to_record(work(1), Meta("again", "/services/deposits", "2026-01-01T00:00:00Z"))
        sender = Sender(place.kafka_bootstrap, "distribution", place.name)
        await sender.start()
        await sender.send([Outgoing(REPLAYS, record.key, record.value, record.headers)])
        await sender.stop()
        await here.consumed(REPLAYS)
        await here.end(WORKS)
    return run_of(place)


async def a_consumer_dies_with_a_batch_in_hand(place: Place, *patches: str) -> Run:
    """Killed between fetching and applying: whoever comes next applies it, as nothing is committed.

    Both processes have one name, so that the second need not wait for the first's session to end.
    """
    settings = {**QUICK, "REPLICA": "one"}
    role = ("projector",)
    dying = (DIES_UNAPPLIED, *patches)
    slots = [
        Slot("first", "distribution", role, settings=settings, patches=dying),
        Slot("second", "distribution", role, settings=settings, patches=patches),
    ]
    async with scene(place, slots) as here, speaking(place, "deposits") as (deposits,):
        here.fleet.start("first")
        here.fleet.berths["first"].wanted = False
        await deposits.say(work(1))
        assert await here.fleet.gone("first") == -signal.SIGKILL
        here.fleet.start("second")
        await here.consumed(WORKS)
        await here.probe()
        await here.end(WORKS)
    return run_of(place)


async def a_relay_wakes_up_behind_its_successor(place: Place, *patches: str) -> Run:
    """Frozen between reading and sending; meanwhile another one published the next version."""
    role = ("relay",)
    slots = [
        Slot("a", "deposits", role, settings=QUICK, patches=(FREEZES_UNSENT, *patches)),
        Slot("b", "deposits", role, settings=QUICK, patches=patches),
    ]
    async with scene(place, slots) as here:
        database = here.finals.deposits
        works = Aggregates(
            database["works"],
            WorkState.model_validate_json,
            "/services/deposits",
            docket=docket_of(database["works"]),
        )
        here.fleet.start("a")
        # An index of the relay's: it reads from now on.
        await until(partial(_leased, database), within=40, what="the relay active")
        await works.save_many({DOI: Accepted(work(1), (work(1),))})
        process = here.fleet.berths["a"].process
        assert process is not None
        await until(partial(_frozen, here.fleet, "a"), within=40, what="the relay frozen")
        await database["leases"].update_one(
            {}, {"$set": {"until": AT}}
        )  # 5 s, as if they were over
        here.fleet.start("b")
        await until(partial(_sent, place, 1), within=40, what="the successor took over")
        await works.save_many({DOI: Accepted(work(2), (work(2),))})
        await until(partial(_sent, place, 2), within=40, what="version 2")
        process.send_signal(signal.SIGCONT)
        log = here.fleet.berths["a"].log
        await until(lambda: _says(log, "relay interrupted"), within=40, what="superseded")
    return run_of(place)


async def nobody_hears_of_a_preference(place: Place, *patches: str) -> Run:
    """The relay is gone when a work is closed: after five seconds nobody may rely on what he knows.

    The answer is that of a replica with ``patches``; returns the history of that alone.
    """
    slots = [
        Slot("accounts", "accounts", ("api",), settings=QUICK),
        Slot("relay", "accounts", ("relay",), settings=QUICK),
        Slot("reader", "distribution", ("api", "projector"), settings=QUICK, patches=patches),
    ]
    async with scene(place, slots) as here, speaking(place, "deposits") as (deposits,):
        for slot in slots:
            here.fleet.start(slot.name)
        title = TitleRegistered(subject=title_of(DOI), name="J", owner_prefix="10.5001", version=1)
        await deposits.say(title, work(1))
        await here.fleet.ready("accounts")
        await _entered(here)
        clients = here.finals.clients

        async def shown() -> bool:
            await clients.read("r", "anonymous", "reader", f"/works/{DOI}")
            reads = [one for one in read(here.history.path) if one.kind == "read"]
            return any(item[2] for item in reads[-1].get("items", ())) if reads else False

        await until(shown, within=40, what="references shown")
        await here.fleet.end("relay")
        await clients.prefer(PRESS, "10.5001", "closed")
        await asyncio.sleep(STALE_SECONDS + 0.3)
        await clients.read("r", "anonymous", "reader", f"/works/{DOI}")
    return run_of(place)


async def _entered(here: Scene) -> None:
    url = here.fleet.url("accounts")
    for path, body in (
        ("/organisations", {"id": PRESS, "name": "Press"}),
        (
            f"/organisations/{PRESS}/prefixes",
            {"prefix": "10.5001", "name": "Press", "reference-visibility": "open"},
        ),
    ):
        async with here.finals.clients.session.post(
            url + path, json=body, headers=OPERATOR
        ) as answer:
            assert answer.status == 201, await answer.text()


async def _leased(database: Any) -> bool:
    return await database["leases"].find_one({"_id": "relay"}) is not None


async def _frozen(fleet: Fleet, name: str) -> bool:
    return fleet.stands_still(name)


async def _sent(place: Place, count: int) -> bool:
    return len(await whole(place, WORKS)) >= count


async def _says(log: Path, words: str) -> bool:
    return words in log.read_text()  # noqa: ASYNC240  (a test's own small file)
