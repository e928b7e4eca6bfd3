"""The consumers of docs/interfaces, as an indexer runs them: each copy equals the fold of the log.

The law that they must show is L2's for readers outside: the last record of a key wins, whatever
stands between, and nothing of an aborted transaction is ever read.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker.jars import _folder
from deploy.local.broker.secured import Users
from deploy.local.broker.server import broker
from deploy.local.ports import HOST, answers, free_port
from deploy.local.waiting import until
from shared.events import Meta, OpenWorkPublished, Outgoing, Standing, to_record
from shared.events.records import nudge
from shared.kafka import topics, users
from shared.kafka.admin import administrator
from shared.kafka.connection import parse
from shared.kafka.topics import declared
from shared.policy import Withheld, load, withhold
from tests.events import Voice, speaking
from tests.processes import Place

CONSUMERS = Path(__file__).resolve().parents[2] / "docs" / "interfaces" / "consumers"
POLICY = load(Path(__file__).resolve().parents[2] / "deploy" / "policies" / "references.toml")
TOPIC = "distribution.open.v1"
AT = "2026-01-01T00:00:00Z"
SECONDS = 60.0
# The same programs; a short run is spent on compiling what is soon over.
QUICK = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
Line = dict[str, Any]


def work(number: int, version: int, *, references: int, shown: bool = True) -> OpenWorkPublished:
    doi = f"10.5555/Ünïcode {number}\t'\"\\"
    whole = {"DOI": doi, "title": [f"Of line\nbreaks, {version}"]}
    whole["reference"] = [{"key": f"r{n}", "DOI": "10.5555/other"} for n in range(references)]
    setting = "open" if shown else "limited"
    return OpenWorkPublished(
        doi=doi,
        work=whole if shown else withhold(POLICY, whole, Withheld("limited", "limited")),
        work_version=version,
        standing=Standing(
            prefix="10.5555", member=78, name="Press", setting=setting, policy_version="1"
        ),
    )


def record(event: OpenWorkPublished) -> Outgoing:
    return to_record(event, Meta(f"{event.doi}-{event.work_version}", "/services/distribution", AT))


def line(event: OpenWorkPublished) -> Line:
    withheld = event.work.get("references-withheld")
    return {
        "doi": event.doi,
        "work_version": event.work_version,
        "references": len(event.work.get("reference", ())),
        "withheld": withheld["reason"] if withheld else None,
    }


@dataclass(slots=True)
class Log:
    """The product topic of one test, and the fold of what was committed to it."""

    place: Place
    voice: Voice
    topic: str = TOPIC
    fold: dict[str, Line] = field(default_factory=dict)

    async def publish(self, *events: OpenWorkPublished) -> None:
        await self.voice.send([record(one) for one in events])
        self.fold |= {one.doi: line(one) for one in events}

    async def remove(self, event: OpenWorkPublished) -> None:
        gone = record(event)
        await self.voice.send([Outgoing(gone.topic, gone.key, None, gone.headers)])
        self.fold.pop(event.doi, None)

    async def nudge(self) -> None:
        parts = range(declared()[TOPIC].partitions)
        await self.voice.send([nudge(TOPIC, part, AT, source="/services/one") for part in parts])

    async def later_type(self, event: OpenWorkPublished) -> None:
        """Write what a build of another year may write under a work's key."""
        known = record(event)
        kind = ("ce_type", b"distribution.work-described.v1")
        headers = tuple(kind if name == "ce_type" else (name, text) for name, text in known.headers)
        await self.voice.send([Outgoing(known.topic, known.key, known.value, headers)])

    async def abort(self, *events: OpenWorkPublished) -> None:
        """Write records that are never committed."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.place.kafka_bootstrap,
            transactional_id=f"{self.place.name}aborted",
        )
        async with producer:
            await producer.begin_transaction()
            for one in map(record, events):
                await producer.send_and_wait(
                    self.place.name + TOPIC, one.value, key=one.key, headers=list(one.headers)
                )
            await producer.abort_transaction()


@pytest.fixture
async def log(place: Place) -> AsyncIterator[Log]:
    async with speaking(place, "distribution") as (voice,):
        yield Log(place, voice)


async def history(log: Log) -> None:
    """Write several versions of each key, with all that may stand between them and behind."""
    await log.publish(*(work(n, 1, references=n) for n in range(30)))
    await log.nudge()
    await log.abort(*(work(n, 9, references=9) for n in range(10, 20)))
    await log.publish(*(work(n, 2, references=n + 1) for n in range(0, 30, 2)))
    await log.publish(*(work(n, 2, references=n + 1, shown=False) for n in range(0, 30, 6)))
    await log.nudge()
    for n in range(5):
        await log.remove(work(n, 2, references=0))
    await log.publish(work(3, 3, references=4), work(29, 2, references=0))
    for n in range(20, 25):
        await log.later_type(work(n, 8, references=8))
    await log.nudge()
    await log.abort(*(work(n, 9, references=9) for n in range(30)))


def python(log: Log, *more: str) -> list[str]:
    return [sys.executable, str(CONSUMERS / "consumer.py"), *named(log), *more]


def java(log: Log, *more: str) -> list[str]:
    if shutil.which("javac") is None:
        pytest.skip("there is no Java compiler (a JDK) on the PATH")
    if not any(_folder().glob("kafka-clients-*.jar")):
        pytest.skip("the broker's jars were not fetched: the broker is another one")
    return ["java", "-cp", f"{_folder()}/*", str(CONSUMERS / "Consumer.java"), *named(log), *more]


def kcat(log: Log, *more: str) -> list[str]:
    for needed in ("kcat", "jq"):
        if shutil.which(needed) is None:
            pytest.skip(f"there is no {needed} on the PATH: apt install {needed}")
    _, bootstrap, _, topic = named(log)
    return [str(CONSUMERS / "kcat.sh"), bootstrap, topic, *more]


def named(log: Log) -> list[str]:
    address = parse(log.place.kafka_bootstrap).servers
    return ["--bootstrap", address, "--topic", log.place.name + log.topic]


@contextlib.asynccontextmanager
async def running(command: Sequence[str], **settings: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | QUICK | settings,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.communicate()


async def ended(command: Sequence[str], **settings: str) -> tuple[int | None, bytes, str]:
    """Run a program to its end; return its status, what it printed and what it complained of."""
    async with asyncio.timeout(SECONDS), running(command, **settings) as process:
        out, complaint = await process.communicate()
        return process.returncode, out, complaint.decode()


async def printed(command: Sequence[str], **settings: str) -> list[Line]:
    status, out, complaint = await ended(command, **settings)
    assert status == 0, complaint
    return [json.loads(one) for one in out.splitlines()]


def by_doi(lines: Sequence[Line]) -> dict[str, Line]:
    found = {one["doi"]: one for one in lines}
    assert len(found) == len(lines), "a work was printed twice"
    return found


@pytest.mark.law("L2")
@pytest.mark.parametrize("program", [python, kcat])
async def test_a_copy_from_zero_equals_the_fold_of_the_log(log: Log, program: Any) -> None:
    command = program(log, "--until-end")
    await history(log)
    assert {one["withheld"] for one in log.fold.values()} == {None, "limited"}
    assert by_doi(await printed(command)) == log.fold


@pytest.mark.parametrize("program", [python, java, kcat])
async def test_who_follows_hears_of_a_flip_and_of_a_removal(log: Log, program: Any) -> None:
    command = program(log)
    flipped, removed = work(1, 1, references=3, shown=False), work(2, 1, references=1)
    await log.publish(work(1, 1, references=3), removed)
    async with asyncio.timeout(SECONDS), running(command) as process:
        assert process.stdout is not None
        heard = [json.loads(await process.stdout.readline()) for _ in range(2)]
        assert by_doi(heard) == log.fold
        await log.nudge()
        await log.publish(flipped)
        assert json.loads(await process.stdout.readline()) == line(flipped)
        await log.remove(removed)
        assert json.loads(await process.stdout.readline()) == {"doi": removed.doi, "removed": True}


@pytest.mark.law("L2")
async def test_a_group_goes_on_and_its_copy_equals_one_from_zero(log: Log) -> None:
    group = f"indexer-78.{log.place.name}"
    kept = ["--group", group, "--copy", str(log.place.folder / "works.sqlite"), "--until-end"]
    await history(log)
    assert by_doi(await printed(python(log, *kept))) == log.fold
    await log.publish(work(5, 4, references=1, shown=False), work(40, 1, references=2))
    await log.remove(work(6, 2, references=0))
    assert by_doi(await printed(python(log, *kept))) == log.fold
    kept[1] += "again"  # commits were lost: everything comes again
    assert by_doi(await printed(python(log, *kept))) == log.fold


@pytest.mark.soak
@pytest.mark.law("L2")
async def test_in_java_a_group_begins_at_zero_and_later_prints_what_changed_since(log: Log) -> None:
    grouped = java(log, "--group", f"indexer-78.{log.place.name}", "--until-end")
    await history(log)
    assert by_doi(await printed(grouped)) == log.fold
    changed = [work(5, 4, references=1, shown=False), work(40, 1, references=2)]
    await log.publish(*changed)
    await log.nudge()
    assert by_doi(await printed(grouped)) == {one.doi: line(one) for one in changed}


@dataclass(frozen=True, slots=True)
class Asking:
    """A broker that asks who calls, with one indexer; the passwords are of this start."""

    address: str
    service: str
    indexer: str

    def settings(self, folder: Path) -> dict[str, str]:
        """Return what tells the programs who they are."""
        config = folder / "kcat.conf"
        config.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanisms=SCRAM-SHA-256\n"
            f"sasl.username=indexer-78\nsasl.password={self.indexer}\n"
        )
        return {"KAFKA_PASSWORD": self.indexer, "KCAT_CONFIG": str(config)}


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asking]:
    secured, port = Users(free_port()), free_port()
    node = broker(tmp_path / "state", port, log=tmp_path / "kafka.log", users=secured)
    await asyncio.to_thread(node.start)
    try:
        # Its listeners open one by one.
        assert await asyncio.to_thread(until, lambda: answers(secured.inside), SECONDS)
        await topics.create(secured.administrator)
        async with administrator(secured.administrator) as admin:
            words = [await users.add(admin, name) for name in ("distribution", "indexer-78")]
        yield Asking(f"{HOST}:{port}", *words)
    finally:
        await asyncio.to_thread(node.kill)


async def test_with_users_each_reads_its_topic_in_its_group_and_no_other(
    asking: Asking, tmp_path: Path
) -> None:
    place = Place(f"sasl://distribution:{asking.service}@{asking.address}", "", "", tmp_path)
    user = ["--user", "indexer-78", "--security", "SASL_PLAINTEXT", "--until-end"]
    who = asking.settings(tmp_path)
    async with speaking(place, "distribution") as (voice,):
        log = Log(place, voice)
        await log.publish(*(work(n, 1, references=n) for n in range(5)))
    commands = [java(log, *user, "--group", "indexer-78.java"), python(log, *user)]
    if shutil.which("kcat") and not old_librdkafka():
        commands.append(kcat(log, "--until-end"))
    for lines in await asyncio.gather(*(printed(one, **who) for one in commands)):
        assert by_doi(lines) == log.fold
    log.topic = "distribution.plus.v1"
    refused = [python(log, *user), java(log, *user)]
    log.topic = TOPIC
    refused.append(python(log, *user, "--group", "other", "--copy", str(tmp_path / "copy")))
    for status, out, complaint in await asyncio.gather(*(ended(one, **who) for one in refused)):
        assert (status, out) == (1, b""), complaint
        assert "the broker does not let us read that" in complaint


def old_librdkafka() -> bool:
    """Say whether kcat's library is one that Kafka 4 refuses under SCRAM (before 2.6.1)."""
    said = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", said)
    return found is None or tuple(map(int, found.groups())) < (2, 6, 1)
