"""``python -m tests.bench.packaging ours|bare PERSON``: one package, in a process of its own.

Ours is the command that makes packages, with the real store and keys; the bare one reads the same
topics, and zips and inserts what mentions the person as it stands there, opened by nobody. Prints
seconds and the peak of this process's memory as JSON.
"""

import asyncio
import re
import sys
import time
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.retention.commands.keys import Keys
from services.retention.commands.packages import Packages
from services.retention.model import packages as model
from services.retention.settings import Settings
from services.retention.store import open_keys, prepare
from services.retention.store.erasures import open_erasures
from services.retention.store.packages import CHUNKS, open_packages
from services.retention.wiring import House
from shared.events.orders import KeptUnits
from shared.kafka.topics import declared
from shared.mongo import Aggregates, Database, Refused, connect
from shared.policy.packages import load_packages
from shared.policy.personal import load_personal
from shared.policy.retention import load_retention
from shared.privacy.blind import BlindIndex
from shared.privacy.epochs import FileEpochs
from shared.privacy.keyring import KeyRing
from shared.privacy.lifecycle import KeptKeys
from shared.privacy.receipts import Signer
from shared.privacy.rings import COLLECTION, DATABASE, SOURCE
from shared.runtime.bell import unheard
from shared.runtime.clock import SYSTEM
from shared.runtime.health import Health
from shared.runtime.ids import new_id

CHUNK: Final = 1024 * 1024


def ring_of(settings: Settings, keys: Database) -> KeyRing:
    """Make a key ring that hears of every fence at once: here nobody fences anything."""
    documents = Aggregates(keys[COLLECTION], KeptKeys.model_validate_json, SOURCE)
    usable = load_personal(settings.policies_dir / "personal.toml").file.keys.usable
    return KeyRing(documents, FileEpochs(settings.shared_keys), usable, lambda: True)


async def ours(settings: Settings, person: str) -> dict[str, float]:
    """Make a package; return its size, the seconds, the peak, and then what events it holds."""
    async with (
        connect(settings.mongodb_url, settings.database_prefix + "retention") as database,
        connect(settings.mongodb_url, settings.database_prefix + DATABASE) as keys,
    ):
        await prepare(database, keys)
        packages = composed(settings, database, keys)
        began = time.perf_counter()
        known, _code = await packages.asked(new_id(), [])
        found = (KeptUnits(keys_id=f"{person}.account"),)
        answered = await packages.store.packages.update(
            known.package,
            lambda one: model.move(one, "answered", at=SYSTEM.now(), found=found),
        )
        assert not isinstance(answered, Refused)
        assert await packages.make(answered.state)
        made = await packages.shown(known.package)
        assert made is not None
        assert made.step == "ready"
        figures = measured(began, made.octets)
        whole = b"".join([part async for part in packages.chunks.read(made)])
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        return figures | {"events": archive.read("events.ndjson").count(b"\n")}


def composed(settings: Settings, database: Database, keys: Database) -> Packages:
    """Compose the command as its part does; nobody answers orders here."""
    policies = settings.policies_dir
    house = House(
        settings=settings,
        database=database,
        key_documents=keys,
        keys=Keys(open_keys(keys), timedelta()),
        ring=ring_of(settings, keys),
        index=BlindIndex(settings.shared_keys),
        personal=load_personal(policies / "personal.toml"),
        schedule=load_retention(policies / "retention.toml"),
        health=Health(),
        clock=SYSTEM,
        wake=unheard,
        roles=frozenset(),
    )
    register = orjson.loads(settings.register_file.read_bytes())
    return Packages(
        house=house,
        store=open_packages(database),
        answers=open_erasures(database),
        keeps=None,
        services=("accounts",),
        policy=load_packages(policies / "packages.toml"),
        register=register,
        signer=Signer(settings.key_file),
    )


async def bare(settings: Settings, person: str) -> dict[str, float]:
    """Read every topic, zip the lines that mention the person, insert the archive in chunks."""
    began, events = time.perf_counter(), 0
    places = [
        TopicPartition(settings.topic_prefix + topic.name, number)
        for topic in declared().values()
        for number in range(topic.partitions)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, isolation_level="read_committed"
    )
    await consumer.start()
    consumer.assign(places)
    await consumer.seek_to_beginning()
    ends, name, held = await consumer.end_offsets(places), person.encode(), BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("e", "w") as to:
        left = places
        while left:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                lines = [one.value for one in records if one.value and name in one.value]
                events += len(lines)
                to.write(b"\n".join(lines))
            left = [one for one in left if await consumer.position(one) < ends[one]]
    await consumer.stop()
    whole = held.getvalue()
    async with connect(settings.mongodb_url, settings.database_prefix + "bare") as database:
        for at in range(0, len(whole), CHUNK):
            await database[CHUNKS].insert_one({"data": whole[at : at + CHUNK]})
    return measured(began, len(whole)) | {"events": events}


def measured(began: float, octets: int) -> dict[str, float]:
    """Return what it took so far."""
    return {
        "seconds": time.perf_counter() - began,
        "octets": octets,
        "peak": memory()["VmHWM"],
    }


def memory() -> dict[str, float]:
    """Return this process's memory in MB; ``ru_maxrss`` would be our parent's where that is more.

    ``VmHWM`` is the peak of what runs now, ``VmRSS`` what it is.
    """
    said = Path("/proc/self/status").read_text()
    found = re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB", said, re.MULTILINE)
    return {name: int(size) / 1024 for name, size in found}


def main() -> None:
    """Run one, and print what it took."""
    which, person = sys.argv[1:3]
    settings, before = Settings(), memory()["VmRSS"]
    said = asyncio.run((ours if which == "ours" else bare)(settings, person))
    print(orjson.dumps(said | {"before": before}).decode())  # noqa: T201  (what the bench reads)


if __name__ == "__main__":
    main()
