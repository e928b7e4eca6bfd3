"""One run of one program: how fast it follows, and what a replay makes of its documents."""

import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.children import Child
from shared.events import Event, Meta, Outgoing, to_record
from shared.kafka.produce import FencedSender
from shared.kafka.topics import declared
from shared.mongo import Database
from tests.bench.peers.installing import Installed
from tests.bench.peers.programs import TOPIC, Program, Task, environment
from tests.bench.rig import Rig, work
from tests.processes import until

NEEDED: Final = (TOPIC, "distribution.projector.dead.v1", "distribution.projector.replay.v1")
PARTS: Final = declared()[TOPIC].partitions
META: Final = Meta("bench", "/services/deposits", "2026-01-01T00:00:00Z")
AT_ONCE: Final = 5_000  # records a transaction
WARM: Final = 500  # works before the clock starts
KEYS: Final = 200  # keys a look-up
PATIENCE: Final = 120.0  # seconds until a program has begun, or ended
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """``rate`` in works a second, ``cpu`` in seconds, ``peak`` in MB; ``older`` counts keys."""

    rate: float
    cpu: float
    peak: float
    older: int


async def measure(
    here: Rig, program: Program, installed: Installed, folder: Path, *, works: int, number: int
) -> Figures:
    """Run a program on topics and a database of its own."""
    name = f"{''.join(filter(str.isalnum, program.name))}{number}".lower()
    database: Database = here.database.client.get_database(f"{here.database.name}{name}")
    records = history(works)
    live = await _task(here, f"{name}.", database, folder)
    with _running(program, live, installed) as child:
        async with _speaking(live) as log:
            await log.tell(child, database, [work(n, prefix="10.9999") for n in range(WARM)])
            before = _cpu(child.pid)
            seconds = await log.tell(child, database, records)
            cpu, peak = _cpu(child.pid) - before, _peak(child.pid)
    assert await _older(database, works) == 0, f"{program.name} is not where the log is"
    again = await _task(here, f"{name}.again.", database, folder)
    with _running(program, again, installed) as child:
        async with _speaking(again) as log:
            await log.tell(child, database, records[: works // 2], mark="again")
    return Figures(works / seconds, cpu, peak, await _older(database, works))


def history(works: int) -> list[Event]:
    """Return works, where every tenth of the second half says one of the first half again."""
    half = works // 2
    return [
        work(n - half, version=2) if n >= half and n % 10 == 0 else work(n) for n in range(works)
    ]


async def _older(database: Database, works: int) -> int:
    """Count the keys that do not stand on their newest version."""
    newest = {event.key: event.aggregate_version for event in history(works)}
    dois = list(newest)
    held: dict[str, Any] = {}
    for start in range(0, len(dois), KEYS):
        asked = {"_id": {"$in": dois[start : start + KEYS]}}
        held |= {
            one["_id"]: one["version"]
            async for one in database["works"].find(asked, {"version": 1})
        }
    return sum(held.get(doi) != version for doi, version in newest.items())


@dataclass(slots=True)
class Log:
    """Writes works so that all become readable at once, and waits until they are applied."""

    task: Task
    sender: FencedSender
    marks: int = 0

    async def tell(
        self, child: Child, database: Database, events: Sequence[Event], *, mark: str = "live"
    ) -> float:
        """Return the seconds from when the first could be read until the last was applied."""
        self.marks += 1
        last = [
            work(0).model_copy(update={"doi": f"10.9998/{mark}-{self.marks}-{part}"})
            for part in range(PARTS)
        ]
        marks = [
            Outgoing(one.topic, one.key, one.value, one.headers, part)
            for part, one in enumerate(to_record(event, META) for event in last)
        ]
        records = [*(to_record(event, META) for event in events), *marks]
        await self.sender.send(records[:AT_ONCE])
        began = time.perf_counter()
        for start in range(AT_ONCE, len(records), AT_ONCE):
            await self.sender.send(records[start : start + AT_ONCE])
        asked = {"_id": {"$in": [event.key for event in last]}}

        async def applied() -> bool:
            assert child.alive, child.tail(40)
            found = await database["works"].find(asked, {"_id": 1}).to_list(None)
            return len(found) == len(last)

        await until(applied, within=PATIENCE, what=f"{child.name}: {child.tail(10)}")
        return time.perf_counter() - began


async def _task(here: Rig, name: str, database: Database, folder: Path) -> Task:
    """Make the topics of one process, and a folder for what it writes."""
    prefix = here.prefix + name
    admin = AIOKafkaAdminClient(bootstrap_servers=here.bootstrap)
    await admin.start()
    topics = [
        NewTopic(prefix + one.name, one.partitions, 1, topic_configs=one.config)
        for one in (declared()[name] for name in NEEDED)
    ]
    await admin.create_topics(topics)
    await admin.close()
    own = folder / name
    own.mkdir()
    return Task(here.bootstrap, prefix, here.mongodb_url, database.name, str(own))


@contextmanager
def _running(program: Program, task: Task, installed: Installed) -> Iterator[Child]:
    command = program.command(task, installed)
    child = Child(program.name, command, Path(task.folder) / "log", environment())
    child.start()
    try:
        yield child
    finally:
        child.end(5)


@asynccontextmanager
async def _speaking(task: Task) -> AsyncIterator[Log]:
    sender = FencedSender(task.bootstrap, "deposits", "relay", task.prefix)
    await sender.start()
    try:
        yield Log(task, sender)
    finally:
        await sender.stop()


def _cpu(process: int) -> float:
    """Return the seconds of processor that a process had; not a number where nobody says."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak(process: int) -> float:
    """Return the most memory that a process ever had, in MB; not a number where nobody says."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
